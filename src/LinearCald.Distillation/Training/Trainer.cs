using System.Diagnostics;
using System.Globalization;
using LinearCald.Data.Batching;
using LinearCald.Distillation.Guidance;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Reporting;
using LinearCald.Nn;
using LinearCald.Nn.Files;
using LinearCald.Nn.Optimisers;
using LinearCald.Nn.Schedules;
using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Distillation.Training;

/// <summary>Everything that one training run needs. Fine-tuning of a teacher is a run without guidance.</summary>
public sealed record TrainingPlan
{
    /// <summary>What the run is called in reports: <c>teacher</c>, <c>target</c>, ….</summary>
    public required string Stage { get; init; }

    /// <summary>Trained in place; at the end it holds the best weights.</summary>
    public required TaskModel Model { get; init; }

    public required Guide Guide { get; init; }

    public required OptimisationRecipe Optimisation { get; init; }

    /// <summary>How the distillation losses are taken, and how long all but the projections are frozen.</summary>
    public required GuidanceRecipe Guidance { get; init; }

    public required TrainingData Data { get; init; }

    public required TaskMetric Metric { get; init; }

    /// <summary>The run folder; exists and is locked.</summary>
    public required string Folder { get; init; }

    /// <summary>The folder to name with --out when the run is to go on; null: <see cref="Folder"/>. A comparison has its runs in folders below the one it was given.</summary>
    public string? ResumeFolder { get; init; }

    public required Device Device { get; init; }

    /// <summary>Go on from the newest checkpoint in the folder.</summary>
    public bool Resume { get; init; }

    /// <summary>Says after which updates, of how many an epoch, a model folder is written for waypoint guidance, to <c>waypoints/step-NNNNNN</c>; null for none.</summary>
    public Func<int, int, bool>? IsWaypoint { get; init; }

    public IProgressSink Progress { get; init; } = SilentProgress.Instance;

    public StopRequest Stop { get; init; } = StopRequest.Never;

    /// <summary>Adds the tokenizer and a card to a model folder that is being written.</summary>
    public Action<string>? Furnish { get; init; }

    /// <summary>How many kinds of micro-batches may be recorded; null: as the device can. 0: all run as if to be recorded, with the same bits, but none is.</summary>
    internal int? MostRecordings { get; init; }
}

/// <summary>What a run came to.</summary>
/// <param name="Best">The best evaluation; its weights are in the model and in <c>model/</c>.</param>
/// <param name="BestStep">When it was.</param>
/// <param name="Steps">Updates of the run.</param>
/// <param name="Seconds">Time of all processes that worked on it.</param>
/// <param name="Evaluations">All evaluations in order.</param>
public sealed record TrainingResult(Evaluation Best, int BestStep, int Steps, double Seconds, IReadOnlyList<EvaluationPoint> Evaluations);

/// <summary>The one training loop: teacher or student, guided or not, resumable to the same bits.</summary>
public sealed class Trainer : IDisposable
{
    /// <summary>Name of the model folder inside a run folder.</summary>
    public const string ModelFolderName = "model";

    /// <summary>Updates between readings of the losses on a device that has a queue of its own.</summary>
    private const int UpdatesAhead = 32;

    /// <summary>Updates whose micro-batches are put together ahead.</summary>
    private const int UpdatesReady = 3;

    private readonly TrainingPlan _plan;
    private readonly AdamW _optimiser;
    private readonly LearningRateSchedule _schedule;
    private readonly RunState _state;
    private readonly UpdateOrder _order;
    private readonly DistillationLoss _distillation;
    private readonly RandomGenerator _dropout;
    private readonly LossLedger _ledger;
    private readonly RecordedSteps? _recordedSteps;
    private readonly LossScaler? _scaler;
    private readonly DType? _computeType;
    private readonly Queue<PendingUpdate> _pending = new();
    private readonly Dictionary<(int Length, bool Guided), double> _flops = [];
    private readonly double _peakFlops;
    private readonly int _totalUpdates;
    private readonly int _updatesPerEpoch;
    private Prefetcher<MicroBatches>? _batches;
    private RunProgress _progress = new();
    private long _started;
    private double _secondsBefore;

