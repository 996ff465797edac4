using System.Text.RegularExpressions;
using LinearCald.Distillation.Classification;
using LinearCald.Distillation.Guidance;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Reporting;
using LinearCald.Distillation.Training;
using LinearCald.Models.Roberta;
using LinearCald.Nn;
using LinearCald.Nn.Optimisers;

namespace LinearCald.Distillation.Tests.Training;

/// <summary>A run of <see cref="Trainer"/> on <see cref="TinyTask"/>: 5 updates an epoch, 2 epochs, dropout on in student and teacher.</summary>
internal sealed partial record TinyRun
{
    public ClassificationData Data { get; init; } = TinyTask.Data();

    public TrainingRecipe Optimisation { get; init; } = new()
    {
        Lr = 2e-3,
        Epochs = 2,
        BatchSize = 4,
        EvaluationsPerEpoch = 2,
        CheckpointEvery = 3,
        ClipNorm = 1,
        WeightDecay = 0.01,
    };

    public GuidanceRecipe Guidance { get; init; } = new() { AlphaKl = 0.5, AlphaLayer = 3, TeacherMode = TeacherMode.Train, UpdateCycle = 2, SwitchStep = 4 };

    public double Dropout { get; init; } = 0.1;

    /// <summary>Makes the guide; null: as the mode of <see cref="Guidance"/> says.</summary>
    public Func<Guide>? Guide { get; init; }

    /// <summary>Makes the model; null: a student.</summary>
    public Func<RobertaForSequenceClassification>? Model { get; init; }

    /// <summary>Ask to stop after this update; 0: never.</summary>
    public int StopAfter { get; init; }

    /// <summary>Looks at the model after every update.</summary>
    public Action<StepReport, RobertaForSequenceClassification>? OnStep { get; init; }

    public Action<EvaluationReport, RobertaForSequenceClassification>? OnEvaluation { get; init; }

    /// <summary>Model folders for waypoint mode.</summary>
    public IReadOnlyList<string> Waypoints { get; init; } = [];

    /// <summary>Waypoint folders that took over, with the update, in this process.</summary>
    public List<(int Update, string Folder)> Switches { get; } = [];

    private int Total => Data.TotalUpdates(Optimisation);

    /// <summary>Runs to the end, or to <see cref="StopAfter"/>.</summary>
    /// <returns>The result and the weights in the model at the end.</returns>
    public (TrainingResult Result, Dictionary<string, float[]> Weights) Run(string folder, bool resume = false)
    {
        using RobertaForSequenceClassification model = Model?.Invoke() ?? TinyTask.Student(3, Dropout);
        using Guide guide = Guide?.Invoke() ?? GuideOfMode();
        (TrainingResult result, Dictionary<string, float[]> weights, _) = new TinyTraining
        {
            Model = new ClassifierModel(model),
            Guide = guide,
            Optimisation = Optimisation,
            Guidance = Guidance,
            Data = Data,
            Metric = TaskMetric.Accuracy,
            Resume = resume,
            StopAfter = StopAfter,
            OnStep = step => OnStep?.Invoke(step, model),
            OnEvaluation = evaluation => OnEvaluation?.Invoke(evaluation, model),
        }.Run(folder);
        return (result, weights);
    }

    /// <summary>Runs until <see cref="StopAfter"/>, which must come before the end.</summary>
    public void RunAndStop(string folder) => Assert.Throws<RunStoppedException>(() => Run(folder));

    /// <summary>The bytes of every file of a run that must not depend on how it was run, and metrics without times and memory.</summary>
    public static Dictionary<string, string> Outcome(string folder)
    {
        Dictionary<string, string> files = [];
        foreach (string path in Directory.EnumerateFiles(folder, "*.safetensors", SearchOption.AllDirectories))
        {
            files[Path.GetRelativePath(folder, path)] = Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(path)));
        }

        files["metrics"] = Seconds().Replace(File.ReadAllText(Path.Combine(folder, "metrics.jsonl")), "");
        return files;
    }

    /// <summary>Writes classifiers to guide as waypoints.</summary>
    public static IReadOnlyList<string> SaveWaypoints(TemporaryFolder folder, int count) =>
    [
        .. Enumerable.Range(0, count).Select(i =>
        {
            string path = folder[LinearCald.Distillation.Training.Waypoints.NameOf(i + 1)];
            using RobertaForSequenceClassification model = TinyTask.Transformer((ulong)(40 + i));
            RobertaFiles.Save(model, path);
            return path;
        }),
    ];

    private Guide GuideOfMode() => Guidance.Mode switch
    {
        GuidanceMode.Unguided => new NoGuide(Guidance.AlphaTask),
        GuidanceMode.Trajectory => Trajectory(TinyTask.Transformer(3, Dropout)),
        GuidanceMode.Waypoint => new WaypointGuide(
            Waypoints,
            path => new ClassifierModel(RobertaFiles.LoadClassifier(path, BuildContext.For(TinyTask.Cpu, 0))),
            (update, path) => Switches.Add((update, path)),
            Guidance,
            Total,
            Optimisation.GradientAccumulation,
            7),
        _ => new FrozenGuide(new ClassifierModel(TinyTask.Transformer(5, Dropout)), Guidance, Total, Optimisation.GradientAccumulation, 7),
    };

    /// <summary>A trajectory guide around a teacher; its rate falls from 1e-3 to 0 over the run.</summary>
    public TrajectoryGuide Trajectory(RobertaForSequenceClassification teacher)
    {
        AdamW optimiser = new(teacher.NamedParameters(), new AdamWOptions(Optimisation.Beta1, Optimisation.Beta2, Optimisation.Eps, Optimisation.WeightDecay), RobertaFiles.IsDecayed);
        return new TrajectoryGuide(
            new ClassifierModel(teacher), optimiser, step => 1e-3 * (Total - step) / Total, Optimisation.ClipNorm, Guidance, Total, Optimisation.GradientAccumulation, 7);
    }

    [GeneratedRegex("\"(seconds|memory_bytes)\":[^,}]*")]
    private static partial Regex Seconds();
}
