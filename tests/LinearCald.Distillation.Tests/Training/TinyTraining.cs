using LinearCald.Distillation.Guidance;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Reporting;
using LinearCald.Distillation.Tests.Reporting;
using LinearCald.Distillation.Training;
using LinearCald.Tensors;

namespace LinearCald.Distillation.Tests.Training;

/// <summary>One run of <see cref="Trainer"/> in a test: its plan, with what few tests vary filled in, and a watch on its reports.</summary>
internal sealed record TinyTraining
{
    public required TaskModel Model { get; init; }

    public required Guide Guide { get; init; }

    public required OptimisationRecipe Optimisation { get; init; }

    public required GuidanceRecipe Guidance { get; init; }

    public required TrainingData Data { get; init; }

    public required TaskMetric Metric { get; init; }

    public Device Device { get; init; } = TinyTask.Cpu;

    /// <summary>Go on from the newest checkpoint in the folder.</summary>
    public bool Resume { get; init; }

    /// <summary>Kinds of micro-batches that may be recorded; null: as the device can.</summary>
    public int? Recordings { get; init; }

    /// <summary>Ask to stop after this update; 0: never.</summary>
    public int StopAfter { get; init; }

    /// <summary>Told of every update when its losses are read.</summary>
    public Action<StepReport>? OnStep { get; init; }

    public Action<EvaluationReport>? OnEvaluation { get; init; }

    /// <summary>Runs to the end, or to <see cref="StopAfter"/>.</summary>
    /// <returns>The result, the weights in the model at the end, the kinds of micro-batches that were recorded, and how many were replayed.</returns>
    public (TrainingResult Result, Dictionary<string, float[]> Weights, (int Kinds, long Replays) Recorded) Run(string folder)
    {
        Directory.CreateDirectory(folder);
        StopRequest stop = new();
        using Trainer trainer = new(new TrainingPlan
        {
            Stage = "tiny",
            Model = Model,
            Guide = Guide,
            Optimisation = Optimisation,
            Guidance = Guidance,
            Data = Data,
            Metric = Metric,
            Folder = folder,
            Device = Device,
            Resume = Resume,
            Progress = new ProgressRecorder
            {
                OnStep = step =>
                {
                    OnStep?.Invoke(step);
                    if (step.Step == StopAfter)
                    {
                        stop.Request();
                    }
                },
                OnEvaluation = OnEvaluation,
            },
            Stop = stop,
            MostRecordings = Recordings,
        });
        TrainingResult result = trainer.Run();
        return (result, TinyTask.Weights(Model.Module), trainer.Recorded);
    }
}
