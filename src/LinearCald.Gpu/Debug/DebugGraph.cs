using System.Diagnostics;

namespace LinearCald.Gpu.Debug;

/// <summary>A list of recorded work, and the memory that was freed while it was recorded.</summary>
internal sealed class DebugGraph(IReadOnlyList<Action> work, int copies, int fills, Accelerator accelerator, List<nint> memory) : CapturedGraph
{
    private bool _disposed;

    public override GraphContents Contents => new(work.Count - copies - fills, copies, fills, 0, true);

    public override void Launch()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        foreach (Action action in work)
        {
            action();
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (!disposing || _disposed)
        {
            return;
        }

        _disposed = true;
        foreach (nint address in memory)
        {
            accelerator.Free(address);
        }
    }
}

/// <summary>The time at which everything before was done: work is done as it is given.</summary>
internal sealed class DebugMark : TimeMark
{
    private readonly long _time = Stopwatch.GetTimestamp();

    public override double MillisecondsSince(TimeMark earlier) => Stopwatch.GetElapsedTime(((DebugMark)earlier)._time, _time).TotalMilliseconds;

    public override void Wait()
    {
    }

    protected override void Dispose(bool disposing)
    {
    }
}
