using System.Globalization;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Reporting;
using LinearCald.Distillation.Training;
using LinearCald.Nn;
using LinearCald.Nn.Files;

namespace LinearCald.Distillation.Conversion;

/// <summary>What happens to one parameter of the student.</summary>
/// <param name="Name">HuggingFace's name.</param>
/// <param name="Shape">Its extents.</param>
/// <param name="Fate">copied, or new.</param>
/// <param name="Origin">Where a copied one comes from, or how a new one starts.</param>
/// <param name="Decayed">Weight decay applies to it.</param>
/// <param name="FrozenUpdates">Updates during which it does not change.</param>
public sealed record ParameterPlan(string Name, string Shape, long Count, string Fate, string Origin, bool Decayed, int FrozenUpdates)
{
    public string ToJson() => new JsonLine().Add("parameter", Name).Add("shape", Shape).Add("fate", Fate).Add("origin", Origin)
        .Add("decayed", Decayed).Add("frozen_updates", FrozenUpdates).ToString();
}

/// <summary>What a conversion would do: every tensor's fate, loss terms, steps and memory. Nothing is trained or written.</summary>
public sealed class ConversionPlan
{
    private ConversionPlan(IReadOnlyList<ParameterPlan> parameters, IReadOnlyList<string> unused, IReadOnlyList<(string Name, string Value)> facts)
    {
        Parameters = parameters;
        Unused = unused;
        Facts = facts;
    }

    public IReadOnlyList<ParameterPlan> Parameters { get; }

    /// <summary>Tensors of the source's files that the student does not use.</summary>
    public IReadOnlyList<string> Unused { get; }

    /// <summary>Losses, steps, memory: name and value.</summary>
    public IReadOnlyList<(string Name, string Value)> Facts { get; }

    /// <summary>Plans the conversion that a recipe describes.</summary>
    /// <param name="recipe">One run; its mode decides where weights come from.</param>
    /// <param name="session">Gives task, source and sizes.</param>
    public static ConversionPlan Of(Recipe recipe, ConversionSession session)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(session);
        GuidanceMode mode = recipe.Guidance.Mode;
        bool fromTeacher = mode is GuidanceMode.Target or GuidanceMode.Hybrid;
        string body = fromTeacher ? "target teacher" : "source model";
        string head = fromTeacher ? "target teacher" : mode == GuidanceMode.Trajectory ? "the trajectory teacher's random start" : "";
        ConversionDomain domain = session.Domain;
        using TaskModel student = domain.Blank(recipe, BuildContext.For(session.Device, 0));
        List<ParameterPlan> parameters = [];
        foreach ((string name, Parameter parameter) in student.Module.NamedParameters())
        {
            bool added = student.IsNew(name);
            bool fresh = added || (domain.IsHead(name) && head.Length == 0);
            string origin = fresh ? domain.StartOf(name, recipe) : domain.IsHead(name) ? head : body;
            parameters.Add(new ParameterPlan(
                name,
                parameter.Value.Shape.ToString(),
                parameter.Value.Count,
                fresh ? "new" : "copied",
                origin,
                recipe.Training.WeightDecay > 0 && !student.IsFrozen(name) && student.IsDecayed(name, recipe.Training.Decay),
                student.IsFrozen(name) ? session.Data.TotalUpdates(recipe.Training) : added ? 0 : recipe.Guidance.FreezeSteps));
        }

        return new ConversionPlan(parameters, UnusedOf(session, student), FactsOf(recipe, session, parameters));
    }

    private static List<string> UnusedOf(ConversionSession session, TaskModel student)
    {
        HashSet<string> names = [.. student.Module.NamedParameters().Select(p => p.Name)];
        using WeightsReader reader = WeightsReader.Open(session.Source);
        return [.. reader.Names.Where(n => !names.Contains(n)).Order(StringComparer.Ordinal)];
    }

    private static List<(string Name, string Value)> FactsOf(Recipe recipe, ConversionSession session, List<ParameterPlan> parameters)
    {
        CultureInfo c = CultureInfo.InvariantCulture;
        int total = session.Data.TotalUpdates(recipe.Training);
        int guided = recipe.Guidance.GuidedUpdates(total);
        LossWeights weights = recipe.Guidance.WeightsAt(0, total, recipe.Training.GradientAccumulation);
        (int first, int last) = recipe.Guidance.EntryRange(session.Domain.Layers);
        long count = parameters.Sum(p => p.Count);
        long weightsBytes = count * sizeof(float);
        long saved = session.Domain.ActivationsOf(recipe) * (recipe.Training.Precision.ComputeType() is null ? sizeof(float) : sizeof(ushort));
        long teacher = recipe.Guidance.NeedsTeacher ? weightsBytes * (recipe.Guidance.Mode == GuidanceMode.Trajectory ? 4 : 1) : 0;
        return
        [
            ("mode", ConversionSession.ModeName(recipe.Guidance.Mode)),
            ("parameters", string.Create(c, $"{count:N0} ({parameters.Where(p => p.Fate == "new").Sum(p => p.Count):N0} new)")),
            ("examples", session.Domain.DataSize),
            ("task loss", string.Create(c, $"{session.Domain.TaskLoss} × {weights.Task}")),
            ("layer loss", guided == 0 || weights.Layer == 0
                ? "none"
                : string.Create(c, $"mean squared error of hidden states {first} … {last} × {weights.Layer} ({recipe.Guidance.Convention.ToString().ToLowerInvariant()} convention, padding {recipe.Guidance.Padding.ToString().ToLowerInvariant()})")),
            ("output loss", guided == 0 || weights.Kl == 0 ? "none" : string.Create(c, $"KL at temperature {recipe.Guidance.Temperature} × {weights.Kl}")),
            ("updates", string.Create(c, $"{total:N0} of {recipe.Training.BatchSize} examples, {guided:N0} of them guided; warm-up {recipe.Training.WarmupUpdates(total):N0}, peak lr {recipe.Training.Lr:G4}, {recipe.Training.Schedule.ToString().ToLowerInvariant()}")),
            ("evaluations", string.Create(c, $"every {recipe.Training.EvaluationInterval(session.Data.UpdatesPerEpoch(recipe.Training)):N0} updates")),
            ("memory", string.Create(c, $"about {(weightsBytes * 4 + teacher + saved) / 1048576.0:N0} MiB: weights, gradients and moments {weightsBytes * 4 / 1048576.0:N0}, teacher {teacher / 1048576.0:N0}, activations of a full batch {saved / 1048576.0:N0}")),
        ];
    }
}
