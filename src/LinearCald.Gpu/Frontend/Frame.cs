using System.Reflection;
using LinearCald.Gpu.Frontend.Il;

namespace LinearCald.Gpu.Frontend;

/// <summary>A call under evaluation.</summary>
internal sealed class Frame(MethodPlan plan, Frame? caller, int callOffset, int @base, int path)
{
    public MethodPlan Plan { get; } = plan;

    public Frame? Caller { get; } = caller;

    /// <summary>Where in the caller's IL the call stands.</summary>
    public int CallOffset { get; } = callOffset;

    public int Depth { get; } = caller is null ? 0 : caller.Depth + 1;

    /// <summary>The first leaf of its arguments.</summary>
    public int Base { get; } = @base;

    /// <summary>The chain of calls that leads here, as a number.</summary>
    public int Path { get; } = path;

    /// <summary>The instruction under evaluation.</summary>
    public int Offset { get; set; }

    /// <summary>Paths that have reached the start of a block.</summary>
    public List<Edge>?[] Pending { get; } = new List<Edge>?[plan.Blocks.Length];

    /// <summary>Paths that have returned, the result on their stack.</summary>
    public List<Edge> Returns { get; } = [];

    /// <summary>The innermost loop under evaluation in this call.</summary>
    public LoopRun? Loop { get; set; }

    /// <summary>A loop whose trial has failed: everything up to it stops.</summary>
    public LoopRun? Aborted { get; set; }

    public MethodBase Method => Plan.Method.Method;

    public void Push(IlBlock target, Edge edge) => (Pending[target.Index] ??= []).Add(edge);

    public List<Edge>? Take(IlBlock block)
    {
        List<Edge>? edges = Pending[block.Index];
        Pending[block.Index] = null;
        return edges is { Count: > 0 } ? edges : null;
    }

    /// <summary>How many paths wait where, so that those of a trial can be dropped.</summary>
    public int[] Snapshot()
    {
        int[] counts = new int[Pending.Length + 1];
        for (int i = 0; i < Pending.Length; i++)
            counts[i] = Pending[i]?.Count ?? 0;

        counts[^1] = Returns.Count;
        return counts;
    }

    public void Restore(int[] snapshot)
    {
        for (int i = 0; i < Pending.Length; i++)
        {
            if (Pending[i] is { } list && list.Count > snapshot[i])
            {
                list.RemoveRange(snapshot[i], list.Count - snapshot[i]);
            }
        }

        Returns.RemoveRange(snapshot[^1], Returns.Count - snapshot[^1]);
        Aborted = null;
    }
}

/// <summary>A loop under evaluation.</summary>
internal sealed class LoopRun(LoopPlan plan, LoopRun? outer, bool unrolling)
{
    public LoopPlan Plan { get; } = plan;

    public LoopRun? Outer { get; } = outer;

    /// <summary>Whether the loop is being run iteration by iteration, which needs every exit to be known.</summary>
    public bool Unrolling { get; } = unrolling;

    /// <summary>Comparisons that decided in this iteration whether the loop goes on.</summary>
    public List<KnownComparison> Tests { get; } = [];

    /// <summary>Whether some known exit condition was no comparison.</summary>
    public bool Unexplained { get; set; }
}

/// <summary>A place in the kernel with the calls that lead to it.</summary>
internal sealed record Site(Frame Frame, int Offset);
