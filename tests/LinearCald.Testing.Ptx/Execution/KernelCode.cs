using LinearCald.Testing.Ptx.Memory;
using LinearCald.Testing.Ptx.Parsing;

namespace LinearCald.Testing.Ptx.Execution;

/// <summary>An entry, decoded for one size of dynamic shared memory.</summary>
internal sealed class KernelCode
{
    public required PtxEntry Entry { get; init; }

    public required Instruction[] Instructions { get; init; }

    public required int RegisterCount { get; init; }

    /// <summary>Registers that hold immediate operands and addresses of variables.</summary>
    public required IReadOnlyList<(int Register, ulong Value)> Constants { get; init; }

    public required IReadOnlyList<(int Register, SpecialRegister Special)> Specials { get; init; }

    public required IReadOnlyList<string> RegisterNames { get; init; }

    public required SharedLayout Shared { get; init; }

    /// <summary>Bytes of the narrowest shared access, at most 4.</summary>
    public required int SharedGranule { get; init; }

    /// <summary>Bytes of the narrowest element that is stored to global memory, at most 4.</summary>
    public required int GlobalGranule { get; init; }

    /// <summary>Bytes of local memory of a thread.</summary>
    public required int LocalBytes { get; init; }

    public required byte[] ConstantMemory { get; init; }

    public string RegisterName(int register) => RegisterNames[register];
}
