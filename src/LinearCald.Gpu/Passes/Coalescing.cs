using LinearCald.Gpu.Ir;

namespace LinearCald.Gpu.Passes;

/// <summary>
/// Leaves static single assignment: a parameter and the values that paths bring for it share one register wherever their lives do not overlap, in the deepest
/// loops first; where they do, the path copies. So accumulators, states and counters of loops are updated in place.
/// </summary>
internal static class Coalescing
{
    public static void Run(FlowGraph graph, CodeBuilder code)
    {
        int registers = code.RegisterCount;
        LiveRanges ranges = new(graph, registers);
        int[] parents = [.. Enumerable.Range(0, registers)];
        List<int>?[] members = new List<int>?[registers];
        foreach (Instruction instruction in graph.Blocks.SelectMany(b => b.Code))
        {
            // First of all: copies of these could not be placed.
            for (int i = 0; i < instruction.Tied; i++)
                Unite(instruction.Results[i], instruction.TiedOperand(i).Register);
        }

        foreach (int b in Enumerable.Range(0, graph.Blocks.Count).OrderByDescending(b => graph.LoopDepths[b]))
        {
            Block block = graph.Blocks[b];
            for (int i = 0; i < block.Arguments.Count; i++)
            {
                if (block.Arguments[i].Kind == OperandKind.Register)
                {
                    Unite(block.Target!.Parameters[i], block.Arguments[i].Register);
                }
            }
        }

        int Find(int register)
        {
            while (parents[register] != register)
                register = parents[register] = parents[parents[register]];

            return register;
        }

        void Unite(int a, int b)
        {
            (a, b) = (Find(a), Find(b));
            if (a == b || code.KindOf(a) != code.KindOf(b))
            {
                return;
            }

            List<int> left = members[a] ??= [a];
            List<int> right = members[b] ??= [b];
            foreach (int x in left)
            {
                foreach (int y in right)
                {
                    if (ranges.Interfere(x, y))
                    {
                        return;
                    }
                }
            }

            left.AddRange(right);
            parents[b] = a;
            members[b] = null;
        }

        BlockParameters.Rename(graph, Find);
        foreach (Block block in graph.Blocks)
        {
            if (block.Arguments.Count > 0)
            {
                Copy(block, code);
            }
        }

        foreach (Block block in graph.Blocks)
            block.Parameters.Clear();
    }

    /// <summary>Puts the copies of a jump, which happen all at once, into an order that overwrites nothing that is still to be read.</summary>
    private static void Copy(Block block, CodeBuilder code)
    {
        List<(int To, Operand From)> moves = [];
        for (int i = 0; i < block.Arguments.Count; i++)
        {
            int to = block.Target!.Parameters[i];
            Operand from = block.Arguments[i];
            if (from.Kind != OperandKind.None && !(from.Kind == OperandKind.Register && from.Register == to))
            {
                moves.Add((to, from));
            }
        }

        block.Arguments.Clear();
        while (moves.Count > 0)
        {
            int free = moves.FindIndex(m => !moves.Exists(o => o.From.Register == m.To));
            if (free < 0)
            {
                // Only cycles are left: one of their values steps aside.
                int aside = code.NewRegister(code.KindOf(moves[0].To));
                int from = moves[0].From.Register;
                Move(block, code, aside, Operand.Of(from));
                for (int i = 0; i < moves.Count; i++)
                {
                    if (moves[i].From.Register == from)
                    {
                        moves[i] = (moves[i].To, Operand.Of(aside));
                    }
                }

                continue;
            }

            Move(block, code, moves[free].To, moves[free].From);
            moves.RemoveAt(free);
        }
    }

    private static void Move(Block block, CodeBuilder code, int to, Operand from)
    {
        string mnemonic = code.KindOf(to) switch
        {
            RegisterKind.Predicate => "mov.pred",
            RegisterKind.B16 => "mov.b16",
            RegisterKind.B32 => "mov.b32",
            RegisterKind.B64 => "mov.b64",
            RegisterKind.F32 => "mov.f32",
            _ => "mov.f64",
        };
        block.Code.Add(new Instruction { Mnemonic = mnemonic, Results = [to], Operands = [from], Flags = InstructionFlags.Arithmetic });
    }
}
