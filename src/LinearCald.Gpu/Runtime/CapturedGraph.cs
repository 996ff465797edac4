namespace LinearCald.Gpu;

/// <summary>Recorded work: replayed as one submission.</summary>
public abstract class CapturedGraph : IDisposable
{
    /// <summary>What was recorded.</summary>
    public abstract GraphContents Contents { get; }

    /// <summary>Does the recorded work again, in order with other work.</summary>
    public abstract void Launch();

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees what the graph holds.</summary>
    protected abstract void Dispose(bool disposing);
}

/// <summary>A point in the order of an accelerator's work.</summary>
public abstract class TimeMark : IDisposable
{
    /// <summary>Milliseconds from an earlier mark to this one; waits for both.</summary>
    public abstract double MillisecondsSince(TimeMark earlier);

    /// <summary>Waits until the work before the mark is done.</summary>
    public abstract void Wait();

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees what the mark holds.</summary>
    protected abstract void Dispose(bool disposing);
}
