using LinearCald.Testing.Ptx.Parsing;

namespace LinearCald.Testing.Ptx.Memory;

/// <summary>Generic addresses: host addresses are global memory, and a tag in the upper byte names the other spaces.</summary>
internal static class Window
{
    private const int Position = 56;

    /// <summary>Added to an address within its space.</summary>
    public static ulong Of(StateSpace space) => space is StateSpace.Global or StateSpace.Generic ? 0 : (0x50UL + (ulong)space) << Position;

    /// <summary>The space that a generic address lies in, and the address there.</summary>
    public static (StateSpace Space, ulong Address) Split(ulong generic)
    {
        ulong tag = generic >> Position;
        return tag is > 0x50 and <= 0x50 + (ulong)StateSpace.Const
            ? ((StateSpace)(tag - 0x50), generic & ((1UL << Position) - 1))
            : (StateSpace.Global, generic);
    }
}
