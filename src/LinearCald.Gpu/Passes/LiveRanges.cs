using LinearCald.Gpu.Ir;

namespace LinearCald.Gpu.Passes;

/// <summary>Where registers of code in static single assignment are live; asked about the few that copies relate.</summary>
internal sealed class LiveRanges
{
    private readonly FlowGraph _graph;
    private readonly (int Block, int Position)[] _definitions;
    private readonly List<(int Block, int Position)>?[] _uses;
    private readonly ulong[]?[] _liveIn;

    public LiveRanges(FlowGraph graph, int registers)
    {
        _graph = graph;
        _definitions = new (int, int)[registers];
        _uses = new List<(int, int)>?[registers];
        _liveIn = new ulong[registers][];
        for (int b = 0; b < graph.Blocks.Count; b++)
        {
            Block block = graph.Blocks[b];
            foreach (int parameter in block.Parameters)
                _definitions[parameter] = (b, -1);

            for (int i = 0; i < block.Code.Count; i++)
            {
                foreach (int result in block.Code[i].Results)
                    _definitions[result] = (b, i);

                foreach (ref readonly Operand operand in block.Code[i].Operands.AsSpan())
                    Use(operand, b, i);
            }

            Use(block.Condition, b, block.Code.Count);
            foreach (Operand argument in block.Arguments)
                Use(argument, b, block.Code.Count);
        }
    }

    /// <summary>Whether two registers hold values that are needed at the same time.</summary>
    public bool Interfere(int a, int b)
    {
        (int Block, int Position) x = _definitions[a];
        (int Block, int Position) y = _definitions[b];
        return x == y || LiveAfter(a, y.Block, y.Position) || LiveAfter(b, x.Block, x.Position);
    }

    private void Use(in Operand operand, int block, int position)
    {
        if (operand.HasRegister)
        {
            (_uses[operand.Register] ??= []).Add((block, position));
        }
    }

    private bool LiveAfter(int register, int block, int position)
    {
        (int Block, int Position) definition = _definitions[register];
        bool here = definition.Block == block;
        if (here ? definition.Position > position : !IsLiveIn(register, block))
        {
            return false;
        }

        foreach ((int Block, int Position) use in _uses[register] ?? [])
        {
            if (use.Block == block && use.Position > position)
            {
                return true;
            }
        }

        foreach (Block successor in FlowGraph.Successors(_graph.Blocks[block]))
        {
            if (IsLiveIn(register, _graph.PositionOf(successor)))
            {
                return true;
            }
        }

        return false;
    }

    private bool IsLiveIn(int register, int block)
    {
        ulong[] set = _liveIn[register] ??= LiveIn(register);
        return (set[block >> 6] >> (block & 63) & 1) != 0;
    }

    private ulong[] LiveIn(int register)
    {
        ulong[] set = new ulong[(_graph.Blocks.Count + 63) / 64];
        int home = _definitions[register].Block;
        Stack<int> work = new();

        // A use in the block of the definition comes after it (single assignment), so the value does not come in from outside.
        foreach ((int Block, int Position) use in _uses[register] ?? [])
            Enter(use.Block);

        while (work.TryPop(out int block))
        {
            foreach (int predecessor in _graph.Predecessors[block])
                Enter(predecessor);
        }

        return set;

        void Enter(int block)
        {
            if (block != home && (set[block >> 6] >> (block & 63) & 1) == 0)
            {
                set[block >> 6] |= 1UL << (block & 63);
                work.Push(block);
            }
        }
    }
}
