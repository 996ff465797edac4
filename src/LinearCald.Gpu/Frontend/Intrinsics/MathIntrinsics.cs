using System.Reflection;
using LinearCald.Gpu.Ir;

namespace LinearCald.Gpu.Frontend.Intrinsics;

/// <summary>
/// The exact functions of <see cref="Math"/> and <see cref="MathF"/>: results equal the CPU's bit for bit, NaN payloads apart. What is known is computed
/// while compiling, so that kernels may size things by Min, Max or Sqrt of constants.
/// </summary>
internal static class MathIntrinsics
{
    public static void Register(IntrinsicTable.Registry registry)
    {
        foreach (Type type in new[] { typeof(Math), typeof(MathF) })
        {
            registry.Add(type, nameof(Math.Abs), static (e, _, a) => Abs(e, a[0]));
            registry.Add(type, nameof(Math.Min), static (e, m, a) => Extreme(e, a[0], a[1], IsUnsigned(m.GetParameters()[0].ParameterType), "min"));
            registry.Add(type, nameof(Math.Max), static (e, m, a) => Extreme(e, a[0], a[1], IsUnsigned(m.GetParameters()[0].ParameterType), "max"));
            registry.Add(type, nameof(Math.Sqrt), static (e, _, a) => Unary(e, a[0], "sqrt.rn", MathF.Sqrt, Math.Sqrt, InstructionFlags.Pure));
            registry.Add(type, nameof(Math.Floor), static (e, _, a) => Rounded(e, a[0], "cvt.rmi", MathF.Floor, Math.Floor));
            registry.Add(type, nameof(Math.Ceiling), static (e, _, a) => Rounded(e, a[0], "cvt.rpi", MathF.Ceiling, Math.Ceiling));
            registry.Add(type, nameof(Math.Truncate), static (e, _, a) => Rounded(e, a[0], "cvt.rzi", MathF.Truncate, Math.Truncate));
            registry.Add(type, nameof(Math.Round), static (e, _, a) => a.Length == 1
                ? Rounded(e, a[0], "cvt.rni", MathF.Round, Math.Round)
                : throw e.Refuse("Round with digits or a midpoint rule: scale the number and use Round(x), which rounds ties to even"));
            registry.Add(type, nameof(Math.FusedMultiplyAdd), static (e, _, a) => Fma(e, a[0], a[1], a[2]));
            registry.Add(type, nameof(Math.CopySign), static (e, _, a) => CopySign(e, a[0], a[1]));
            registry.Add(type, nameof(Math.Sign), static (e, _, a) => Sign(e, a[0]));
            registry.Add(type, nameof(Math.ReciprocalEstimate), static (e, _, a) => Estimate(e, a[0], "rcp.approx.ftz.f32"));
            registry.Add(type, nameof(Math.ReciprocalSqrtEstimate), static (e, _, a) => Estimate(e, a[0], "rsqrt.approx.ftz.f32"));
        }

        registry.Add(typeof(Math), nameof(Math.Clamp), static (e, m, a) => Clamp(e, m, a[0], a[1], a[2]));
        registry.Add(typeof(Math), nameof(Math.BigMul), BigMul);
        registry.Add(typeof(GpuMath), nameof(GpuMath.Fma), static (e, _, a) => Fma(e, a[0], a[1], a[2]));
        registry.Add(typeof(GpuMath), nameof(GpuMath.Exp2Approximate), static (e, _, a) => Estimate(e, a[0], "ex2.approx.ftz.f32"));
        registry.Add(typeof(GpuMath), nameof(GpuMath.Log2Approximate), static (e, _, a) => Estimate(e, a[0], "lg2.approx.ftz.f32"));
        registry.Add(typeof(GpuMath), nameof(GpuMath.ReciprocalApproximate), static (e, _, a) => Estimate(e, a[0], "rcp.approx.ftz.f32"));
        registry.Add(typeof(GpuMath), nameof(GpuMath.ReciprocalSqrtApproximate), static (e, _, a) => Estimate(e, a[0], "rsqrt.approx.ftz.f32"));
        registry.Add(typeof(GpuMath), nameof(GpuMath.TanhApproximate), static (e, _, a) => Estimate(e, a[0], "tanh.approx.f32"));
        registry.Add(typeof(GpuMath), nameof(GpuMath.DivideApproximate), static (e, _, a) =>
            e.Issue("div.approx.ftz.f32", RegisterKind.F32, InstructionFlags.Pure, e.Register(a[0]), e.Register(a[1])));
    }

    public static bool IsUnsigned(Type type) => Type.GetTypeCode(type) is TypeCode.UInt32 or TypeCode.UInt64 || type == typeof(nuint);

