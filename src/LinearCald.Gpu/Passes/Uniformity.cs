using LinearCald.Gpu.Ir;

namespace LinearCald.Gpu.Passes;

/// <summary>
/// Finds barriers of the group under conditions that differ between its threads, where the hardware would hang or mix up phases. A value differs if it
/// comes from a thread index, or from a value that differs, or meets others at the end of paths that threads chose differently.
/// </summary>
internal sealed class Uniformity
{
    private readonly FlowGraph _graph;
    private readonly bool[] _differs;
    private readonly bool[] _divided;
    private readonly HashSet<int> _branches = [];
    private readonly int[] _postDominators;

    private Uniformity(FlowGraph graph, int registers)
    {
        _graph = graph;
        _differs = new bool[registers];
        _divided = new bool[graph.Blocks.Count];
        _postDominators = PostDominators();
        while (Spread())
        {
        }
    }

    /// <summary>The first barrier that not all threads may reach together, or null.</summary>
    public static Instruction? FindDividedBarrier(FlowGraph graph, int registers)
    {
        if (!graph.Blocks.Exists(b => b.Code.Exists(IsBarrier)))
        {
            return null;
        }

        Uniformity uniformity = new(graph, registers);
        for (int b = 0; b < graph.Blocks.Count; b++)
        {
            if (uniformity._divided[b] && graph.Blocks[b].Code.Find(IsBarrier) is { } barrier)
            {
                return barrier;
            }
        }

        return null;
    }

    private static bool IsBarrier(Instruction instruction) => (instruction.Flags & InstructionFlags.GroupWide) != 0;

    private bool Differs(in Operand operand) => operand.HasRegister && _differs[operand.Register];

    private bool Spread()
    {
        bool changed = false;
        for (int b = 0; b < _graph.Blocks.Count; b++)
        {
            Block block = _graph.Blocks[b];
            foreach (Instruction instruction in block.Code)
            {
                bool differs = (instruction.Flags & InstructionFlags.Divergent) != 0;
                foreach (ref readonly Operand operand in instruction.Operands.AsSpan())
                    differs |= Differs(operand);

                if (differs && (instruction.Flags & InstructionFlags.Uniform) == 0)
                {
                    foreach (int result in instruction.Results)
                        changed |= Mark(result);
                }
            }

            for (int i = 0; i < block.Arguments.Count; i++)
            {
                if (Differs(block.Arguments[i]))
                {
                    changed |= Mark(block.Target!.Parameters[i]);
                }
            }

            if (block.Exit == Exit.Branch && Differs(block.Condition) && _branches.Add(b))
            {
                Divide(b);
                changed = true;
            }
        }

        return changed;
    }

    private bool Mark(int register)
    {
        bool first = !_differs[register];
        _differs[register] = true;
        return first;
    }

    /// <summary>Everything from a branch to where its paths are one again is divided; what paths choose differs there and at that point.</summary>
    private void Divide(int branch)
    {
        int end = _postDominators[branch];
        HashSet<int> seen = [];
        Stack<int> work = new(FlowGraph.Successors(_graph.Blocks[branch]).Select(_graph.PositionOf));
        while (work.TryPop(out int b))
        {
            if (!seen.Add(b))
            {
                continue;
            }

            if (_graph.Predecessors[b].Count > 1)
            {
                _graph.Blocks[b].Parameters.ForEach(p => Mark(p));
            }

            if (b != end)
            {
                _divided[b] = true;
                foreach (Block successor in FlowGraph.Successors(_graph.Blocks[b]))
                    work.Push(_graph.PositionOf(successor));
            }
        }
    }

    /// <summary>For each block the nearest one that every path from it passes; the number of blocks stands for the end of the kernel. Traps end nothing: they never return.</summary>
    private int[] PostDominators()
    {
        int exit = _graph.Blocks.Count;
        int[] result = new int[exit + 1];
        Array.Fill(result, -1);
        result[exit] = exit;

        // Reverse order is a good order for backward propagation; iteration settles loops.
        for (bool changed = true; changed;)
        {
            changed = false;
            for (int b = exit - 1; b >= 0; b--)
            {
                Block block = _graph.Blocks[b];
                int common = block.Exit == Exit.Return ? exit : -1;
                foreach (Block successor in FlowGraph.Successors(block))
                {
                    int s = _graph.PositionOf(successor);
                    if (result[s] >= 0)
                    {
                        common = common < 0 ? s : Meet(result, common, s);
                    }
                }

                if (common >= 0 && result[b] != common)
                {
                    result[b] = common;
                    changed = true;
                }
            }
        }

        return result;
    }

    private static int Meet(int[] dominators, int a, int b)
    {
        HashSet<int> path = [a];
        while (dominators[a] != a && dominators[a] >= 0)
        {
            a = dominators[a];
            path.Add(a);
        }

        while (!path.Contains(b))
            b = dominators[b];

        return b;
    }
}