    public Trainer(TrainingPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        _plan = plan;
        OptimisationRecipe o = plan.Optimisation;
        o.Precision.Apply(plan.Device);
        plan.Guide.ComputeType = o.Precision.ComputeType();
        _order = plan.Data.Order(o);
        _updatesPerEpoch = _order.UpdatesPerEpoch;
        _totalUpdates = o.TotalUpdates(_updatesPerEpoch);
        _schedule = Schedules.Of(o, _totalUpdates);
        _optimiser = new AdamW(plan.Model.Module.NamedParameters(), new AdamWOptions(o.Beta1, o.Beta2, o.Eps, o.WeightDecay), name => plan.Model.IsDecayed(name, o.Decay));
        _state = new RunState(plan.Folder, plan.Model.Module, _optimiser, plan.Guide);
        _distillation = new DistillationLoss(plan.Guidance);
        _dropout = new RandomGenerator(SeedOf((ulong)o.Seed));
        _computeType = o.Precision.ComputeType();
        _peakFlops = plan.Device.PeakFlops(_computeType) ?? double.NaN;
        _scaler = o.Precision == Precision.Fp16 ? new LossScaler(plan.Device) : null;
        int? recordings = plan.MostRecordings ?? (plan.Device.RunsAhead ? RecordedSteps.MostRecordings : null);
        _recordedSteps = recordings is { } most ? new RecordedSteps(plan.Device, plan.Model.Module, plan.Data, most) : null;
        _ledger = new LossLedger(plan.Device, DType.Float32, plan.Device.RunsAhead ? UpdatesAhead : 1);
    }

    /// <summary>Kinds of micro-batches recorded, and micro-batches that were replayed.</summary>
    internal (int Kinds, long Replays) Recorded => (_recordedSteps?.Recorded ?? 0, _recordedSteps?.Replays ?? 0);

    /// <summary>Where the run folder's best model is.</summary>
    public string ModelFolder => Path.Combine(_plan.Folder, ModelFolderName);

    /// <summary>Trains to the end.</summary>
    /// <exception cref="RunStoppedException">A stop was asked for; everything is saved.</exception>
    /// <exception cref="CaldException">The loss became non-finite, or a file could not be written; the last checkpoint is intact.</exception>
    public TrainingResult Run()
    {
        if (_plan.Resume)
        {
            _progress = _state.Restore() ?? new RunProgress();
            if (_scaler is not null && _progress.LossScale is { } scale)
            {
                _scaler.State = scale;
            }
        }

        _secondsBefore = _progress.Seconds;
        _started = Stopwatch.GetTimestamp();
        int multiple = _recordedSteps is null ? 1 : RecordedSteps.LengthMultiple;
        _batches = new Prefetcher<MicroBatches>(update => Collate((int)update, multiple), _progress.Step, _totalUpdates, UpdatesReady, _plan.Data.Readers);
        using MetricsLog log = MetricsLog.Open(Path.Combine(_plan.Folder, "metrics.jsonl"), _progress.Step);
        ProgressFan sinks = new(log, _plan.Progress);
        int checkpointEvery = _plan.Optimisation.CheckpointEvery > 0 ? _plan.Optimisation.CheckpointEvery : _updatesPerEpoch;
        while (_progress.Step < _totalUpdates)
        {
            Update(sinks);
            int step = _progress.Step;
            bool last = step == _totalUpdates;
            bool evaluates = _plan.Optimisation.IsEvaluation(step, _updatesPerEpoch) || last;
            bool waypoint = _plan.IsWaypoint?.Invoke(step, _updatesPerEpoch) ?? false;
            bool stop = _plan.Stop.IsRequested && !last;
            bool saves = step % checkpointEvery == 0 || last || stop;
            if (evaluates || saves || waypoint)
            {
                ReadLosses(sinks);
            }

            if (evaluates)
            {
                Evaluate(sinks);
            }

            if (waypoint)
            {
                SaveWaypoint(sinks);
            }

            if (saves)
            {
                log.Flush();
                _progress = _progress with { Seconds = Elapsed, LossScale = _scaler?.State };
                _state.Save(_progress, _plan.Optimisation.KeepCheckpoints);
            }

            if (stop)
            {
                throw new RunStoppedException(step, _totalUpdates, _plan.ResumeFolder ?? _plan.Folder);
            }
        }

        return Finish();
    }

    public void Dispose()
    {
        _optimiser.Dispose();
        _ledger.Dispose();
        _scaler?.Dispose();
        _recordedSteps?.Dispose();
        _batches?.Dispose();
    }

    /// <summary>Operations of a micro-batch: the student's forward and backward passes and the teacher's forward pass; recomputed activations are not counted.</summary>
    private double FlopsOf(TaskBatch batch, bool guided)
    {
        if (!_flops.TryGetValue((batch.Length, guided), out double each))
        {
            each = (3 * _plan.Model.ForwardFlops(batch.Length)) + (guided ? _plan.Guide.Flops(batch.Length) : 0);
            _flops.Add((batch.Length, guided), each);
        }

        return each * batch.Count * batch.Length;
    }

