using static LinearCald.Gpu.Tests.Emulator.LanewiseProgram;

namespace LinearCald.Gpu.Tests.Emulator;

/// <summary>Float instructions of the emulator against C# arithmetic on random operands, specials among them.</summary>
public sealed class FloatInstructionTests
{
    private const ulong NaN = 0x7FFFFFFF;

    [Fact]
    public void SinglesAreRoundedOnce()
    {
        Agrees("add.rn.f32 %d, %a, %b;", "f32 f32 f32", static (a, b, _) => Bits(F(a) + F(b)));
        Agrees("sub.f32 %d, %a, %b;", "f32 f32 f32", static (a, b, _) => Bits(F(a) - F(b)));
        Agrees("mul.rn.f32 %d, %a, %b;", "f32 f32 f32", static (a, b, _) => Bits(F(a) * F(b)));
        Agrees("div.rn.f32 %d, %a, %b;", "f32 f32 f32", static (a, b, _) => Bits(F(a) / F(b)));
        Agrees("fma.rn.f32 %d, %a, %b, %c;", "f32 f32 f32 f32", static (a, b, c) => Bits(MathF.FusedMultiplyAdd(F(a), F(b), F(c))));
        Agrees("sqrt.rn.f32 %d, %a;", "f32 f32", static (a, _, _) => Bits(MathF.Sqrt(F(a))));
        Agrees("rcp.rn.f32 %d, %a;", "f32 f32", static (a, _, _) => Bits(1 / F(a)));
        Agrees("add.ftz.f32 %d, %a, %b;", "f32 f32 f32", static (a, b, _) => Bits(Flush(Flush(F(a)) + Flush(F(b)))));
        Agrees("mul.sat.f32 %d, %a, %b;", "f32 f32 f32", static (a, b, _) => float.IsNaN(F(a) * F(b)) ? 0 : Bits(Math.Clamp(F(a) * F(b), 0, 1)) & 0x7FFFFFFF);
    }

    [Fact]
    public void Doubles()
    {
        Same("add.rn.f64 %d, %a, %b;", "f64 f64 f64", static (a, b, _) => a + b);
        Same("sub.rn.f64 %d, %a, %b;", "f64 f64 f64", static (a, b, _) => a - b);
        Same("mul.rn.f64 %d, %a, %b;", "f64 f64 f64", static (a, b, _) => a * b);
        Same("div.rn.f64 %d, %a, %b;", "f64 f64 f64", static (a, b, _) => a / b);
        Same("fma.rn.f64 %d, %a, %b, %c;", "f64 f64 f64 f64", Math.FusedMultiplyAdd);
        Same("sqrt.rn.f64 %d, %a;", "f64 f64", static (a, _, _) => Math.Sqrt(a));
        Same("neg.f64 %d, %a;", "f64 f64", static (a, _, _) => -a);
        Same("abs.f64 %d, %a;", "f64 f64", static (a, _, _) => Math.Abs(a));
    }

    [Fact]
    public void MinimumAndMaximum()
    {
        Agrees("max.f32 %d, %a, %b;", "f32 f32 f32", static (a, b, _) => float.IsNaN(F(a)) ? Bits(F(b)) : float.IsNaN(F(b)) ? Bits(F(a)) : Bits(MathF.Max(F(a), F(b))));
        Agrees("min.f32 %d, %a, %b;", "f32 f32 f32", static (a, b, _) => float.IsNaN(F(a)) ? Bits(F(b)) : float.IsNaN(F(b)) ? Bits(F(a)) : Bits(MathF.Min(F(a), F(b))));
        Agrees("max.NaN.f32 %d, %a, %b;", "f32 f32 f32", static (a, b, _) => Bits(MathF.Max(F(a), F(b))));
        Agrees("min.NaN.f32 %d, %a, %b;", "f32 f32 f32", static (a, b, _) => Bits(MathF.Min(F(a), F(b))));
        Assert.Equal(0UL, Once("max.f32 %d, %a, %b;", "f32 f32 f32", 0x80000000, 0));
        Assert.Equal(0x80000000UL, Once("min.f32 %d, %a, %b;", "f32 f32 f32", 0, 0x80000000));
        Agrees("copysign.f32 %d, %a, %b;", "f32 f32 f32", static (a, b, _) => (a & 0x80000000) | (b & 0x7FFFFFFF));
        Agrees("neg.f32 %d, %a;", "f32 f32", static (a, _, _) => a ^ 0x80000000);
        Agrees("abs.f32 %d, %a;", "f32 f32", static (a, _, _) => a & 0x7FFFFFFF);
        Agrees("testp.subnormal.f32 %d, %a;", "f32 pred", static (a, _, _) => float.IsSubnormal(F(a)) ? 1UL : 0);
    }