    private static string Suffix(Scalar x) => x.Kind == RegisterKind.F32 ? ".f32" : ".f64";

    private static Scalar Unary(Emit emit, Value value, string mnemonic, Func<float, float> single, Func<double, double> @double, InstructionFlags flags)
    {
        Scalar x = emit.Arithmetic.Number(value, mnemonic);
        return x switch
        {
            Known { Kind: RegisterKind.F32 } k => Known.Of(single(k.Single)),
            Known { Kind: RegisterKind.F64 } k => Known.Of(@double(k.Double)),
            { Kind: RegisterKind.F32 or RegisterKind.F64 } => emit.Issue(mnemonic + Suffix(x), x.Kind, flags, emit.Register(x)),
            _ => throw emit.Refuse($"'{mnemonic}' of an integer"),
        };
    }

    /// <summary>Rounding to an integer is a conversion from a type to itself.</summary>
    private static Scalar Rounded(Emit emit, Value value, string mnemonic, Func<float, float> single, Func<double, double> @double)
    {
        string suffix = Suffix(emit.Arithmetic.Number(value, mnemonic));
        return Unary(emit, value, mnemonic + suffix, single, @double, InstructionFlags.Arithmetic);
    }

    /// <summary>The instruction of the special unit. Not computed while compiling: the CPU would round differently.</summary>
    private static Scalar Estimate(Emit emit, Value value, string mnemonic)
    {
        Scalar x = emit.Arithmetic.Number(value, mnemonic);
        return x.Kind == RegisterKind.F32
            ? emit.Issue(mnemonic, RegisterKind.F32, InstructionFlags.Pure, emit.Register(x))
            : throw emit.Refuse("an estimate in float64: GPUs have them for float only");
    }

    private static Value Abs(Emit emit, Value value)
    {
        Scalar x = emit.Arithmetic.Number(value, "Abs");
        return x.Kind switch
        {
            RegisterKind.F32 or RegisterKind.F64 => Unary(emit, x, "abs", MathF.Abs, Math.Abs, InstructionFlags.Arithmetic),
            _ when x is Known k => x.Kind == RegisterKind.B32 ? Known.Of(k.Int < 0 ? -k.Int : k.Int) : Known.Of(k.Bits < 0 ? -k.Bits : k.Bits),
            RegisterKind.B32 => emit.Issue("abs.s32", RegisterKind.B32, InstructionFlags.Arithmetic, emit.Register(x)),
            _ => emit.Issue("abs.s64", RegisterKind.B64, InstructionFlags.Arithmetic, emit.Register(x)),
        };
    }

    private static Value Fma(Emit emit, Value a, Value b, Value c)
    {
        Arithmetic arithmetic = emit.Arithmetic;
        Scalar x = arithmetic.Number(a, "fma");
        Scalar y = arithmetic.Number(b, "fma");
        Scalar z = arithmetic.Number(c, "fma");
        return (x, y, z) switch
        {
            (Known { Kind: RegisterKind.F32 } p, Known q, Known r) => Known.Of(MathF.FusedMultiplyAdd(p.Single, q.Single, r.Single)),
            (Known p, Known q, Known r) => Known.Of(Math.FusedMultiplyAdd(p.Double, q.Double, r.Double)),
            _ => emit.Issue("fma.rn" + Suffix(x), x.Kind, InstructionFlags.Arithmetic, emit.Use(x), emit.Use(y), emit.Use(z)),
        };
    }

    private static Value CopySign(Emit emit, Value magnitude, Value sign)
    {
        Scalar x = emit.Arithmetic.Number(magnitude, "CopySign");
        Scalar y = emit.Arithmetic.Number(sign, "CopySign");
        return (x, y) switch
        {
            (Known { Kind: RegisterKind.F32 } p, Known q) => Known.Of(MathF.CopySign(p.Single, q.Single)),
            (Known p, Known q) => Known.Of(Math.CopySign(p.Double, q.Double)),
            _ => emit.Issue("copysign" + Suffix(x), x.Kind, InstructionFlags.Arithmetic, emit.Use(y), emit.Use(x)),
        };
    }

    private static Value Sign(Emit emit, Value value)
    {
        Arithmetic a = emit.Arithmetic;
        Scalar zero = a.Number(value, "Sign").Kind switch
        {
            RegisterKind.B32 => Known.Of(0),
            RegisterKind.B64 => Known.Of(0L),
            RegisterKind.F32 => Known.Of(0f),
            _ => Known.Of(0d),
        };
        return a.Subtract(a.Compare(Comparison.Greater, value, zero, false), a.Compare(Comparison.Less, value, zero, false));
    }

