using LinearCald.Tensors;

namespace LinearCald.Distillation.Training;

/// <summary>A micro-batch on the host.</summary>
public abstract record TaskBatch
{
    /// <summary>Examples B.</summary>
    public abstract int Count { get; }

    /// <summary>Positions L of every example, padding included.</summary>
    public abstract int Length { get; }

    /// <summary>Positions without padding.</summary>
    public abstract int Tokens { get; }
}

/// <summary>A micro-batch with its labels on the device. Disposing of one that was reserved gives its memory back; others go with their scope.</summary>
public abstract class TaskInput : IDisposable
{
    private double _share = double.NaN;

    /// <summary>int32 [B]: valid positions of each example; null when all are.</summary>
    public abstract Tensor? Lengths { get; }

    /// <summary>1 / valid positions, one element, in an input that was reserved; null in others.</summary>
    public Tensor? InversePositions { get; protected init; }

    /// <summary>
    /// What the micro-batch counts in its update, one element, in an input that was reserved; null in others. It is data and not a constant of the work, so that micro-batches
    /// of any share do the same work.
    /// </summary>
    public Tensor? Share { get; protected init; }

    /// <summary>Whether work on it is the same kernels whatever it holds, so that it can be recorded.</summary>
    public virtual bool IsRecordable => true;

    /// <summary>Uploads another batch of the same shape to the same place.</summary>
    public abstract void Set(TaskBatch batch);

    /// <summary>Sets <see cref="Share"/> of an input that was reserved.</summary>
    public void SetShare(double share)
    {
        // Most runs have but one: a copy to the device is saved.
        if (share != _share)
        {
            _share = share;
            Share!.Set<float>([(float)share]);
        }
    }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>An int32 tensor that lives until it is disposed of.</summary>
    protected static Tensor ReservedIntegers(Device device, params ReadOnlySpan<int> extents)
    {
        Shape shape = new(extents);
        return Tensor.Persistent(() => Tensor.Zeros(device, DType.Int32, shape));
    }

    /// <summary>A place for <see cref="InversePositions"/> or <see cref="Share"/>.</summary>
    protected static Tensor ReservedFactor(Device device) => Tensor.Persistent(() => Tensor.Zeros(device, DType.Float32, default));

    protected virtual void Dispose(bool disposing)
    {
        InversePositions?.Dispose();
        Share?.Dispose();
    }
}