    [Theory]
    [InlineData("eq", false, true, false)]
    [InlineData("ne", true, false, true)]
    [InlineData("lt", true, false, false)]
    [InlineData("le", true, true, false)]
    [InlineData("gt", false, false, true)]
    [InlineData("ge", false, true, true)]
    public void ComparisonsKnowUnordered(string name, bool less, bool equal, bool greater)
    {
        ulong Expected(double x, double y, bool unordered) =>
            (double.IsNaN(x) || double.IsNaN(y) ? unordered : x < y ? less : x == y ? equal : greater) ? 1UL : 0;
        Agrees($"setp.{name}.f32 %d, %a, %b;", "f32 f32 pred", (a, b, _) => Expected(F(a), F(b), false));
        Agrees($"setp.{name}u.f32 %d, %a, %b;", "f32 f32 pred", (a, b, _) => Expected(F(a), F(b), true));
        Agrees($"setp.{name}u.f64 %d, %a, %b;", "f64 f64 pred", (a, b, _) => Expected(D(a), D(b), true));
        Assert.Equal(0UL, Once($"setp.{name}.f32 %d, %a, %b;", "f32 f32 pred", NaN, NaN));
        Assert.Equal(1UL, Once($"setp.{name}u.f32 %d, %a, %b;", "f32 f32 pred", NaN, NaN));
        Assert.Equal(equal ? 1UL : 0, Once($"setp.{name}.f32 %d, %a, %b;", "f32 f32 pred", 0, 0x80000000));
    }

    [Fact]
    public void SpecialUnitsAreRoundedCorrectly()
    {
        Agrees("ex2.approx.ftz.f32 %d, %a;", "f32 f32", static (a, _, _) => Bits(Flush((float)Math.Pow(2, Flush(F(a))))));
        Agrees("ex2.approx.f32 %d, %a;", "f32 f32", static (a, _, _) => Bits((float)Math.Pow(2, F(a))));
        Agrees("lg2.approx.f32 %d, %a;", "f32 f32", static (a, _, _) => Bits((float)Math.Log2(F(a))));
        Agrees("rcp.approx.ftz.f32 %d, %a;", "f32 f32", static (a, _, _) => Bits(Flush(1 / Flush(F(a)))));
        Agrees("rsqrt.approx.f32 %d, %a;", "f32 f32", static (a, _, _) => Bits((float)(F(a) == 0 ? double.CopySign(double.PositiveInfinity, F(a)) : 1 / Math.Sqrt(F(a)))));
        Agrees("sqrt.approx.f32 %d, %a;", "f32 f32", static (a, _, _) => Bits((float)Math.Sqrt(F(a))));
        Agrees("tanh.approx.f32 %d, %a;", "f32 f32", static (a, _, _) => Bits((float)Math.Tanh(F(a))));
        Agrees("sin.approx.f32 %d, %a;", "f32 f32", static (a, _, _) => Bits((float)Math.Sin(F(a))));
        Agrees("cos.approx.ftz.f32 %d, %a;", "f32 f32", static (a, _, _) => Bits(Flush((float)Math.Cos(Flush(F(a))))));
        Agrees("div.full.f32 %d, %a, %b;", "f32 f32 f32", static (a, b, _) => Bits(F(a) / F(b)));
        Assert.Equal(0UL, Once("div.approx.f32 %d, %a, %b;", "f32 f32 f32", 0x3F800000, 0x7F000000));
        Assert.Equal(0x7F800000UL, Once("rsqrt.approx.f32 %d, %a;", "f32 f32", 0));
    }

    [Fact]
    public void JitterStaysWithinItsUnits()
    {
        int moved = 0;
        Holds("ex2.approx.f32 %d, %a;", "f32 f32", (a, _, _, d) =>
        {
            long exact = (long)Bits((float)Math.Pow(2, F(a)));
            moved += (long)d != exact ? 1 : 0;
            return Math.Abs((long)d - exact) <= 2 ? null : $"{exact:x} ± 2";
        }, new() { Jitter = 2, Seed = 5 });
        Assert.True(moved > 100, $"only {moved} results were moved");
    }

