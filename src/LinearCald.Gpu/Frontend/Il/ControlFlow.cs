using System.Reflection;
using System.Reflection.Emit;

namespace LinearCald.Gpu.Frontend.Il;

/// <summary>Cuts instructions into basic blocks, orders those that can be reached, and finds the loops among them.</summary>
internal static class ControlFlow
{
    /// <summary>Reachable blocks, unordered except that the entry comes first, with successors set.</summary>
    public static List<IlBlock> Cut(MethodBase method, List<IlInstruction> instructions)
    {
        SortedSet<int> starts = [0];
        for (int i = 0; i < instructions.Count; i++)
        {
            IlInstruction instruction = instructions[i];
            if (instruction.Operand is int[] targets)
            {
                starts.UnionWith(targets);
            }

            if (EndsBlock(instruction.OpCode) && i + 1 < instructions.Count)
            {
                starts.Add(instructions[i + 1].Offset);
            }
        }

        Dictionary<int, IlBlock> blocks = starts.ToDictionary(s => s, _ => new IlBlock());
        List<IlBlock> list = [];
        for (int i = 0; i < instructions.Count;)
        {
            IlBlock block = blocks[instructions[i].Offset];
            List<IlInstruction> body = [];
            do
            {
                body.Add(WithBlocks(instructions[i], blocks));
                i++;
            }
            while (i < instructions.Count && !blocks.ContainsKey(instructions[i].Offset));

            block.Instructions = body;
            block.Successors = Successors(method, body[^1], i < instructions.Count ? blocks[instructions[i].Offset] : null);
            list.Add(block);
        }

        return list;
    }

    /// <summary>
    /// Orders blocks so that each comes after all its predecessors except over back edges, and so that the blocks of a loop stand together;
    /// drops what cannot be reached; sets <see cref="IlBlock.Index"/>, <see cref="IlBlock.Predecessors"/> and <see cref="IlBlock.Loop"/>.
    /// </summary>
    /// <exception cref="CaldException">A loop that can be entered in more than one place.</exception>
    public static IReadOnlyList<IlBlock> Order(MethodBase method, IlBlock entry)
    {
        List<IlBlock> order = ReversePostorder(entry);
        Number(order);
        foreach (IlBlock block in order)
            block.Predecessors = [.. order.Where(b => b.Successors.Contains(block))];

        Dictionary<IlBlock, IlLoop> loops = Loops(method, order);
        List<IlBlock> grouped = [];
        Place(order, null, loops, grouped, []);
        Number(grouped);
        return grouped;
    }

    private static bool EndsBlock(OpCode code) => code.FlowControl is FlowControl.Branch or FlowControl.Cond_Branch or FlowControl.Return or FlowControl.Throw;

    private static IlInstruction WithBlocks(IlInstruction instruction, Dictionary<int, IlBlock> blocks) => instruction.Operand switch
    {
        int[] targets when instruction.OpCode == OpCodes.Switch => instruction with { Operand = Array.ConvertAll(targets, t => blocks[t]) },
        int[] targets => instruction with { Operand = blocks[targets[0]] },
        _ => instruction,
    };

    private static IlBlock[] Successors(MethodBase method, IlInstruction last, IlBlock? next)
    {
        IlBlock[] targets = last.Operand switch
        {
            IlBlock block => [block],
            IlBlock[] cases => cases,
            _ => [],
        };
        return last.OpCode.FlowControl switch
        {
            FlowControl.Branch => targets,
            FlowControl.Return or FlowControl.Throw => [],
            _ => [.. targets, next ?? throw new CaldException($"{SourceLines.Describe(method, last.Offset)}: the IL runs past its end")],
        };
    }

    private static List<IlBlock> ReversePostorder(IlBlock entry)
    {
        List<IlBlock> order = [];
        HashSet<IlBlock> seen = [entry];
        Stack<(IlBlock Block, int Next)> path = new([(entry, 0)]);
        while (path.TryPop(out (IlBlock Block, int Next) top))
        {
            if (top.Next == top.Block.Successors.Count)
            {
                order.Add(top.Block);
                continue;
            }

            path.Push((top.Block, top.Next + 1));
            if (seen.Add(top.Block.Successors[top.Next]))
            {
                path.Push((top.Block.Successors[top.Next], 0));
            }
        }

        order.Reverse();
        return order;
    }

