using LinearCald.Data.Tasks;
using LinearCald.Data.Tokenizers;
using LinearCald.Distillation.Guidance;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Reporting;
using LinearCald.Distillation.Training;
using LinearCald.Models.Linformer;
using LinearCald.Models.Roberta;
using LinearCald.Nn;
using LinearCald.Nn.Optimisers;
using LinearCald.Nn.Schedules;
using LinearCald.Tensors;

namespace LinearCald.Distillation.Conversion;

/// <summary>What the command line decides about a run besides the recipe.</summary>
public sealed record SessionOptions
{
    public required Device Device { get; init; }

    public bool Resume { get; init; }

    public IProgressSink Progress { get; init; } = SilentProgress.Instance;

    public StopRequest Stop { get; init; } = StopRequest.Never;

    /// <summary>The folder that the user gave or was told, to be named in the hint on how to go on; null: the folder of the run that stopped.</summary>
    public string? ResumeFolder { get; init; }
}

/// <summary>
/// Fine-tunes the teacher and converts it, as one recipe says: reads the task once and keeps what several runs share.
/// </summary>
public sealed class ConversionSession
{
    private const ulong StudentStart = 0x53545544; // separates the random starts of a student's projections from those of the head
    private readonly SessionOptions _options;
    private readonly Tokenizer _tokenizer;

