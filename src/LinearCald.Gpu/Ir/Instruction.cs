namespace LinearCald.Gpu.Ir;

/// <summary>What may be done with an instruction.</summary>
[Flags]
internal enum InstructionFlags
{
    /// <summary>Has an effect of its own: kept, in order, once.</summary>
    None = 0,

    /// <summary>Same operands, same result: may be shared with an equal one that dominates it. Implies removable when set by <see cref="Pure"/>.</summary>
    Numbered = 1,

    /// <summary>May go when nobody reads its results.</summary>
    Removable = 2,

    /// <summary>A few cycles and no memory: may run where its branch would not have.</summary>
    Cheap = 4,

    /// <summary>Needs all threads of the warp or group: never copied, moved or put under a condition.</summary>
    Convergent = 8,

    /// <summary>Results differ between threads even if operands do not.</summary>
    Divergent = 16,

    /// <summary>Results are the same on all threads of the group even if operands are not.</summary>
    Uniform = 32,

    /// <summary>Waits for all threads of the group: must not stand under a condition that differs between them.</summary>
    GroupWide = 64,

    /// <summary>Depends on nothing but its operands.</summary>
    Pure = Numbered | Removable,

    /// <summary>Pure and cheap: ordinary arithmetic.</summary>
    Arithmetic = Pure | Cheap,
}

/// <summary>One PTX instruction over virtual registers.</summary>
internal sealed class Instruction
{
    /// <summary>
    /// The mnemonic with its suffixes; or, when it holds a '$', the text of the whole instruction with $0, $1, … for results, then operands.
    /// </summary>
    public required string Mnemonic { get; init; }

    /// <summary>Registers written, in order.</summary>
    public required int[] Results { get; init; }

    /// <summary>Operands, in order.</summary>
    public required Operand[] Operands { get; init; }

    /// <summary>How many of results and then operands each printed operand takes; more than one prints as {a, b, …}. Null: one each.</summary>
    public byte[]? Groups { get; init; }

    /// <summary>How many operands, the last ones, are inputs that share the registers of the first results and are not printed.</summary>
    public int Tied { get; init; }

    public required InstructionFlags Flags { get; init; }

    /// <summary>The operand whose register the result must have, if it is tied.</summary>
    public Operand TiedOperand(int result) => Operands[Operands.Length - Tied + result];

    /// <summary>Where it comes from, for messages; kept for convergent instructions.</summary>
    public object? Site { get; init; }
}
