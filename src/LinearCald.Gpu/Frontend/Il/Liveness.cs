using System.Reflection.Emit;

namespace LinearCald.Gpu.Frontend.Il;

/// <summary>Which locals may still be read at the start of each block: the backward data-flow equations, iterated until nothing changes.</summary>
internal static class Liveness
{
    /// <summary>Sets <see cref="IlBlock.LiveLocalsIn"/>.</summary>
    public static void Mark(IReadOnlyList<IlBlock> blocks, int locals)
    {
        bool[] addressTaken = new bool[locals];
        foreach (IlBlock block in blocks)
        {
            block.LiveLocalsIn = new bool[locals];
            foreach (IlInstruction instruction in block.Instructions)
            {
                if (instruction.OpCode == OpCodes.Ldloca && !block.OnlyThrows)
                {
                    addressTaken[(int)instruction.Operand!] = true;
                }
            }
        }

        for (bool changed = true; changed;)
        {
            changed = false;
            foreach (IlBlock block in blocks.Reverse())
            {
                bool[] live = Transfer(block, addressTaken);
                changed |= !live.AsSpan().SequenceEqual(block.LiveLocalsIn);
                block.LiveLocalsIn = live;
            }
        }
    }

    private static bool[] Transfer(IlBlock block, bool[] addressTaken)
    {
        bool[] live = (bool[])addressTaken.Clone();
        if (block.OnlyThrows)
        {
            return live;
        }

        foreach (IlBlock successor in block.Successors)
        {
            for (int i = 0; i < live.Length; i++)
                live[i] |= successor.LiveLocalsIn[i];
        }

        foreach (IlInstruction instruction in block.Instructions.Reverse())
        {
            if (instruction.OpCode == OpCodes.Ldloc)
            {
                live[(int)instruction.Operand!] = true;
            }
            else if (instruction.OpCode == OpCodes.Stloc)
            {
                int local = (int)instruction.Operand!;
                live[local] = addressTaken[local];
            }
        }

        return live;
    }
}
