using System.Diagnostics;

namespace LinearCald.Testing.Ptx;

/// <summary>Recorded launches, copies and fills of the emulator, and the memory that was freed meanwhile.</summary>
internal sealed class EmulatedGraph(IReadOnlyList<Action> work, int copies, int fills, Accelerator accelerator, List<nint> memory) : CapturedGraph
{
    private bool _disposed;

    public override GraphContents Contents => new(work.Count - copies - fills, copies, fills, 0, true);

    public override void Launch()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        foreach (Action step in work)
        {
            step();
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

/// <summary>A time: the emulator's work is done when its call returns.</summary>
internal sealed class EmulatedMark : TimeMark
{
    private readonly long _time = Stopwatch.GetTimestamp();

    public override double MillisecondsSince(TimeMark earlier) =>
        earlier is EmulatedMark mark ? Stopwatch.GetElapsedTime(mark._time, _time).TotalMilliseconds : throw new CaldException("the marks belong to different accelerators");

    public override void Wait()
    {
    }

    protected override void Dispose(bool disposing)
    {
    }
}
