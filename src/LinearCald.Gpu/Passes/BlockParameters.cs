using LinearCald.Gpu.Ir;

namespace LinearCald.Gpu.Passes;

/// <summary>Removes block parameters that can only have one value: the same from every path, or from all but those that bring the parameter itself.</summary>
internal static class BlockParameters
{
    public static void Simplify(FlowGraph graph, int registers)
    {
        int[] replacement = new int[registers];
        Array.Fill(replacement, -1);
        bool any = false;
        for (bool changed = true; changed;)
        {
            changed = false;
            for (int b = 0; b < graph.Blocks.Count; b++)
            {
                Block block = graph.Blocks[b];
                for (int i = block.Parameters.Count - 1; i >= 0; i--)
                {
                    int only = Only(graph, b, i, replacement);
                    if (only >= 0)
                    {
                        replacement[block.Parameters[i]] = only;
                        Remove(graph, block, i);
                        any = changed = true;
                    }
                }
            }
        }

        if (any)
        {
            Rename(graph, r => Find(replacement, r));
        }
    }

    public static void Remove(FlowGraph graph, Block block, int index)
    {
        block.Parameters.RemoveAt(index);
        foreach (int predecessor in graph.Predecessors[graph.PositionOf(block)])
            graph.Blocks[predecessor].Arguments.RemoveAt(index);
    }

    /// <summary>Gives registers other names everywhere.</summary>
    public static void Rename(FlowGraph graph, Func<int, int> name)
    {
        foreach (Block block in graph.Blocks)
        {
            foreach (Instruction instruction in block.Code)
            {
                foreach (ref int result in instruction.Results.AsSpan())
                    result = name(result);

                foreach (ref Operand operand in instruction.Operands.AsSpan())
                    operand = Renamed(operand, name);
            }

            block.Condition = Renamed(block.Condition, name);
            for (int i = 0; i < block.Arguments.Count; i++)
                block.Arguments[i] = Renamed(block.Arguments[i], name);

            for (int i = 0; i < block.Parameters.Count; i++)
                block.Parameters[i] = name(block.Parameters[i]);
        }
    }

    private static Operand Renamed(in Operand operand, Func<int, int> name) => operand.HasRegister ? operand.WithRegister(name(operand.Register)) : operand;

    private static int Find(int[] replacement, int register)
    {
        while (replacement[register] >= 0)
            register = replacement[register];

        return register;
    }

    private static int Only(FlowGraph graph, int block, int index, int[] replacement)
    {
        int parameter = graph.Blocks[block].Parameters[index];
        int only = -1;
        foreach (int predecessor in graph.Predecessors[block])
        {
            Operand argument = graph.Blocks[predecessor].Arguments[index];
            if (argument.Kind == OperandKind.None)
            {
                continue;
            }

            int register = argument.Kind == OperandKind.Register ? Find(replacement, argument.Register) : -1;
            if (register == parameter)
            {
                continue;
            }

            if (register < 0 || (only >= 0 && only != register))
            {
                return -1;
            }

            only = register;
        }

        return only;
    }
}
