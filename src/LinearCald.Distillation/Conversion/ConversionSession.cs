using LinearCald.Distillation.Guidance;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Reporting;
using LinearCald.Distillation.Training;
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

    /// <summary>Nothing is computed: a plan may ask for a precision that only another device has.</summary>
    public bool OnlyPlans { get; init; }

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
    private const ulong StudentStart = 0x53545544; // separates the random starts of a student's new parameters from those of the head
    private readonly SessionOptions _options;

    /// <summary>Reads the task.</summary>
    public ConversionSession(Recipe recipe, SessionOptions options)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        if (!options.OnlyPlans)
        {
            recipe.Teacher.Precision.Check(options.Device); // before a task is read or a folder made
            recipe.Training.Precision.Check(options.Device);
        }

        Source = ModelSource.Resolve(recipe.Model.Source);
        Domain = Domains.Of(Source, recipe, options);
    }

    /// <summary>The folder of the source model.</summary>
    public string Source { get; }

    /// <summary>The kind of conversion.</summary>
    public ConversionDomain Domain { get; }

    public Device Device => _options.Device;

    public TrainingData Data => Domain.Data;

    /// <summary>
    /// Fine-tunes the teacher in its own run folder, or returns the finished one that is there. A recipe whose teacher trains for no update takes the source as
    /// it is: the run is its evaluation.
    /// </summary>
    public ResultRow FineTune(Recipe recipe, string folder)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        using RunFolder run = RunFolder.Open(folder, recipe, _options.Resume);
        if (_options.Resume && RunResult.Read(folder) is { } done)
        {
            return done;
        }

        using TaskModel model = Domain.LoadSource(recipe.Teacher, Context((ulong)recipe.Teacher.Seed));
        if (Data.TotalUpdates(recipe.Teacher) == 0)
        {
            return Domain.HasNewHead ? throw NothingToDo("teacher") : Measure(recipe, model, folder);
        }

        using NoGuide guide = new();
        return Train(recipe, "teacher", model, guide, recipe.Teacher, recipe.Guidance with { FreezeSteps = 0 }, folder, recipe.Teacher.IsWaypoint);
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

        int total = Data.TotalUpdates(recipe.Training);
        if (total == 0)
        {
            throw NothingToDo("training");
        }

        int accumulation = recipe.Training.GradientAccumulation;
        ulong seed = (ulong)recipe.Training.Seed;
        GuidanceMode mode = recipe.Guidance.Mode;
        using TaskModel student = Student(recipe, teacherFolder);
        using Guide guide = mode switch
        {
            GuidanceMode.Unguided => new NoGuide(recipe.Guidance.AlphaTask),
            GuidanceMode.Trajectory => Trajectory(recipe, total, accumulation, seed),
            GuidanceMode.Waypoint => new WaypointGuide(
                Waypoints.In(recipe.Guidance.Waypoints ?? RequireTeacher(teacherFolder, mode)),
                path => Domain.LoadTeacher(path, Context(seed)),
                (step, path) => _options.Progress.Note($"update {step}: guided by waypoint {Path.GetFileName(path)}"),
                recipe.Guidance,
                total,
                accumulation,
                seed + 1),
            _ => new FrozenGuide(LoadTeacher(teacherFolder, mode, seed), recipe.Guidance, total, accumulation, seed + 1),
        };
        return Train(recipe, variant ?? ModeName(mode), student, guide, recipe.Training, recipe.Guidance, folder, null) with { Variant = variant };
    }

    /// <summary>The student as it starts in the recipe's mode.</summary>
    public TaskModel Student(Recipe recipe, string? teacherFolder)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        ulong seed = (ulong)recipe.Training.Seed;
        GuidanceMode mode = recipe.Guidance.Mode;
        bool fromTeacher = mode is GuidanceMode.Target or GuidanceMode.Hybrid;
        using TaskModel origin = fromTeacher ? LoadTeacher(teacherFolder, mode, seed) : Domain.LoadSource(recipe.Training, Context(seed));
        return Domain.Convert(origin, recipe, Context(seed ^ StudentStart));
    }

    /// <summary>As the mode is written in recipes.</summary>
    public static string ModeName(GuidanceMode mode) => RecipeSchema.NameOf(mode);

    /// <summary>Whether a conversion in this recipe's mode needs a teacher that has to be made first.</summary>
    public bool NeedsFineTuning(Recipe recipe)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        GuidanceMode mode = recipe.Guidance.Mode;
        return mode is not (GuidanceMode.Unguided or GuidanceMode.Trajectory)
            && !(mode == GuidanceMode.Waypoint && recipe.Guidance.Waypoints is not null)
            && recipe.Teacher.Checkpoint is null
            && TrainsTeacher(recipe);
    }

    /// <summary>Whether fine-tuning the teacher changes it; otherwise the source guides as it is.</summary>
    public bool TrainsTeacher(Recipe recipe)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        return Domain.HasNewHead || Data.TotalUpdates(recipe.Teacher) > 0;
    }

    private string RequireTeacher(string? folder, GuidanceMode mode) => folder
        ?? (Domain.HasNewHead || mode == GuidanceMode.Waypoint
            ? throw new CaldException($"mode {ModeName(mode)} needs a fine-tuned teacher: set teacher.checkpoint, or let `cald convert` fine-tune one")
            : Source);

    private static CaldException NothingToDo(string section) => new($"the recipe trains for 0 updates: raise {section}.epochs or {section}.max_steps");

    private BuildContext Context(ulong seed) => BuildContext.For(_options.Device, seed);

    private TaskModel LoadTeacher(string? folder, GuidanceMode mode, ulong seed)
    {
        string run = RequireTeacher(folder, mode);
        string inner = Path.Combine(run, Trainer.ModelFolderName);
        return Domain.LoadTeacher(Directory.Exists(inner) ? inner : ModelSource.Resolve(run, "--teacher FOLDER"), Context(seed));
    }

    private TrajectoryGuide Trajectory(Recipe recipe, int total, int accumulation, ulong seed)
    {
        TaskModel teacher = Domain.LoadSource(recipe.Teacher, Context((ulong)recipe.Training.Seed)); // the student's head: both start from the same function
        TeacherRecipe t = recipe.Teacher;
        AdamW optimiser = new(teacher.Module.NamedParameters(), new AdamWOptions(t.Beta1, t.Beta2, t.Eps, t.WeightDecay), name => teacher.IsDecayed(name, t.Decay));
        int updates = recipe.Guidance.TeacherSchedule == TeacherSchedule.Student ? total : Math.Max(1, total / recipe.Guidance.UpdateCycle);
        LearningRateSchedule schedule = Schedules.Of(recipe.Training, updates, recipe.Guidance.TeacherLr ?? t.Lr);
        return new TrajectoryGuide(
            teacher, optimiser, step => schedule.Of((int)step), t.ClipNorm, recipe.Guidance, total, accumulation, seed + 1);
    }

    private ResultRow Train(
        Recipe recipe,
        string stage,
        TaskModel model,
        Guide guide,
        OptimisationRecipe optimisation,
        GuidanceRecipe guidance,
        string folder,
        Func<int, int, bool>? isWaypoint)
    {
        using Trainer trainer = new(new TrainingPlan
        {
            Stage = stage,
            Model = model,
            Guide = guide,
            Optimisation = optimisation,
            Guidance = guidance,
            Data = Data,
            Metric = recipe.Task.Metric,
            Folder = folder,
            ResumeFolder = _options.ResumeFolder,
            Device = _options.Device,
            Resume = _options.Resume,
            IsWaypoint = isWaypoint,
            Progress = _options.Progress,
            Stop = _options.Stop,
            Furnish = path => Domain.Furnish(path, recipe, stage, model),
        });
        return Finish(recipe, model, optimisation, folder, trainer.Run());
    }

    /// <summary>The result of a run without training.</summary>
    private ResultRow Measure(Recipe recipe, TaskModel model, string folder)
    {
        TeacherRecipe teacher = recipe.Teacher;
        teacher.Precision.Apply(_options.Device);
        Evaluation value = Data.Evaluate(model, DataPart.Validation, teacher.EvalBatchSize, _options.Device, teacher.Precision.ComputeType());
        return Finish(recipe, model, teacher, folder, new TrainingResult(value, 0, 0, value.Seconds, []));
    }

    private ResultRow Finish(Recipe recipe, TaskModel model, OptimisationRecipe optimisation, string folder, TrainingResult result)
    {
        ResultRow row = new(
            model.IsStudent ? ModeName(recipe.Guidance.Mode) : "teacher",
            RecipeSchema.NameOf(recipe.Task.Metric),
            result.Best.Of(recipe.Task.Metric),
            result.Seconds,
            model.Module.ParameterCount())
        {
            ProjectionInit = model.IsStudent ? Domain.StartName(recipe) : null,
            Split = "validation",
            Seed = optimisation.Seed,
        };
        if (Data.Count(DataPart.Test) > 0)
        {
            Evaluation onTest = Data.Evaluate(model, DataPart.Test, optimisation.EvalBatchSize, _options.Device, optimisation.Precision.ComputeType());
            row = row with { TestValue = onTest.Of(recipe.Task.Metric) };
        }

        RunResult.Write(folder, row, result);
        return row;
    }
}
