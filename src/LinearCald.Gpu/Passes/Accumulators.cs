using LinearCald.Gpu.Frontend;
using LinearCald.Gpu.Frontend.Intrinsics;
using LinearCald.Gpu.Ir;

namespace LinearCald.Gpu.Passes;

/// <summary>
/// Checks the registers that warpgroup products sum in, and those of their left operands, once registers are final: sums are the same before and after a product, nothing else
/// touches them or left operands while products run, and a fence stands between other accesses and the next product. An assembler would serialise the products or break
/// them instead.
/// </summary>
internal static class Accumulators
{
    // A register's state; greater is worse, and where paths meet the worst holds. A product in flight counts down from InFlight with each group committed after it.
    private const byte Ready = 0;
    private const byte Touched = 1;
    private const byte InFlight = 12;
    private const byte Oldest = 3;

    /// <summary>What is wrong, and where; or null.</summary>
    public static (string Problem, Site Place)? FindMisuse(FlowGraph graph, int registers)
    {
        int[] numbers = new int[registers];
        int count = 0;
        foreach (Instruction product in graph.Blocks.SelectMany(b => b.Code).Where(IsProduct))
        {
            for (int i = 0; i < product.Results.Length; i++)
            {
                if (i < product.Tied && product.TiedOperand(i).Register != product.Results[i])
                {
                    return ("the old sums of a warpgroup product are needed after it too, or come from several places: copy them after Wgmma.Wait, and let one variable hold the sums", (Site)product.Site!);
                }

                ref int number = ref numbers[product.Results[i]];
                number = number == 0 ? ++count : number;
            }

            foreach (ref readonly Operand left in WarpgroupIntrinsics.LeftOf(product))
            {
                ref int number = ref numbers[left.Register];
                number = number == 0 ? ++count : number;
            }
        }

        return count == 0 ? null : Follow(graph, numbers, count);
    }

    private static bool IsProduct(Instruction instruction) => instruction.Mnemonic.StartsWith(WarpgroupIntrinsics.ProductMnemonic, StringComparison.Ordinal);

    private static (string Problem, Site Place)? Follow(FlowGraph graph, int[] numbers, int count)
    {
        byte[][] before = new byte[graph.Blocks.Count][];
        for (int b = 0; b < before.Length; b++)
        {
            before[b] = new byte[count + 1];
        }

        Array.Fill(before[0], Touched);
        (string, Site)? problem = null;
        for (bool isChanged = true; isChanged && problem is null;)
        {
            isChanged = false;
            for (int b = 0; b < graph.Blocks.Count && problem is null; b++)
            {
                byte[] state = [.. before[b]];
                problem = Run(graph.Blocks[b], state, numbers);
                foreach (Block successor in FlowGraph.Successors(graph.Blocks[b]))
                {
                    byte[] next = before[graph.PositionOf(successor)];
                    for (int i = 0; i < next.Length; i++)
                    {
                        isChanged |= state[i] > next[i];
                        next[i] = Math.Max(next[i], state[i]);
                    }
                }
            }
        }

        return problem;
    }

    private static (string Problem, Site Place)? Run(Block block, byte[] state, int[] numbers)
    {
        Site? last = null;
        foreach (Instruction instruction in block.Code)
        {
            last = instruction.Site as Site ?? last;
            string? problem = instruction.Mnemonic switch
            {
                WarpgroupIntrinsics.FenceMnemonic => Move(state, static s => s == Touched ? Ready : s),
                WarpgroupIntrinsics.CommitMnemonic => Move(state, static s => s > Oldest ? (byte)(s - 1) : s),
                WarpgroupIntrinsics.WaitMnemonic => Wait(state, (int)instruction.Operands[0].Bits),
                _ => IsProduct(instruction) ? Start(instruction, state, numbers) : Touch(instruction, state, numbers),
            };
            if (problem is not null)
            {
                return (problem, last ?? throw new InvalidOperationException(problem));
            }
        }

        return null;
    }

    private static string? Move(byte[] state, Func<byte, byte> step)
    {
        for (int i = 0; i < state.Length; i++)
        {
            state[i] = step(state[i]);
        }

        return null;
    }

    /// <summary>A product is over if more groups than may still run were committed from its own on.</summary>
    private static string? Wait(byte[] state, int groups) => Move(state, s => s >= Oldest && InFlight - s > groups ? Ready : s);

    private static string? Start(Instruction product, byte[] state, int[] numbers)
    {
        foreach (int register in product.Results)
        {
            if (state[numbers[register]] == Touched)
            {
                return "the registers of a warpgroup product's sums were used since the last Wgmma.Fence: call it before the product";
            }

            state[numbers[register]] = InFlight;
        }

        foreach (ref readonly Operand left in WarpgroupIntrinsics.LeftOf(product))
        {
            if (state[numbers[left.Register]] == Touched)
            {
                return "the registers of a warpgroup product's left operand were used since the last Wgmma.Fence: call it before the product";
            }

            state[numbers[left.Register]] = InFlight;
        }

        return null;
    }

    private static string? Touch(Instruction instruction, byte[] state, int[] numbers)
    {
        foreach (int register in instruction.Results)
        {
            if (!Touch(register, state, numbers))
            {
                return Running;
            }
        }

        foreach (ref readonly Operand operand in instruction.Operands.AsSpan())
        {
            if (operand.HasRegister && !Touch(operand.Register, state, numbers))
            {
                return Running;
            }
        }

        return null;
    }

    private const string Running = "the sums of a warpgroup product, or its left operand in registers, are used or copied while it may still run: call Wgmma.Commit and Wgmma.Wait first";

    private static bool Touch(int register, byte[] state, int[] numbers)
    {
        if (numbers[register] == 0)
        {
            return true;
        }

        ref byte of = ref state[numbers[register]];
        if (of >= Oldest)
        {
            return false;
        }

        of = Touched;
        return true;
    }
}
