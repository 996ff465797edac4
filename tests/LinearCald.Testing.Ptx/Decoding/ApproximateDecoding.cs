using LinearCald.Testing.Ptx.Execution;
using LinearCald.Testing.Ptx.Numbers;
using LinearCald.Testing.Ptx.Parsing;

namespace LinearCald.Testing.Ptx.Decoding;

/// <summary>Functions of the special units: correctly rounded here, plus the jitter that the options ask for where PTX says <c>.approx</c>.</summary>
internal static class ApproximateDecoding
{
    public static Instruction Decode(Decoder d)
    {
        bool isApproximate = d.ExpectAny("approx", "rn") == "approx";
        bool isFlushed = d.Take("ftz");
        PtxType type = d.AnyType();
        bool isSingle = type == PtxType.F32;
        bool isHalf = type.Bits == 16 || type.Lanes == 2;
        bool allowed = (d.Opcode, isApproximate) switch
        {
            ("rcp" or "sqrt", false) => isSingle || (type == PtxType.F64 && !isFlushed),
            ("rcp", true) or ("rsqrt", true) => isSingle || (type == PtxType.F64 && isFlushed),
            ("sqrt" or "sin" or "cos" or "lg2", true) => isSingle,
            ("ex2", true) => isSingle || (isHalf && isFlushed == (type.Kind == TypeKind.BrainFloat)),
            ("tanh", true) => (isSingle || isHalf) && !isFlushed,
            _ => false,
        };
        if (!allowed)
        {
            throw d.Error($"there is no {d.Opcode} of this kind");
        }

        Func<double, double> apply = d.Opcode switch
        {
            "rcp" => static x => 1 / x,
            "sqrt" => static x => Math.Sqrt(x),
            "rsqrt" => static x => x == 0 ? Math.CopySign(double.PositiveInfinity, x) : 1 / Math.Sqrt(x),
            "sin" => static x => Math.Sin(x),
            "cos" => static x => Math.Cos(x),
            "lg2" => static x => Math.Log2(x),
            "ex2" => static x => Math.Pow(2, x),
            _ => static x => Math.Tanh(x),
        };
        int to = d.Destination(type);
        int from = d.Source(type);
        if (isHalf)
        {
            return new Map1(to, from, HalfFunctions.Unary(type, apply, isFlushed, false));
        }

        if (type == PtxType.F64)
        {
            return new Map1(to, from, a => Raw.Of(apply(Raw.Double(a))));
        }

        ulong Single(ulong a) => FloatDecoding.Result((float)apply(FloatDecoding.Operand(a, isFlushed)), isFlushed, false);
        return isApproximate ? new Approximation(to, from, from, (a, _) => Single(a), MoveSingle) : new Map1(to, from, Single);
    }

    /// <summary>Moves a float32 by some units in the last place; zeros, infinities, NaN and exact powers of two stay.</summary>
    public static ulong MoveSingle(ulong raw, int units)
    {
        float value = Raw.Single(raw);
        if (units == 0 || !float.IsNormal(value) || (raw & 0x7FFFFF) == 0)
        {
            return raw;
        }

        return Raw.Of(Raw.Single((ulong)((long)raw + units)));
    }
}