    private double Elapsed => _secondsBefore + Stopwatch.GetElapsedTime(_started).TotalSeconds;

    private TrainingResult Finish()
    {
        if (_progress.Best is not { } best)
        {
            throw new CaldException("the recipe trains for 0 updates: raise epochs or max_steps");
        }

        using WeightsReader weights = WeightsReader.Open(ModelFolder);
        StateDict.Load(_plan.Model.Module, weights, new LoadRules());
        return new TrainingResult(best, _progress.BestStep, _totalUpdates, _progress.Seconds, _progress.Evaluations);
    }

    private void Update(ProgressFan sinks)
    {
        int completed = _progress.Step;
        LossWeights weights = _plan.Guide.WeightsAt(completed);
        _plan.Guide.BeginUpdate(completed);
        SetFrozen(completed);
        MicroBatches micro = _batches!.Take(completed);
        _ledger.Begin();
        int tokens = 0;
        double flops = 0;
        for (int index = 0; index < micro.Batches.Length; index++)
        {
            TaskBatch batch = micro.Batches[index];
            tokens += batch.Tokens;
            flops += FlopsOf(batch, weights.Guided);
            _dropout.SeekStep(completed, index);
            _plan.Guide.BeginMicroBatch(completed, index);
            MicroBatch(batch, weights, index, micro.Shares[index]);
        }

        double lr = _schedule.Of(completed);
        double unscale = 1 / (_scaler?.Scale ?? 1);
        _optimiser.Update(lr, _plan.Optimisation.ClipNorm, unscale, _ledger.Total, _ledger.Losses);
        _ledger.End();
        bool overflowed = _scaler is not null && !_scaler.Adapt(_optimiser.Wait(_ledger.Total, unscale)) && !_scaler.IsExhausted;
        _plan.Model.Module.ClearGradients();
        _plan.Guide.EndUpdate(completed);
        _progress = _progress with { Step = completed + 1 };
        _pending.Enqueue(new PendingUpdate(completed + 1, weights, lr, tokens, flops, Elapsed, unscale, overflowed));
        if (_ledger.Count == _ledger.Capacity)
        {
            ReadLosses(sinks);
        }
    }

    /// <summary>Reports the updates that the device has done since the last time, and stops the run at the first that went wrong: its numbers never reach a checkpoint.</summary>
    private void ReadLosses(ProgressFan sinks)
    {
        UpdateLosses[] read = _ledger.Read();
        _optimiser.Settle();
        foreach (UpdateLosses losses in read)
        {
            PendingUpdate update = _pending.Dequeue();
            string terms = string.Create(CultureInfo.InvariantCulture, $"task {losses.Task:G4}, layer {losses.Layer:G4}, kl {losses.Kl:G4}, lr {update.LearningRate:G4}");
            bool finiteLoss = double.IsFinite(losses.Task + losses.Layer + losses.Kl);
            if (finiteLoss && double.IsFinite(losses.GradientNorm))
            {
                _progress = _progress with { SkippedInARow = 0 };
            }
            else if (update.Overflowed)
            {
                _progress = _progress with { Skipped = _progress.Skipped + 1 }; // of float16, which the scale has been lowered for
            }
            else
            {
                Skip(update, $"the {(finiteLoss ? "gradient" : "loss")} is not finite at update {update.Step} ({terms})", sinks);
            }

            sinks.Report(new StepReport(
                _plan.Stage,
                update.Step,
                _totalUpdates,
                (double)update.Step / _updatesPerEpoch,
                losses.Task,
                update.Weights.Layer != 0 ? losses.Layer : double.NaN,
                update.Weights.Kl != 0 ? losses.Kl : double.NaN,
                update.LearningRate,
                update.Tokens,
                update.Seconds,
                losses.GradientNorm * update.Unscale,
                _progress.Skipped,
                update.Flops,
                _peakFlops,
                _plan.Device.Memory.Peak));
        }
    }

    /// <summary>Counts an update that the optimiser has left out because its gradient is not finite.</summary>
    private void Skip(in PendingUpdate update, string what, ProgressFan sinks)
    {
        _progress = _progress with { Skipped = _progress.Skipped + 1, SkippedInARow = _progress.SkippedInARow + 1 };
        int most = _plan.Optimisation.MostNonFinite;
        if (_progress.SkippedInARow >= most)
        {
            string rows = most == 1 ? what : $"{what}, the last of {most} updates in a row that had to be left out";
            throw Diverged(Explain(update) is { } report ? $"{rows}; {report}" : rows);
        }

        sinks.Note($"{what}: left out, weights and moments are as before ({_progress.Skipped} so far; the run stops at {most} in a row)");
    }

