using System.Numerics;
using System.Runtime.CompilerServices;
using LinearCald.Gpu.Ir;

namespace LinearCald.Gpu.Frontend.Intrinsics;

/// <summary>Numbers as bits: <see cref="BitConverter"/>, <see cref="BitOperations"/>, sizes of types.</summary>
internal static class BitIntrinsics
{
    public static void Register(IntrinsicTable.Registry registry)
    {
        foreach (string name in new[] { nameof(BitConverter.SingleToInt32Bits), nameof(BitConverter.SingleToUInt32Bits) })
            registry.Add(typeof(BitConverter), name, static (e, _, a) => Reinterpret(e, a[0], RegisterKind.B32));

        foreach (string name in new[] { nameof(BitConverter.Int32BitsToSingle), nameof(BitConverter.UInt32BitsToSingle) })
            registry.Add(typeof(BitConverter), name, static (e, _, a) => Reinterpret(e, a[0], RegisterKind.F32));

        foreach (string name in new[] { nameof(BitConverter.DoubleToInt64Bits), nameof(BitConverter.DoubleToUInt64Bits) })
            registry.Add(typeof(BitConverter), name, static (e, _, a) => Reinterpret(e, a[0], RegisterKind.B64));

        foreach (string name in new[] { nameof(BitConverter.Int64BitsToDouble), nameof(BitConverter.UInt64BitsToDouble) })
            registry.Add(typeof(BitConverter), name, static (e, _, a) => Reinterpret(e, a[0], RegisterKind.F64));

        registry.Add(typeof(BitOperations), nameof(BitOperations.PopCount), static (e, _, a) => Count(e, a[0], "popc", BitOperations.PopCount));
        registry.Add(typeof(BitOperations), nameof(BitOperations.LeadingZeroCount), static (e, _, a) => LeadingZeros(e, a[0]));
        registry.Add(typeof(BitOperations), nameof(BitOperations.TrailingZeroCount), static (e, _, a) => TrailingZeros(e, a[0]));
        registry.Add(typeof(BitOperations), nameof(BitOperations.Log2), static (e, _, a) => Log2(e, a[0]));
        registry.Add(typeof(BitOperations), nameof(BitOperations.RotateLeft), static (e, _, a) => Rotate(e, a[0], a[1], true));
        registry.Add(typeof(BitOperations), nameof(BitOperations.RotateRight), static (e, _, a) => Rotate(e, a[0], a[1], false));
        registry.Add(typeof(BitOperations), nameof(BitOperations.IsPow2), static (e, m, a) => IsPow2(e, a[0], MathIntrinsics.IsUnsigned(m.GetParameters()[0].ParameterType)));
        registry.Add(typeof(Unsafe), nameof(Unsafe.SizeOf), static (_, m, _) => Known.Of(KernelParameter.SizeOf(m.GetGenericArguments()[0])));
    }

    /// <summary>The same bits in a register of another class and equal width.</summary>
    public static Scalar Reinterpret(Emit emit, Value value, RegisterKind kind)
    {
        Scalar x = emit.Arithmetic.Number(value, "bits");
        if (x.Kind == kind)
        {
            return x;
        }

        return (x, kind) switch
        {
            (Known k, RegisterKind.B32) => Known.Of((int)k.Bits),
            (Known k, RegisterKind.B64) => Known.Of(k.Bits),
            (Known k, RegisterKind.F32) => Known.Of(BitConverter.Int32BitsToSingle(k.Int)),
            (Known k, RegisterKind.F64) => Known.Of(BitConverter.Int64BitsToDouble(k.Bits)),
            _ => emit.Issue(kind is RegisterKind.B32 or RegisterKind.F32 ? "mov.b32" : "mov.b64", kind, InstructionFlags.Arithmetic, emit.Register(x)),
        };
    }

    private static Scalar Count(Emit emit, Value value, string operation, Func<ulong, int> fold)
    {
        Scalar x = emit.Arithmetic.Number(value, operation);
        bool narrow = x.Kind == RegisterKind.B32;
        return x is Known k
            ? Known.Of(fold(narrow ? (uint)k.Int : (ulong)k.Bits))
            : emit.IssueInRange($"{operation}.b{(narrow ? 32 : 64)}", 0, narrow ? 32 : 64, InstructionFlags.Arithmetic, emit.Register(x));
    }

    private static Scalar LeadingZeros(Emit emit, Value value)
    {
        bool narrow = emit.Arithmetic.Number(value, "clz").Kind == RegisterKind.B32;
        return Count(emit, value, "clz", x => BitOperations.LeadingZeroCount(x) - (narrow ? 32 : 0));
    }

    /// <summary>Leading zeros of the reversed bits.</summary>
    private static Scalar TrailingZeros(Emit emit, Value value)
    {
        Scalar x = emit.Arithmetic.Number(value, "ctz");
        bool narrow = x.Kind == RegisterKind.B32;
        return x is Known k
            ? Known.Of(narrow ? BitOperations.TrailingZeroCount(k.Int) : BitOperations.TrailingZeroCount(k.Bits))
            : LeadingZeros(emit, emit.Issue(narrow ? "brev.b32" : "brev.b64", x.Kind, InstructionFlags.Arithmetic, emit.Register(x)));
    }

    /// <summary>The class library's rule: 0 for 0.</summary>
    private static Value Log2(Emit emit, Value value)
    {
        Scalar x = emit.Arithmetic.Number(value, "log2");
        bool narrow = x.Kind == RegisterKind.B32;
        Value odd = emit.Arithmetic.Or(x, narrow ? Known.Of(1) : Known.Of(1L));
        return emit.Arithmetic.Xor(LeadingZeros(emit, odd), Known.Of(narrow ? 31 : 63));
    }

    private static Value Rotate(Emit emit, Value value, Value amount, bool left)
    {
        Arithmetic a = emit.Arithmetic;
        Scalar x = a.Number(value, "rotation");
        if (x.Kind == RegisterKind.B32 && x is not Known)
        {
            return emit.Issue(left ? "shf.l.wrap.b32" : "shf.r.wrap.b32", RegisterKind.B32, InstructionFlags.Arithmetic, emit.Register(x), emit.Register(x), emit.Use(amount));
        }

        // PTX clamps shift amounts, so both are masked.
        Known mask = Known.Of(x.Kind == RegisterKind.B32 ? 31 : 63);
        Value back = a.And(a.Subtract(Known.Of(0), amount), mask);
        Value forth = a.And(amount, mask);
        return left
            ? a.Or(a.ShiftLeft(x, forth), a.ShiftRight(x, back, true))
            : a.Or(a.ShiftRight(x, forth, true), a.ShiftLeft(x, back));
    }

    private static Value IsPow2(Emit emit, Value value, bool unsigned)
    {
        Arithmetic a = emit.Arithmetic;
        Value one = a.Compare(Comparison.Equal, Count(emit, value, "popc", BitOperations.PopCount), Known.Of(1), false);
        Scalar zero = a.Number(value, "power").Kind == RegisterKind.B32 ? Known.Of(0) : Known.Of(0L);
        return unsigned ? one : a.And(one, a.Compare(Comparison.Greater, value, zero, false));
    }
}