    /// <summary>Reads the task and the tokenizer.</summary>
    public ConversionSession(Recipe recipe, SessionOptions options)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        recipe.Teacher.Precision.Check(options.Device); // before a task is read or a folder made
        recipe.Training.Precision.Check(options.Device);
        Source = ModelSource.Resolve(recipe.Model.Source);
        SourceConfig = RobertaConfig.Read(Source);
        _tokenizer = Tokenizer.Load(Source);
        TextTask task = TaskData.Read(recipe.Task);
        Data = TaskData.Encode(task, _tokenizer, SourceConfig, recipe.Task.MaxLength, options.Progress);
    }

    /// <summary>The folder of the source model.</summary>
    public string Source { get; }

    public RobertaConfig SourceConfig { get; }

    public Device Device => _options.Device;

    public ClassificationData Data { get; }

    /// <summary>Fine-tunes the teacher in its own run folder, or returns the finished one that is there.</summary>
    public ResultRow FineTune(Recipe recipe, string folder)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        using RunFolder run = RunFolder.Open(folder, recipe, _options.Resume);
        if (_options.Resume && RunResult.Read(folder) is { } done)
        {
            return done;
        }

        using RobertaForSequenceClassification model = LoadSource(recipe.Teacher, recipe.Teacher.Seed);
        using NoGuide guide = new();
        return Train(recipe, "teacher", model, guide, recipe.Teacher, recipe.Guidance with { FreezeSteps = 0 }, folder, recipe.Teacher.WaypointsPerEpoch);
    }

    /// <summary>Converts in the recipe's mode into a run folder.</summary>
    /// <param name="recipe">Names the mode.</param>
    /// <param name="teacherFolder">Run folder of the fine-tuned teacher, or a model folder; not needed by modes without one.</param>
    /// <param name="folder">The run folder.</param>
    /// <param name="variant">How the row is called when the mode alone would not tell it apart.</param>
    public ResultRow Convert(Recipe recipe, string? teacherFolder, string folder, string? variant = null)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        using RunFolder run = RunFolder.Open(folder, recipe, _options.Resume);
        if (_options.Resume && RunResult.Read(folder) is { } done)
        {
            return done with { Variant = variant };
        }

        int total = recipe.Training.TotalUpdates(Data.Train.Count);
        int accumulation = recipe.Training.GradientAccumulation;
        ulong seed = (ulong)recipe.Training.Seed;
        GuidanceMode mode = recipe.Guidance.Mode;
        using RobertaForSequenceClassification student = Student(recipe, teacherFolder);
        using Guide guide = mode switch
        {
            GuidanceMode.Unguided => new NoGuide(recipe.Guidance.AlphaTask),
            GuidanceMode.Trajectory => Trajectory(recipe, total, accumulation, seed),
            GuidanceMode.Waypoint => new WaypointGuide(
                Waypoints.In(recipe.Guidance.Waypoints ?? RequireTeacher(teacherFolder, mode)),
                path => LoadGuiding(path, seed),
                (step, path) => _options.Progress.Note($"update {step}: guided by waypoint {Path.GetFileName(path)}"),
                recipe.Guidance,
                total,
                accumulation,
                seed + 1),
            _ => new FrozenGuide(LoadTeacher(teacherFolder, mode, seed), recipe.Guidance, total, accumulation, seed + 1),
        };
        return Train(recipe, variant ?? ModeName(mode), student, guide, recipe.Training, recipe.Guidance, folder, 0) with { Variant = variant };
    }

    /// <summary>The student as it starts in the recipe's mode.</summary>
    public RobertaForSequenceClassification Student(Recipe recipe, string? teacherFolder)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        ulong seed = (ulong)recipe.Training.Seed;
        GuidanceMode mode = recipe.Guidance.Mode;
        bool fromTeacher = mode is GuidanceMode.Target or GuidanceMode.Hybrid;
        using RobertaForSequenceClassification origin = fromTeacher ? LoadTeacher(teacherFolder, mode, seed) : LoadSource(recipe.Training, recipe.Training.Seed);
        return RobertaFiles.Convert(origin, LinformerOf(recipe), Context(seed ^ StudentStart), config => WithDropout(config, recipe.Training.Dropout));
    }

    /// <summary>The Linformer that a recipe asks for on this source.</summary>
    public LinformerConfig LinformerOf(Recipe recipe)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        ProjectionSharing sharing = recipe.Student.ShareMode switch
        {
            ShareMode.None => ProjectionSharing.None,
            ShareMode.Kv => ProjectionSharing.Kv,
            _ => ProjectionSharing.Layer,
        };
        return new LinformerConfig(recipe.Student.Rank, sharing, SourceConfig.MaximumPositions)
        {
            Start = recipe.Student.ProjectionInit == ProjectionInit.Pool ? ProjectionStart.Pool : ProjectionStart.Normal,
            Noise = recipe.Student.InitNoise,
            StartLength = recipe.Task.MaxLength,
        };
    }

    /// <summary>As the mode is written in recipes.</summary>
    public static string ModeName(GuidanceMode mode) => mode == GuidanceMode.SourceInit ? "source-init" : mode.ToString().ToLowerInvariant();

    private static string RequireTeacher(string? folder, GuidanceMode mode) => folder
        ?? throw new CaldException($"mode {ModeName(mode)} needs a fine-tuned teacher: set teacher.checkpoint, or let `cald convert` fine-tune one");

    private static RobertaConfig WithDropout(RobertaConfig config, double? dropout) => dropout is { } p
        ? config with { HiddenDropout = p, AttentionDropout = p, ClassifierDropout = p }
        : config;

    private BuildContext Context(ulong seed) => BuildContext.For(_options.Device, seed);

    private RobertaForSequenceClassification LoadSource(OptimisationRecipe optimisation, int headSeed) => RobertaFiles.LoadForTask(
        Source, Context((ulong)headSeed), Data.Labels, out _, config => WithDropout(config, optimisation.Dropout));

    private RobertaForSequenceClassification LoadTeacher(string? folder, GuidanceMode mode, ulong seed)
    {
        string run = RequireTeacher(folder, mode);
        string inner = Path.Combine(run, ClassifierTrainer.ModelFolderName);
        string path = Directory.Exists(inner) ? inner : run;
        return LoadGuiding(path, seed);
    }

    /// <summary>Reads a model that guides, and makes sure that it fits the task and the student.</summary>
    private RobertaForSequenceClassification LoadGuiding(string path, ulong seed)
    {
        RobertaForSequenceClassification teacher = RobertaFiles.LoadClassifier(path, Context(seed));
        if (Misfit(teacher.Config) is { } misfit)
        {
            teacher.Dispose();
            throw new CaldException($"{path} cannot guide this conversion: {misfit}");
        }

        return teacher;
    }

    private string? Misfit(RobertaConfig teacher)
    {
        RobertaConfig s = SourceConfig;
        if (teacher.Linformer is not null)
        {
            return "it is a converted student; give the fine-tuned transformer";
        }

        if ((teacher.Layers, teacher.HiddenSize, teacher.VocabularySize, teacher.MaximumPositions) != (s.Layers, s.HiddenSize, s.VocabularySize, s.MaximumPositions))
        {
            return $"it has {teacher.Layers} layers, width {teacher.HiddenSize}, {teacher.VocabularySize} tokens and {teacher.MaximumPositions} positions, the source {Source} "
                + $"{s.Layers}, {s.HiddenSize}, {s.VocabularySize} and {s.MaximumPositions}; fine-tune this source, or set model.source to the teacher's";
        }

        if (teacher.Labels.Count != Data.Labels.Count)
        {
            return $"it has {teacher.Labels.Count} classes, the task {Data.Labels.Count}; fine-tune it on this task";
        }

        // Other names are other words for the same classes (LABEL_0 …); the same names in another order are a mistake.
        return !teacher.Labels.SequenceEqual(Data.Labels) && teacher.Labels.Order(StringComparer.Ordinal).SequenceEqual(Data.Labels.Order(StringComparer.Ordinal))
            ? $"its classes are the task's in another order ({string.Join(", ", teacher.Labels)}); set task.labels to that order"
            : null;
    }

    private TrajectoryGuide Trajectory(Recipe recipe, int total, int accumulation, ulong seed)
    {
        RobertaForSequenceClassification teacher = LoadSource(recipe.Teacher, recipe.Training.Seed); // the student's head: both start from the same function
        TeacherRecipe t = recipe.Teacher;
        AdamW optimiser = new(teacher.NamedParameters(), new AdamWOptions(t.Beta1, t.Beta2, t.Eps, t.WeightDecay), RobertaFiles.IsDecayed);
        int updates = recipe.Guidance.TeacherSchedule == TeacherSchedule.Student ? total : Math.Max(1, total / recipe.Guidance.UpdateCycle);
        LearningRateSchedule schedule = Schedules.Of(recipe.Training, updates, recipe.Guidance.TeacherLr ?? t.Lr);
        return new TrajectoryGuide(
            teacher, optimiser, step => schedule.Of((int)step), t.ClipNorm, recipe.Guidance, total, accumulation, seed + 1);
    }

    private ResultRow Train(
        Recipe recipe,
        string stage,
        RobertaForSequenceClassification model,
        Guide guide,
        OptimisationRecipe optimisation,
        GuidanceRecipe guidance,
        string folder,
        int waypoints)
    {
        using ClassifierTrainer trainer = new(new TrainingPlan
        {
            Stage = stage,
            Model = model,
            Guide = guide,
            Optimisation = optimisation,
            Guidance = guidance,
            Data = Data,
            Metric = recipe.Task.Metric,
            Bucketing = recipe.Task.Bucketing,
            Folder = folder,
            ResumeFolder = _options.ResumeFolder,
            Device = _options.Device,
            Resume = _options.Resume,
            WaypointsPerEpoch = waypoints,
            Progress = _options.Progress,
            Stop = _options.Stop,
            Furnish = path => ModelCard.Furnish(path, _tokenizer, recipe, stage, model),
        });
        TrainingResult result = trainer.Run();
        string metric = recipe.Task.Metric.ToString().ToLowerInvariant();
        ResultRow row = new(model.Config.Linformer is null ? "teacher" : ModeName(recipe.Guidance.Mode), metric, result.Best.Of(recipe.Task.Metric), result.Seconds, model.ParameterCount())
        {
            ProjectionInit = model.Config.Linformer is null ? null : recipe.Student.ProjectionInit.ToString().ToLowerInvariant(),
            Split = "validation",
            Seed = optimisation.Seed,
        };
        if (Data.Test is { } test)
        {
            Evaluation onTest = Evaluator.Evaluate(model, test, Data.PaddingId, optimisation.EvalBatchSize, _options.Device);
            row = row with { TestValue = onTest.Of(recipe.Task.Metric) };
        }

        RunResult.Write(folder, row, result);
        return row;
    }
}
