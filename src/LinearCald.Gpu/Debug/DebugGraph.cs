using System.Diagnostics;

namespace LinearCald.Gpu.Debug;

/// <summary>A list of recorded work.</summary>
internal sealed class DebugGraph(IReadOnlyList<Action> work) : CapturedGraph
{
    public override int Nodes => work.Count;

    public override void Launch()
    {
        foreach (Action action in work)
        {
            action();
        }
    }

    protected override void Dispose(bool disposing)
    {
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
