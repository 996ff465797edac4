using LinearCald.Gpu.Ir;

namespace LinearCald.Gpu.Passes;

/// <summary>Removes instructions and block parameters whose values nobody needs, cycles of them included.</summary>
internal static class DeadCode
{
    public static void Remove(FlowGraph graph, int registers)
    {
        Instruction?[] definitions = new Instruction?[registers];
        (Block Block, int Index)?[] parameters = new (Block, int)?[registers];
        bool[] live = new bool[registers];
        Stack<int> work = new();

        void Use(in Operand operand)
        {
            if (operand.HasRegister && !live[operand.Register])
            {
                live[operand.Register] = true;
                work.Push(operand.Register);
            }
        }

        foreach (Block block in graph.Blocks)
        {
            for (int i = 0; i < block.Parameters.Count; i++)
                parameters[block.Parameters[i]] = (block, i);

            foreach (Instruction instruction in block.Code)
            {
                foreach (int result in instruction.Results)
                    definitions[result] = instruction;

                if ((instruction.Flags & InstructionFlags.Removable) == 0)
                {
                    foreach (ref readonly Operand operand in instruction.Operands.AsSpan())
                        Use(operand);
                }
            }

            if (block.Exit == Exit.Branch)
            {
                Use(block.Condition);
            }
        }

        while (work.TryPop(out int register))
        {
            if (definitions[register] is { } instruction)
            {
                foreach (ref readonly Operand operand in instruction.Operands.AsSpan())
                    Use(operand);
            }
            else if (parameters[register] is (Block block, int index))
            {
                foreach (int predecessor in graph.Predecessors[graph.PositionOf(block)])
                    Use(graph.Blocks[predecessor].Arguments[index]);
            }
        }

        foreach (Block block in graph.Blocks)
        {
            block.Code.RemoveAll(i => (i.Flags & InstructionFlags.Removable) != 0 && !Array.Exists(i.Results, r => live[r]));
            for (int i = block.Parameters.Count - 1; i >= 0; i--)
            {
                if (!live[block.Parameters[i]])
                {
                    BlockParameters.Remove(graph, block, i);
                }
            }
        }
    }
}
