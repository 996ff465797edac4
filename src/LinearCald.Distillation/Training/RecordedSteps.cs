using LinearCald.Distillation.Recipes;
using LinearCald.Nn;
using LinearCald.Tensors;

namespace LinearCald.Distillation.Training;

/// <summary>Everything that decides which kernels a micro-batch runs with which constants.</summary>
/// <param name="Batch">B.</param>
/// <param name="Length">L.</param>
/// <param name="Weights">Of the losses.</param>
/// <param name="Phase">What the guide does.</param>
/// <param name="IsFrozen">Whether only the projections train.</param>
/// <param name="IsFirst">Whether it is the first micro-batch of the update, whose gradients take the place of old ones; others are added.</param>
internal readonly record struct StepKind(int Batch, int Length, LossWeights Weights, int Phase, bool IsFrozen, bool IsFirst);

/// <summary>
/// Runs micro-batches on a device that can record work: a kind of step that came before is recorded once and from then on submitted as a whole, so that the host
/// spends next to nothing on it. Recorded or not, a step computes the same bits.
/// </summary>
internal sealed class RecordedSteps : IDisposable
{
    /// <summary>A kind is recorded when it comes for the third time: rare shapes are not worth it.</summary>
    private const int RunsBefore = 2;

    /// <summary>Kinds that are recorded at most: each keeps its memory.</summary>
    public const int MostRecordings = 96;

    private readonly Device _device;
    private readonly Module _model;
    private readonly TrainingData _data;
    private readonly Dictionary<(int Batch, int Length), TaskInput> _inputs = [];
    private readonly Dictionary<StepKind, Recording> _recordings = [];
    private readonly int _most;

    /// <param name="device">Where to.</param>
    /// <param name="model">The trained model: its parameters receive gradients.</param>
    /// <param name="data">Gives the places for inputs.</param>
    /// <param name="most">Kinds that may be recorded.</param>
    public RecordedSteps(Device device, Module model, TrainingData data, int most = MostRecordings)
    {
        _most = most;
        _data = data;
        _device = device;
        _model = model;
    }

    /// <summary>Batches are padded to a multiple of this, so that their shapes recur.</summary>
    public static int LengthMultiple => 16;

    /// <summary>Kinds recorded.</summary>
    public int Recorded { get; private set; }

    /// <summary>Micro-batches that were submitted as a whole.</summary>
    public long Replays { get; private set; }

    /// <summary>Does the work on a batch, or replays it.</summary>
    /// <param name="kind">Equal kinds do the same work.</param>
    /// <param name="batch">The data.</param>
    /// <param name="share">What it counts in its update.</param>
    /// <param name="randomBase">First random stream of the micro-batch.</param>
    /// <param name="work">Uses nothing that changes but the inputs.</param>
    public void Run(in StepKind kind, TaskBatch batch, double share, ulong randomBase, Action<TaskInput> work)
    {
        if (!_inputs.TryGetValue((kind.Batch, kind.Length), out TaskInput? inputs))
        {
            _inputs.Add((kind.Batch, kind.Length), inputs = _data.Reserve(_device, batch));
        }

        inputs.Set(batch);
        inputs.SetShare(share);
        if (kind.Phase < 0 || !inputs.IsRecordable)
        {
            work(inputs);
            return;
        }

        if (!_recordings.TryGetValue(kind, out Recording? recording))
        {
            _recordings.Add(kind, recording = new Recording());
        }

        if (recording.Work is null && ++recording.Runs > RunsBefore && Recorded < _most)
        {
            recording.Work = _device.Record(randomBase, () => work(inputs));
            recording.Trained = [.. _model.NamedParameters().Select(p => p.Parameter).Where(p => p.HasGradient)];
            Recorded++;
        }

        if (recording.Work is null)
        {
            work(inputs);
            return;
        }

        recording.Work.Replay(randomBase);
        Replays++;
        foreach (Parameter parameter in recording.Trained)
        {
            parameter.HasGradient = true;
        }
    }

    /// <summary>Forgets the recordings, whose tensors are about to change.</summary>
    public void Clear()
    {
        foreach (Recording recording in _recordings.Values)
        {
            recording.Work?.Dispose();
        }

        _recordings.Clear();
        Recorded = 0;
    }

    public void Dispose()
    {
        Clear();
        foreach (TaskInput inputs in _inputs.Values)
        {
            inputs.Dispose();
        }

        _inputs.Clear();
    }

    private sealed class Recording
    {
        public int Runs { get; set; }

        public RecordedWork? Work { get; set; }

        public Parameter[] Trained { get; set; } = [];
    }
}
