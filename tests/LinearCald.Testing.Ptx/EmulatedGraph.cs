using System.Diagnostics;

namespace LinearCald.Testing.Ptx;

/// <summary>Recorded launches, copies and fills of the emulator.</summary>
internal sealed class EmulatedGraph(IReadOnlyList<Action> work, int copies, int fills) : CapturedGraph
{
    public override GraphContents Contents => new(work.Count - copies - fills, copies, fills, 0, true);

    public override void Launch()
    {
        foreach (Action step in work)
        {
            step();
        }
    }

    protected override void Dispose(bool disposing)
    {
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