    /// <summary>Computes an update that went wrong again, to find the tensor that is not finite first; null when everything is finite this time.</summary>
    private DivergenceReport? Explain(in PendingUpdate update)
    {
        int completed = update.Step - 1;
        MicroBatches micro = Collate(completed, 1);
        DivergenceReport? report = null;
        for (int index = 0; index < micro.Batches.Length && report is null; index++)
        {
            using MemoryScope scope = MemoryScope.Begin();
            TaskBatch batch = micro.Batches[index];
            _dropout.SeekStep(completed, index);
            _plan.Guide.BeginMicroBatch(completed, index);
            (IReadOnlyList<Tensor>? states, (string, Tensor)[] losses) = Learn(
                _plan.Data.Upload(_plan.Device, batch), batch.Tokens, update.Weights, micro.Shares[index], keepsStates: true);
            report = DivergenceReport.Find(_plan.Model.Module.NamedParameters(), states, losses);
        }

        _plan.Model.Module.ClearGradients();
        return report;
    }

    /// <summary>The micro-batches of an update and what they count in it.</summary>
    private MicroBatches Collate(int completed, int lengthMultiple)
    {
        IReadOnlyList<ReadOnlyMemory<int>> rows = _order.MicroBatches(completed);
        double[] weights = [.. rows.Select(part => _plan.Data.Weight(part.Span))];
        double total = weights.Sum();
        TaskBatch[] batches = [.. rows.Select((part, index) => _plan.Data.Collate(part.Span, lengthMultiple, Draw(completed, index)))];
        return new MicroBatches(batches, [.. weights.Select(weight => total > 0 ? weight / total : 1.0 / weights.Length)]);
    }

    /// <summary>Another number for every micro-batch of the run, the same when it is resumed.</summary>
    private ulong Draw(int completed, int index) => (SeedOf((ulong)_plan.Optimisation.Seed) + (ulong)completed) * 0xD1342543DE82EF95 ^ (ulong)index;

    /// <summary>Forward and backward passes of one micro-batch, whose share of the update's batch is <paramref name="share"/>.</summary>
    private void MicroBatch(TaskBatch batch, LossWeights weights, int index, double share)
    {
        if (_recordedSteps is null)
        {
            using MemoryScope scope = MemoryScope.Begin();
            Learn(_plan.Data.Upload(_plan.Device, batch), batch.Tokens, weights, share);
            return;
        }

        int phase = weights.Guided ? _plan.Guide.Phase : 0;
        bool frozen = _progress.Step < _plan.Guidance.FreezeSteps;
        StepKind kind = new(batch.Count, batch.Length, weights, phase, frozen, index == 0);
        _recordedSteps.Run(kind, batch, share, RandomGenerator.FirstOf(_progress.Step, index), input =>
        {
            using MemoryScope scope = MemoryScope.Begin();
            Learn(input, 1, weights, share);
        });
    }