    [Fact]
    public void HalvesAndTheirPairs()
    {
        Agrees("add.f16 %d, %a, %b;", "f16 f16 f16", static (a, b, _) => H((double)Half(a) + (double)Half(b)));
        Agrees("fma.rn.f16 %d, %a, %b, %c;", "f16 f16 f16 f16", static (a, b, c) => H(((double)Half(a) * (double)Half(b)) + (double)Half(c)));
        Agrees("mul.f16x2 %d, %a, %b;", "f16x2 f16x2 f16x2", static (a, b, _) =>
            H((double)Half(a) * (double)Half(b)) | (H((double)Half(a >> 16) * (double)Half(b >> 16)) << 16));
        Agrees("fma.rn.bf16x2 %d, %a, %b, %c;", "bf16x2 bf16x2 bf16x2 bf16x2", static (a, b, c) =>
            Brain(B(a), B(b), B(c)) | (Brain(B(a >> 16), B(b >> 16), B(c >> 16)) << 16));
        Agrees("neg.bf16x2 %d, %a;", "bf16x2 bf16x2", static (a, _, _) => a ^ 0x80008000);
        Agrees("max.NaN.bf16 %d, %a, %b;", "bf16 bf16 bf16", static (a, b, _) =>
            float.IsNaN(MathF.Max(B(a), B(b))) ? 0x7FFFUL : BitConverter.SingleToUInt32Bits(MathF.Max(B(a), B(b))) >> 16);
    }

    private static void Same(string code, string types, Func<double, double, double, double> expected) =>
        Holds(code, types, (a, b, c, d) =>
        {
            double wanted = expected(D(a), D(b), D(c));
            bool isSame = double.IsNaN(wanted) ? double.IsNaN(D(d)) : BitConverter.DoubleToUInt64Bits(wanted) == d;
            return isSame ? null : $"{wanted:r}";
        });

    private static float F(ulong raw) => BitConverter.UInt32BitsToSingle((uint)raw);

    private static double D(ulong raw) => BitConverter.UInt64BitsToDouble(raw);

    private static Half Half(ulong raw) => BitConverter.UInt16BitsToHalf((ushort)raw);

    private static ulong H(double value) => double.IsNaN(value) ? 0x7FFFUL : BitConverter.HalfToUInt16Bits((Half)value);

    private static float B(ulong raw) => BitConverter.UInt32BitsToSingle((uint)(ushort)raw << 16);

    /// <summary>a b + c rounded to the nearest bfloat16, by trying its neighbours against the exact value.</summary>
    private static ulong Brain(float a, float b, float c)
    {
        double value = ((double)a * b) + c;
        if (double.IsNaN(value))
        {
            return 0x7FFF;
        }

        if (double.IsInfinity(value))
        {
            return BitConverter.SingleToUInt32Bits((float)value) >> 16;
        }

        // Exact where products and sum fit in a decimal fraction of binary digits: compare with the midpoint as big integers scaled by 2^300.
        System.Numerics.BigInteger exact = (Scaled(a) * Scaled(b)) + (Scaled(c) << 300);
        bool isNegative = exact.Sign < 0 || (exact.IsZero && double.IsNegative(value));
        System.Numerics.BigInteger magnitude = System.Numerics.BigInteger.Abs(exact);
        uint low = 0;
        uint high = 0x7F80;
        while (high - low > 1)
        {
            uint middle = (low + high) / 2;
            if ((Scaled(B(middle)) << 300) <= magnitude)
            {
                low = middle;
            }
            else
            {
                high = middle;
            }
        }

        // Infinity stands for 2^128 when it is the upper neighbour.
        System.Numerics.BigInteger above = high == 0x7F80 ? System.Numerics.BigInteger.One << (128 + 600) : Scaled(B(high)) << 300;
        System.Numerics.BigInteger twice = magnitude * 2;
        System.Numerics.BigInteger middlePoint = (Scaled(B(low)) << 300) + above;
        uint nearest = twice > middlePoint || (twice == middlePoint && (low & 1) == 1) ? high : low;
        return nearest | (isNegative ? 0x8000u : 0);
    }

    private static System.Numerics.BigInteger Scaled(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        int exponent = (int)(bits >> 23) & 0xFF;
        System.Numerics.BigInteger significand = exponent == 0 ? bits & 0x7FFFFF : (bits & 0x7FFFFF) | 0x800000;
        System.Numerics.BigInteger scaled = significand << (Math.Max(exponent, 1) - 150 + 300);
        return (bits & 0x80000000) != 0 ? -scaled : scaled;
    }

    private static float Flush(float value) => float.IsSubnormal(value) ? MathF.CopySign(0, value) : value;

    private static ulong Bits(float value) => float.IsNaN(value) ? NaN : BitConverter.SingleToUInt32Bits(value);
}