    private static void Number(List<IlBlock> order)
    {
        for (int i = 0; i < order.Count; i++)
            order[i].Index = i;
    }

    /// <summary>Immediate dominators by iteration over the reverse postorder (Cooper, Harvey and Kennedy, "A Simple, Fast Dominance Algorithm").</summary>
    private static int[] Dominators(List<IlBlock> order)
    {
        int[] dominator = new int[order.Count];
        Array.Fill(dominator, -1);
        dominator[0] = 0;
        for (bool changed = true; changed;)
        {
            changed = false;
            foreach (IlBlock block in order.Skip(1))
            {
                int common = -1;
                foreach (IlBlock predecessor in block.Predecessors)
                {
                    if (dominator[predecessor.Index] >= 0)
                    {
                        common = common < 0 ? predecessor.Index : Meet(dominator, common, predecessor.Index);
                    }
                }

                changed |= dominator[block.Index] != common;
                dominator[block.Index] = common;
            }
        }

        return dominator;
    }

    private static int Meet(int[] dominator, int a, int b)
    {
        while (a != b)
        {
            if (a > b)
            {
                a = dominator[a];
            }
            else
            {
                b = dominator[b];
            }
        }

        return a;
    }

    private static Dictionary<IlBlock, IlLoop> Loops(MethodBase method, List<IlBlock> order)
    {
        int[] dominator = Dominators(order);
        Dictionary<IlBlock, HashSet<IlBlock>> bodies = [];
        foreach (IlBlock source in order)
        {
            foreach (IlBlock target in source.Successors.Where(t => t.Index <= source.Index))
            {
                if (Meet(dominator, source.Index, target.Index) != target.Index)
                {
                    throw new CaldException(
                        $"{SourceLines.Describe(method, target.Offset)}: a jump enters the middle of a loop, so that the loop has two starts; use while, do or for instead of goto");
                }

                if (!bodies.TryGetValue(target, out HashSet<IlBlock>? body))
                {
                    bodies[target] = body = [target];
                }

                AddReaching(source, body);
            }
        }

        Dictionary<IlBlock, IlLoop> loops = bodies.ToDictionary(b => b.Key, b => new IlLoop { Header = b.Key, Blocks = b.Value });
        foreach (IlBlock block in order)
        {
            IlLoop[] around = [.. loops.Values.Where(l => l.Blocks.Contains(block)).OrderBy(l => l.Blocks.Count)];
            block.Loop = around.FirstOrDefault();
            if (block.IsLoopHeader)
            {
                block.Loop!.Parent = around.ElementAtOrDefault(1);
            }
        }

        return loops;
    }

    private static void AddReaching(IlBlock source, HashSet<IlBlock> body)
    {
        Stack<IlBlock> work = new([source]);
        while (work.TryPop(out IlBlock? block))
        {
            if (body.Add(block))
            {
                foreach (IlBlock predecessor in block.Predecessors)
                    work.Push(predecessor);
            }
        }
    }

    /// <summary>Appends the blocks of one loop (or of the method), each inner loop in one piece. Edges enter a loop at its header only, so the order stays topological.</summary>
    private static void Place(IEnumerable<IlBlock> blocks, IlLoop? within, Dictionary<IlBlock, IlLoop> loops, List<IlBlock> placed, HashSet<IlBlock> seen)
    {
        foreach (IlBlock block in blocks)
        {
            if (seen.Contains(block))
            {
                continue;
            }

            if (loops.TryGetValue(block, out IlLoop? inner) && inner != within)
            {
                Place(blocks.Where(inner.Blocks.Contains), inner, loops, placed, seen);
            }
            else
            {
                seen.Add(block);
                placed.Add(block);
            }
        }
    }
}