    private static Value Extreme(Emit emit, Value a, Value b, bool unsigned, string name)
    {
        Arithmetic arithmetic = emit.Arithmetic;
        Scalar x = arithmetic.Number(a, name);
        Scalar y = arithmetic.Number(b, name);
        bool minimum = name == "min";
        switch (x.Kind)
        {
            case RegisterKind.F32:
                return x is Known p && y is Known q
                    ? Known.Of(minimum ? MathF.Min(p.Single, q.Single) : MathF.Max(p.Single, q.Single))
                    : emit.Issue($"{name}.NaN.f32", RegisterKind.F32, InstructionFlags.Arithmetic, emit.Use(x), emit.Use(y));
            case RegisterKind.F64:
                if (x is Known r && y is Known s)
                {
                    return Known.Of(minimum ? Math.Min(r.Double, s.Double) : Math.Max(r.Double, s.Double));
                }

                // PTX has no form that hands on NaN in float64; the sum does.
                Value extreme = emit.Issue($"{name}.f64", RegisterKind.F64, InstructionFlags.Arithmetic, emit.Use(x), emit.Use(y));
                Scalar unordered = emit.Issue("setp.nan.f64", RegisterKind.Predicate, InstructionFlags.Arithmetic, emit.Use(x), emit.Use(y));
                return arithmetic.Select((Condition)unordered, (Scalar)arithmetic.Add(x, y), (Scalar)extreme);
        }

        Comparison keep = minimum ? Comparison.LessOrEqual : Comparison.GreaterOrEqual;
        if (arithmetic.Compare(keep, x, y, unsigned) is Known known)
        {
            return known.Int != 0 ? x : y;
        }

        bool narrow = x.Kind == RegisterKind.B32;
        string mnemonic = $"{name}.{(unsigned ? "u" : "s")}{(narrow ? 32 : 64)}";
        if (!narrow)
        {
            return emit.Issue(mnemonic, RegisterKind.B64, InstructionFlags.Arithmetic, emit.Use(x), emit.Use(y));
        }

        (int Low, int High) u = arithmetic.RangeOf(x);
        (int Low, int High) v = arithmetic.RangeOf(y);
        bool signs = !unsigned || (u.Low >= 0 && v.Low >= 0);
        (int low, int high) = !signs ? (int.MinValue, int.MaxValue)
            : minimum ? (Math.Min(u.Low, v.Low), Math.Min(u.High, v.High))
            : (Math.Max(u.Low, v.Low), Math.Max(u.High, v.High));
        return emit.IssueInRange(mnemonic, low, high, InstructionFlags.Arithmetic, emit.Use(x), emit.Use(y));
    }

    /// <summary>Bounds win in the order of the class library, and NaN stays.</summary>
    private static Value Clamp(Emit emit, MethodBase method, Value value, Value low, Value high)
    {
        Arithmetic a = emit.Arithmetic;
        bool unsigned = IsUnsigned(method.GetParameters()[0].ParameterType);
        Scalar x = a.Number(value, "Clamp");
        if (x.Kind is RegisterKind.B32 or RegisterKind.B64)
        {
            return Extreme(emit, Extreme(emit, x, low, unsigned, "max"), high, unsigned, "min");
        }

        Value raised = Choose(a, a.Compare(Comparison.Less, x, low, false), low, x);
        return Choose(a, a.Compare(Comparison.Greater, raised, high, false), high, raised);
    }

    private static Value Choose(Arithmetic a, Value condition, Value whenTrue, Value whenFalse) => condition is Condition c
        ? a.Select(c, a.Number(whenTrue, "Clamp"), a.Number(whenFalse, "Clamp"))
        : ((Known)condition).Int != 0 ? whenTrue : whenFalse;

    /// <summary>The whole product of two 32-bit numbers; or the upper half of that of two 64-bit numbers, with the lower one in an out parameter.</summary>
    private static Value BigMul(Emit emit, MethodBase method, ReadOnlySpan<Value> arguments)
    {
        Arithmetic a = emit.Arithmetic;
        Type type = method.GetParameters()[0].ParameterType;
        bool unsigned = IsUnsigned(type);
        if (Type.GetTypeCode(type) is TypeCode.Int32 or TypeCode.UInt32)
        {
            return a.Multiply(a.Widen(arguments[0], unsigned), a.Widen(arguments[1], unsigned));
        }

        if (arguments.Length != 3 || arguments[2] is not LocalRef low)
        {
            throw emit.Refuse("Math.BigMul with a 128-bit result: use the overload with an out parameter for the lower half, a local variable");
        }

        emit.Write(low, a.Multiply(arguments[0], arguments[1]));
        return emit.Issue(unsigned ? "mul.hi.u64" : "mul.hi.s64", RegisterKind.B64, InstructionFlags.Arithmetic, emit.Use(arguments[0]), emit.Use(arguments[1]));
    }
}