    /// <param name="input">On the device.</param>
    /// <param name="positions">What the layer loss is divided by; 1 where the input brings the divisor itself.</param>
    /// <param name="weights">Of the losses.</param>
    /// <param name="share">The micro-batch's share of the update's batch; what a recording computes goes by <see cref="TaskInput.Share"/> instead, which holds the same.</param>
    /// <param name="keepsStates">Have the hidden states in the result.</param>
    /// <returns>What was computed, as long as the current scope lasts.</returns>
    private (IReadOnlyList<Tensor>? States, (string Name, Tensor Value)[] Losses) Learn(
        TaskInput input, long positions, LossWeights weights, double share, bool keepsStates = false)
    {
        bool layers = weights.Layer != 0;
        Tensor portion = input.Share ?? Tensor.Full(_plan.Device, DType.Float32, default, share);
        TaskPass? teacher = weights.Guided ? _plan.Guide.Observe(input, layers) : null;
        TaskPass student;
        IReadOnlyList<Tensor>? kept;
        Tensor task;
        Tensor? layer = null;
        Tensor? kl = null;
        using (Tape tape = Tape.Record())
        {
            student = _plan.Model.Run(
                input,
                new ForwardContext
                {
                    Dropout = _dropout,
                    HiddenStates = keepsStates || (layers && teacher is not null),
                    Checkpointing = _plan.Optimisation.ActivationCheckpointing,
                    ComputeType = _computeType,
                });
            task = student.Loss;
            Tensor total = task.Affine(weights.Task);
            if (teacher is not null && layers)
            {
                layer = _distillation.Layers(student.HiddenStates!, teacher.HiddenStates!, input.Lengths, positions);
                if (_distillation.IsMasked && input.InversePositions is { } factor)
                {
                    layer = layer.Multiply(factor);
                }

                total = total.Add(layer.Affine(weights.Layer));
            }

            if (teacher is not null && weights.Kl != 0)
            {
                kl = _distillation.Outputs(student.Logits, teacher.Logits, input.Lengths, positions);
                if (_distillation.DividesByPositions(student.Logits) && input.InversePositions is { } inverse)
                {
                    kl = kl.Multiply(inverse);
                }

                total = total.Add(kl.Affine(weights.Kl));
            }

            _ledger.Add(task, layer, kl, portion);
            kept = keepsStates ? Copies(student.HiddenStates!) : null;
            tape.Backward(total, _scaler?.Seed(total, portion) ?? portion.Affine(1).Reshape(total.Shape));
        }

        _plan.Guide.Learn(share);
        (string Name, Tensor? Value)[] losses = [("the task loss", task), ("the layer loss", layer), ("the output loss", kl)];
        return (kept, [.. losses.Where(l => l.Value is not null).Select(l => (l.Name, l.Value!))]);
    }

    /// <summary>What the backward pass does not take away.</summary>
    private static Tensor[] Copies(IReadOnlyList<Tensor> states)
    {
        using Tape.Pause pause = Tape.Paused();
        return [.. states.Select(state => state.Affine(1))];
    }

    private void Evaluate(ProgressFan sinks)
    {
        Evaluation result = _plan.Data.Evaluate(_plan.Model, DataPart.Validation, _plan.Optimisation.EvalBatchSize, _plan.Device, _computeType);
        if (!double.IsFinite(result.Loss))
        {
            throw Diverged($"the loss on the validation part is not finite after update {_progress.Step}");
        }

        double value = result.Of(_plan.Metric);
        bool better = _progress.Best is not { } best || _plan.Optimisation.IsBetter(_plan.Metric, value, best.Of(_plan.Metric));
        _progress = _progress with { Evaluations = [.. _progress.Evaluations, new EvaluationPoint(_progress.Step, value)] };
        if (better)
        {
            _plan.Model.Save(ModelFolder, _plan.Furnish);
            _progress = _progress with { Best = result, BestStep = _progress.Step };
        }

        sinks.Report(new EvaluationReport(
            _plan.Stage, _progress.Step, RecipeSchema.NameOf(_plan.Metric), value, result.Loss, _progress.Best!.Of(_plan.Metric), better, Elapsed));
    }

    private void SaveWaypoint(ProgressFan sinks)
    {
        string folder = Path.Combine(_plan.Folder, Waypoints.FolderName, Waypoints.NameOf(_progress.Step));
        _plan.Model.Save(folder, _plan.Furnish);
        sinks.Note($"waypoint {_progress.Step} saved");
    }

    private void SetFrozen(int completed)
    {
        int until = _plan.Guidance.FreezeSteps;
        if (until == 0 || completed > until)
        {
            return;
        }

        foreach ((string name, Parameter parameter) in _plan.Model.Module.NamedParameters())
        {
            parameter.Trainable = !_plan.Model.IsFrozen(name) && (completed >= until || _plan.Model.IsNew(name));
        }
    }

    private CaldException Diverged(string what)
    {
        string range = _computeType is null ? "or set clip_norm" : "set clip_norm, or choose precision tf32, whose numbers do not overflow at 65,504";
        return new CaldException(
            $"{_plan.Stage}: {what}; earlier checkpoints in {_plan.Folder} are intact. Lower lr or the weights of the losses, {range}, and start in another folder");
    }

    private static ulong SeedOf(ulong seed) => (seed * 0x9E3779B97F4A7C15) ^ 0x44524F50; // dropout's masks must not be the numbers of initialisation

    /// <param name="Batches">The micro-batches of an update.</param>
    /// <param name="Shares">What each counts; they add up to 1.</param>
    private sealed record MicroBatches(TaskBatch[] Batches, double[] Shares);

    /// <summary>An update given to the device whose losses have not been read yet.</summary>
    private readonly record struct PendingUpdate(int Step, LossWeights Weights, double LearningRate, int Tokens, double Flops, double Seconds, double Unscale, bool Overflowed);
}
