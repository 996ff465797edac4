using System.Reflection;
using LinearCald.Gpu.Ir;

namespace LinearCald.Gpu.Frontend.Intrinsics;

/// <summary>
/// Conversions to and from the 16-bit floats, alone and in pairs. A 16-bit float is held as its bits in a 32-bit register with zeros above.
/// </summary>
internal static class HalfIntrinsics
{
    private const string ToBFloat16Pair = "cvt.rn.bf16x2.f32";
    private const string ToHalfPair = "cvt.rn.f16x2.f32";

    public static void Register(IntrinsicTable.Registry registry)
    {
        registry.Add(typeof(Packed), nameof(Packed.BFloat16), static (e, _, a) => Pair(e, ToBFloat16Pair, a[0], a[1]));
        registry.Add(typeof(Packed), nameof(Packed.Half), static (e, _, a) => Pair(e, ToHalfPair, a[0], a[1]));
        registry.Add(typeof(Packed), nameof(Packed.LowHalf), static (e, _, a) => FromHalf(e, a[0], 0));
        registry.Add(typeof(Packed), nameof(Packed.HighHalf), static (e, _, a) => FromHalf(e, a[0], 1));
        registry.Add(typeof(Packed), nameof(Packed.TensorFloat32), static (e, _, a) =>
            e.Issue("cvt.rna.tf32.f32", RegisterKind.B32, InstructionFlags.Arithmetic, e.Register(a[0])));
        registry.Add(typeof(BFloat16), "op_Explicit", static (e, m, a) => m.GetParameters()[0].ParameterType == typeof(float)
            ? Emit.Struct(typeof(BFloat16), Single(e, ToBFloat16Pair, a[0]))
            : BitIntrinsics.Reinterpret(e, e.Arithmetic.ShiftLeft(Bits(e, a[0]), Known.Of(16)), RegisterKind.F32));
        registry.Add(typeof(Half), "op_Explicit", Convert);
        registry.Add(typeof(BitConverter), nameof(BitConverter.HalfToUInt16Bits), static (e, _, a) => Bits(e, a[0]));
        registry.Add(typeof(BitConverter), nameof(BitConverter.HalfToInt16Bits), static (e, _, a) => e.Arithmetic.Narrow(Bits(e, a[0]), LeafKind.Int16));
        registry.Add(typeof(BitConverter), nameof(BitConverter.UInt16BitsToHalf), static (_, _, a) => Emit.Struct(typeof(Half), a[0]));
        registry.Add(typeof(BitConverter), nameof(BitConverter.Int16BitsToHalf), static (e, _, a) => Emit.Struct(typeof(Half), e.Arithmetic.Narrow(a[0], LeafKind.UInt16)));
    }

    private static Value Convert(Emit emit, MethodBase method, ReadOnlySpan<Value> arguments)
    {
        Type from = method.GetParameters()[0].ParameterType;
        Type to = ((MethodInfo)method).ReturnType;
        return (from == typeof(Half), from == typeof(Half) ? Type.GetTypeCode(to) : Type.GetTypeCode(from)) switch
        {
            (true, TypeCode.Single) => FromHalf(emit, Bits(emit, arguments[0]), 0),
            (true, TypeCode.Double) => emit.Arithmetic.ToFloat64(FromHalf(emit, Bits(emit, arguments[0]), 0), false),
            (false, TypeCode.Single) => Emit.Struct(typeof(Half), Single(emit, ToHalfPair, arguments[0])),
            _ => throw emit.Refuse($"a conversion of {from.Name} to {to.Name}: go through float"),
        };
    }

    private static Value Bits(Emit emit, Value number) => emit.Leaves(number)[0];

    /// <summary>The instruction takes the upper half first.</summary>
    private static Scalar Pair(Emit emit, string mnemonic, Value low, Value high) =>
        emit.Issue(mnemonic, RegisterKind.B32, InstructionFlags.Arithmetic, emit.Register(high), emit.Register(low));

    /// <summary>A pair whose upper half is zero.</summary>
    private static Scalar Single(Emit emit, string mnemonic, Value value) =>
        emit.IssueInRange(mnemonic, 0, ushort.MaxValue, InstructionFlags.Arithmetic, emit.Register(Known.Of(0f)), emit.Register(value));

    private static Scalar FromHalf(Emit emit, Value pair, int half)
    {
        Value[] halves = emit.IssueMany("mov.b32", RegisterKind.B16, 2, InstructionFlags.Arithmetic, [2, 1], emit.Register(pair));
        return emit.Issue("cvt.f32.f16", RegisterKind.F32, InstructionFlags.Arithmetic, emit.Register(halves[half]));
    }
}
