using LinearCald.Testing.Ptx.Parsing;

namespace LinearCald.Testing.Ptx.Numbers;

/// <summary>New value of an atomic update from the old one, the operand, and for cas the replacement.</summary>
internal static class AtomicFunctions
{
    public static Func<ulong, ulong, ulong, ulong>? Find(string operation, PtxType type) => (operation, type.Kind, type.Bits, type.Lanes) switch
    {
        ("add", TypeKind.Unsigned or TypeKind.Signed, 32, 1) when type.Bits == 32 => static (old, value, _) => (uint)(old + value),
        ("add", TypeKind.Unsigned, 64, 1) => static (old, value, _) => old + value,
        ("add", TypeKind.Float, 32, 1) => static (old, value, _) => Raw.Of(Raw.Single(old) + Raw.Single(value)),
        ("add", TypeKind.Float, 64, 1) => static (old, value, _) => Raw.Of(Raw.Double(old) + Raw.Double(value)),
        ("add", TypeKind.Float or TypeKind.BrainFloat, 16 or 32, _) when type.Bits == 16 || type.Lanes == 2 => Half(type),
        ("min", TypeKind.Signed, 32, 1) => static (old, value, _) => (uint)Math.Min((int)old, (int)value),
        ("max", TypeKind.Signed, 32, 1) => static (old, value, _) => (uint)Math.Max((int)old, (int)value),
        ("min", TypeKind.Signed, 64, 1) => static (old, value, _) => (ulong)Math.Min((long)old, (long)value),
        ("max", TypeKind.Signed, 64, 1) => static (old, value, _) => (ulong)Math.Max((long)old, (long)value),
        ("min", TypeKind.Unsigned, 32 or 64, 1) => static (old, value, _) => Math.Min(old, value),
        ("max", TypeKind.Unsigned, 32 or 64, 1) => static (old, value, _) => Math.Max(old, value),
        ("inc", TypeKind.Unsigned, 32, 1) => static (old, value, _) => old >= value ? 0 : old + 1,
        ("dec", TypeKind.Unsigned, 32, 1) => static (old, value, _) => old == 0 || old > value ? value : old - 1,
        ("and", TypeKind.Bits, 32 or 64, 1) => static (old, value, _) => old & value,
        ("or", TypeKind.Bits, 32 or 64, 1) => static (old, value, _) => old | value,
        ("xor", TypeKind.Bits, 32 or 64, 1) => static (old, value, _) => old ^ value,
        ("exch", TypeKind.Bits, 32 or 64, 1) => static (_, value, _) => value,
        ("cas", TypeKind.Bits, 16 or 32 or 64, 1) => static (old, value, replacement) => old == value ? replacement : old,
        _ => null,
    };

    private static Func<ulong, ulong, ulong, ulong> Half(PtxType type)
    {
        Func<ulong, ulong, ulong> add = HalfFunctions.Binary(type, HalfFunctions.SumToOdd, false, false);
        return (old, value, _) => add(old, value);
    }
}
