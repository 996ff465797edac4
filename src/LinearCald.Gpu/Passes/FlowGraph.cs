using LinearCald.Gpu.Ir;

namespace LinearCald.Gpu.Passes;

/// <summary>The blocks that can be reached, ordered so that only loops go backwards and a loop's blocks come before what follows it.</summary>
internal sealed class FlowGraph
{
    private readonly Dictionary<Block, int> _positions = new(ReferenceEqualityComparer.Instance);

    private FlowGraph(List<Block> blocks)
    {
        Blocks = blocks;
        for (int i = 0; i < blocks.Count; i++)
            _positions.Add(blocks[i], i);

        Predecessors = new List<int>[blocks.Count];
        for (int i = 0; i < blocks.Count; i++)
            Predecessors[i] = [];

        for (int i = 0; i < blocks.Count; i++)
        {
            foreach (Block successor in Successors(blocks[i]))
                Predecessors[_positions[successor]].Add(i);
        }

        LoopDepths = Depths();
    }

    public List<Block> Blocks { get; }

    /// <summary>By position in <see cref="Blocks"/>.</summary>
    public List<int>[] Predecessors { get; }

    /// <summary>How many loops contain each block.</summary>
    public int[] LoopDepths { get; }

    public static FlowGraph Of(Block entry)
    {
        // Loops are only known after a first walk; the second visits exits of loops first, so that they end up behind.
        FlowGraph first = new(Order(entry, null));
        return new FlowGraph(Order(entry, b => first.LoopDepths[first._positions[b]]));
    }

    public int PositionOf(Block block) => _positions[block];

    public static IEnumerable<Block> Successors(Block block)
    {
        if (block.Exit is Exit.Jump or Exit.Branch)
        {
            yield return block.Target!;
        }

        if (block.Exit == Exit.Branch && block.Otherwise != block.Target)
        {
            yield return block.Otherwise!;
        }
    }

    private static List<Block> Order(Block entry, Func<Block, int>? depth)
    {
        List<Block> order = [];
        HashSet<Block> seen = [entry];
        Stack<(Block Block, Queue<Block> Left)> path = new();
        path.Push((entry, Next(entry, depth)));
        while (path.TryPeek(out (Block Block, Queue<Block> Left) top))
        {
            if (!top.Left.TryDequeue(out Block? next))
            {
                order.Add(top.Block);
                path.Pop();
            }
            else if (seen.Add(next))
            {
                path.Push((next, Next(next, depth)));
            }
        }

        order.Reverse();
        return order;
    }

    private static Queue<Block> Next(Block block, Func<Block, int>? depth)
    {
        // What is visited last comes first: the target of a branch, unless it leaves a loop.
        IEnumerable<Block> successors = Successors(block).Reverse();
        return new Queue<Block>(depth is null ? successors : successors.OrderBy(depth));
    }

    private int[] Depths()
    {
        int[] depths = new int[Blocks.Count];
        for (int header = 0; header < Blocks.Count; header++)
        {
            List<int> back = [.. Predecessors[header].Where(p => p >= header)];
            if (back.Count == 0)
            {
                continue;
            }

            HashSet<int> body = [header];
            Stack<int> work = new(back);
            while (work.TryPop(out int block))
            {
                if (body.Add(block))
                {
                    Predecessors[block].ForEach(work.Push);
                }
            }

            foreach (int block in body)
                depths[block]++;
        }

        return depths;
    }
}
