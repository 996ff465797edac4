using LinearCald.Tensors;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Distillation.Training;

/// <summary>What one update was worth.</summary>
/// <param name="Task">Task loss before its weight.</param>
/// <param name="Layer">Layerwise loss before its weight; 0 when not taken.</param>
/// <param name="Kl">Output loss before its weight; 0 when not taken.</param>
/// <param name="GradientNorm">Global norm before clipping.</param>
internal readonly record struct UpdateLosses(double Task, double Layer, double Kl, double GradientNorm);

/// <summary>
/// Losses and gradient norms of the last updates, kept on the device so that the host gives it further work instead of waiting for numbers that only the
/// log wants. The host reads them all at once when the ledger is full, or when a decision hangs on them.
/// </summary>
internal sealed class LossLedger : IDisposable
{
    private const int Terms = 3;
    private readonly Tensor _losses;
    private readonly Tensor _totals;
    private readonly Tensor _history;
    private readonly Tensor _totalHistory;

    /// <param name="device">Where the losses are computed.</param>
    /// <param name="type">Their type.</param>
    /// <param name="capacity">Updates between readings.</param>
    public LossLedger(Device device, DType type, int capacity)
    {
        Capacity = capacity;
        _losses = Tensor.Persistent(() => Tensor.Zeros(device, type, new Shape(Terms)));
        _totals = Tensor.Persistent(() => Tensor.Zeros(device, DType.Float64, new Shape(1)));
        _history = Tensor.Persistent(() => Tensor.Zeros(device, type, new Shape(capacity, Terms)));
        _totalHistory = Tensor.Persistent(() => Tensor.Zeros(device, DType.Float64, new Shape(capacity)));
    }

    /// <summary>Updates between readings.</summary>
    public int Capacity { get; }

    /// <summary>Updates since the last reading.</summary>
    public int Count { get; private set; }

    /// <summary>Where the optimiser puts the sum of squares of the update's gradients: float64 [1].</summary>
    public Tensor Total => _totals;

    /// <summary>The losses of the update so far.</summary>
    public Tensor Losses => _losses;

    /// <summary>Before the first micro-batch of an update.</summary>
    public void Begin() => _losses.FillWith(0);

    /// <summary>Adds a micro-batch: its losses and its share of the update's batch, one element each.</summary>
    public void Add(Tensor task, Tensor? layer, Tensor? kl, Tensor share)
    {
        Add(0, task, share);
        Add(1, layer, share);
        Add(2, kl, share);
    }

    /// <summary>After the update.</summary>
    public void End()
    {
        _history.Narrow(0, Count, 1).CopyFrom(_losses.Reshape(1, Terms));
        _totalHistory.Narrow(0, Count, 1).CopyFrom(_totals);
        Count++;
    }

    /// <summary>The updates since the last reading, in order; waits for them.</summary>
    public UpdateLosses[] Read()
    {
        using MemoryScope scope = MemoryScope.Begin();
        double[] losses = _history.To(DType.Float64).ToArray<double>();
        double[] totals = _totalHistory.ToArray<double>();
        UpdateLosses[] updates = new UpdateLosses[Count];
        for (int i = 0; i < Count; i++)
        {
            updates[i] = new UpdateLosses(losses[i * Terms], losses[(i * Terms) + 1], losses[(i * Terms) + 2], Math.Sqrt(totals[i]));
        }

        Count = 0;
        return updates;
    }

    public void Dispose()
    {
        _losses.Dispose();
        _totals.Dispose();
        _history.Dispose();
        _totalHistory.Dispose();
    }

    private void Add(int term, Tensor? loss, Tensor share)
    {
        if (loss is not null)
        {
            Tensor place = _losses.Narrow(0, term, 1).Reshape(loss.Shape);
            place.CopyFrom(place.Add(loss.Detach().Multiply(share)));
        }
    }
}
