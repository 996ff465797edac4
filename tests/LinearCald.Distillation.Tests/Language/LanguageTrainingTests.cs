using System.Text.Json;
using LinearCald.Data.Language;
using LinearCald.Distillation.Guidance;
using LinearCald.Distillation.Language;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Reporting;
using LinearCald.Distillation.Tests.Training;
using LinearCald.Distillation.Training;
using LinearCald.Models.Language;
using LinearCald.Nn;

namespace LinearCald.Distillation.Tests.Language;

/// <summary>The trainer on a language model: it learns, resumes to the same bits, and leaves out what is not finite.</summary>
public sealed class LanguageTrainingTests : IDisposable
{
    private static readonly TrainingRecipe s_training = new() { Lr = 3e-3, Epochs = 2, BatchSize = 4, EvaluationsPerEpoch = 1, CheckpointEvery = 3, ClipNorm = 1, WeightDecay = 0.1, Decay = DecayRule.Mixer };

    private static readonly GuidanceRecipe s_guidance = new()
    {
        AlphaLayer = 3,
        AlphaKl = 0.5,
        Entries = LayerEntries.Inner,
        Normalisation = StateNormalisation.Layernorm,
        LayerReduction = LayerReduction.Mean,
        KlReduction = KlReduction.Tokens,
        SwitchStep = 4,
    };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(GuidanceMode.Unguided, DocumentMixing.Mixed)]
    [InlineData(GuidanceMode.Unguided, DocumentMixing.Separate)]
    [InlineData(GuidanceMode.Target, DocumentMixing.Mixed)]
    [InlineData(GuidanceMode.Hybrid, DocumentMixing.Mixed)]
    public void AStudentLearnsToCount(GuidanceMode mode, DocumentMixing mixing)
    {
        (TrainingResult result, _) = Run(_folder["run"], mode, data: TinyLanguage.Data(120, mixing), training: s_training with { Epochs = 6, Lr = 1e-2 });
        double first = result.Evaluations[0].Value;
        Assert.True(result.Best.Of(TaskMetric.Perplexity) < 0.7 * first, $"perplexity fell from {first} to {result.Best.Of(TaskMetric.Perplexity)} only");
        Assert.Equal(Math.Log(result.Best.Of(TaskMetric.Perplexity)) / Math.Log(2) / 2.5, result.Best.Of(TaskMetric.BitsPerByte), 1e-9);
        using LanguageTaskModel saved = new(LanguageModelFiles.LoadGptNeoX(Path.Combine(_folder["run"], "model"), BuildContext.For(TinyLanguage.Cpu, 0)));
        Evaluation again = TinyLanguage.Data(120, mixing).Evaluate(saved, DataPart.Validation, 3, TinyLanguage.Cpu, null);
        Assert.Equal(result.Best.Loss, again.Loss, 1e-5);
    }

    [Theory]
    [InlineData(GuidanceMode.Unguided)]
    [InlineData(GuidanceMode.Hybrid)]
    public void StoppedAndResumedGivesTheSameBits(GuidanceMode mode)
    {
        Run(_folder["whole"], mode);
        Assert.Throws<RunStoppedException>(() => Run(_folder["parts"], mode, stopAfter: 5));
        Run(_folder["parts"], mode, resume: true);
        Assert.Equal(TinyRun.Outcome(_folder["whole"]), TinyRun.Outcome(_folder["parts"]));
    }

    [Fact]
    public void ABatchInPartsIsTheBatch()
    {
        TrainingRecipe whole = s_training with { Epochs = 1, Eps = 1e-3 };
        (_, Dictionary<string, float[]> a) = Run(_folder["whole"], GuidanceMode.Target, training: whole);
        (_, Dictionary<string, float[]> b) = Run(_folder["parts"], GuidanceMode.Target, training: whole with { GradientAccumulation = 2 });
        foreach ((string name, float[] values) in a)
        {
            Assert.True(values.Zip(b[name], (x, y) => Math.Abs(x - y)).Max() < 1e-4, name);
        }
    }

    [Fact]
    public void OnlyTheChosenParametersAreDecayed()
    {
        using LanguageTaskModel student = TinyLanguage.Student();
        string[] Decayed(DecayRule rule) => [.. student.Module.NamedParameters().Select(p => p.Name).Where(name => name.Contains("layers.0.", StringComparison.Ordinal) && student.IsDecayed(name, rule))
            .Select(name => name["gpt_neox.layers.0.".Length..].Replace("attention.mamba.", "", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
        string[] matrices = ["conv1d.weight", "dt_proj.weight", "in_proj.weight", "out_proj.weight", "x_proj.weight"];
        Assert.Equal(matrices, Decayed(DecayRule.Mixer));
        Assert.Equal(["A_log", "D", .. matrices], Decayed(DecayRule.WholeMixer));
        Assert.Equal([.. matrices[..3], "mlp.dense_4h_to_h.weight", "mlp.dense_h_to_4h.weight", .. matrices[3..]], Decayed(DecayRule.Weights));
    }

    [Fact]
    public void AnUpdateThatIsNotFiniteIsLeftOutAndCounted()
    {
        List<StepReport> steps = [];
        List<Dictionary<string, float[]>> weights = [];
        Run(_folder["run"], GuidanceMode.Unguided, training: s_training with { SkipNonFinite = 3, Epochs = 1 }, guide: new Poison([3, 4]), onStep: (step, model) =>
        {
            steps.Add(step);
            weights.Add(TinyTask.Weights(model.Module));
        });
        Assert.Equal([0, 0, 0, 1, 2, 2], steps.Take(6).Select(s => s.Skipped));
        Assert.Empty(TinyTask.Changed(weights[2], weights[4])); // updates 4 and 5 were poisoned
        Assert.NotEmpty(TinyTask.Changed(weights[4], weights[5]));
        Assert.All(weights[^1].Values, values => Assert.DoesNotContain(values, v => !float.IsFinite(v)));
        using JsonDocument state = JsonDocument.Parse(File.ReadAllText(Directory.EnumerateFiles(Path.Combine(_folder["run"], "checkpoints"), "state.json", SearchOption.AllDirectories).Max()!));
        Assert.Equal(state.RootElement.GetProperty("step").GetInt32() - 2, state.RootElement.GetProperty("optimiser_step").GetInt32());
    }

    [Fact]
    public void TooManyInARowEndTheRunWithTheFirstTensorThatIsNotFinite()
    {
        CaldException error = Assert.Throws<CaldException>(() => Run(_folder["run"], GuidanceMode.Unguided, training: s_training with { SkipNonFinite = 2 }, guide: new Poison([3, 4])));
        Assert.Contains("the last of 2 updates in a row", error.Message, StringComparison.Ordinal);
        CaldException first = Assert.Throws<CaldException>(() => Run(_folder["first"], GuidanceMode.Unguided, onModel: model => Break(model, "gpt_neox.layers.1.mlp.dense_h_to_4h.bias")));
        Assert.Contains("the first tensor that is not finite is gpt_neox.layers.1.mlp.dense_h_to_4h.bias", first.Message, StringComparison.Ordinal);
    }

    private static void Break(LanguageTaskModel model, string parameter)
    {
        Tensors.Tensor value = model.Module.NamedParameters().Single(p => p.Name == parameter).Parameter.Value;
        float[] values = value.ToArray<float>();
        values[1] = float.NaN;
        value.Set<float>(values);
    }

    private static (TrainingResult Result, Dictionary<string, float[]> Weights) Run(
        string folder,
        GuidanceMode mode,
        LanguageData? data = null,
        TrainingRecipe? training = null,
        Guide? guide = null,
        Action<StepReport, LanguageTaskModel>? onStep = null,
        Action<LanguageTaskModel>? onModel = null,
        int stopAfter = 0,
        bool resume = false)
    {
        data ??= TinyLanguage.Data();
        training ??= s_training;
        using LanguageTaskModel student = TinyLanguage.Student();
        onModel?.Invoke(student);
        GuidanceRecipe guidance = s_guidance with { Mode = mode };
        using Guide guiding = guide ?? (mode == GuidanceMode.Unguided ? new NoGuide() : new FrozenGuide(TinyLanguage.Transformer(), guidance, data.TotalUpdates(training), training.GradientAccumulation, 7));
        (TrainingResult result, Dictionary<string, float[]> weights, _) = new TinyTraining
        {
            Model = student,
            Guide = guiding,
            Optimisation = training,
            Guidance = guidance,
            Data = data,
            Metric = TaskMetric.Perplexity,
            Resume = resume,
            StopAfter = stopAfter,
            OnStep = step => onStep?.Invoke(step, student),
        }.Run(folder);
        return (result, weights);
    }

    /// <summary>No teacher; in the given updates the task loss counts infinitely.</summary>
    private sealed class Poison(int[] updates) : Guide
    {
        public override LossWeights WeightsAt(int completed) => new(updates.Contains(completed) ? double.PositiveInfinity : 1, 0, 0);
    }
}
