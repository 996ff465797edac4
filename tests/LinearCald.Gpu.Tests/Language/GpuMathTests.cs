namespace LinearCald.Gpu.Tests.Language;

/// <summary>Errors in units in the last place over all exponents, subnormal numbers included; infinities and NaN apart.</summary>
public class GpuMathTests
{
    private static readonly Dictionary<string, (Func<float, float> Ours, Func<double, double> Reference, double Ulps)> s_functions = new()
    {
        ["Exp"] = (GpuMath.Exp, Math.Exp, 1),
        ["Exp2"] = (GpuMath.Exp2, x => Math.Pow(2, x), 1),
        ["Expm1"] = (GpuMath.Expm1, ReferenceMath.Expm1, 2),
        ["Sigmoid"] = (GpuMath.Sigmoid, ReferenceMath.Sigmoid, 3),
        ["Tanh"] = (GpuMath.Tanh, Math.Tanh, 3),
        ["Log"] = (GpuMath.Log, Math.Log, 1),
        ["Log2"] = (GpuMath.Log2, Math.Log2, 2),
        ["Log1p"] = (GpuMath.Log1p, ReferenceMath.Log1p, 2),
        ["Erf"] = (GpuMath.Erf, ReferenceMath.Erf, 2),
        ["Erfc"] = (GpuMath.Erfc, ReferenceMath.Erfc, 4),
        ["Sin"] = (GpuMath.Sin, Math.Sin, 2),
        ["Cos"] = (GpuMath.Cos, Math.Cos, 2),
        ["SinPi"] = (GpuMath.SinPi, x => Math.Abs(x % 2) is var m && m is 0 or 1 ? 0 : Math.Sin(Math.PI * (x % 2)), 2),
        ["CosPi"] = (GpuMath.CosPi, x => Math.Abs(x % 1) == 0.5 ? 0 : Math.Cos(Math.PI * (x % 2)), 2),
    };

    public static TheoryData<string> Functions => [.. s_functions.Keys];

    [Theory]
    [MemberData(nameof(Functions))]
    public void EveryExponentIsWithinTheStatedError(string name)
    {
        (Func<float, float> ours, Func<double, double> reference, double ulps) = s_functions[name];
        double worst = 0;
        float at = 0;
        for (uint bits = 0; bits < 0xFFFFFFFF - 4999; bits += 4999)
        {
            float x = BitConverter.UInt32BitsToSingle(bits);
            double error = Ulps(ours(x), reference(x));
            if (!(error <= worst))
            {
                (worst, at) = (error, x);
            }
        }

        Assert.True(worst <= ulps, $"{name}({at:R}) = {ours(at):R}, should be {reference(at):R}: {worst:F2} ulp");
    }

    [Theory]
    [MemberData(nameof(Functions))]
    public void CommonArgumentsAreWithinTheStatedError(string name)
    {
        (Func<float, float> ours, Func<double, double> reference, double ulps) = s_functions[name];
        Random random = new(5);
        for (int i = 0; i < 400_000; i++)
        {
            float x = (float)((random.NextDouble() - 0.5) * Math.Pow(2, random.Next(-4, 8)));
            double error = Ulps(ours(x), reference(x));
            Assert.True(error <= ulps, $"{name}({x:R}) = {ours(x):R}, should be {reference(x):R}: {error:F2} ulp");
        }
    }

    [Theory]
    [MemberData(nameof(Functions))]
    public void SpecialValuesAreExact(string name)
    {
        (Func<float, float> ours, Func<double, double> reference, _) = s_functions[name];
        foreach (float x in new[] { 0f, -0f, float.PositiveInfinity, float.NegativeInfinity, float.NaN })
        {
            float expected = (float)reference(x);
            Assert.True(expected.Equals(ours(x)), $"{name}({x}) = {ours(x)}, should be {expected}");
        }
    }

    [Fact]
    public void OddFunctionsKeepTheSignOfZero()
    {
        foreach (Func<float, float> f in new Func<float, float>[] { GpuMath.Expm1, GpuMath.Tanh, GpuMath.Log1p, GpuMath.Erf, GpuMath.Sin, GpuMath.SinPi })
            Assert.True(float.IsNegative(f(-0f)) && !float.IsNegative(f(0f)));
    }

    [Fact]
    public void PowIsWithinOneUlpAndKeepsTheSpecialCases()
    {
        float[] special = [0, -0f, 1, -1, 0.5f, -0.5f, 2, -2, 3, -3, 2.5f, 1e30f, -1e30f, 1e-40f, 16777216f, -16777217f, float.PositiveInfinity, float.NegativeInfinity, float.NaN];
        foreach (float x in special)
        {
            foreach (float y in special)
            {
                double expected = Math.Pow(x, y);
                float actual = GpuMath.Pow(x, y);
                Assert.True(Ulps(actual, expected) <= 1 && (actual != 0 || float.IsNegative(actual) == double.IsNegative(expected)), $"{x}^{y} = {actual}, should be {expected}");
            }
        }

        Random random = new(6);
        for (int i = 0; i < 200_000; i++)
        {
            float x = (float)Math.Exp((random.NextDouble() - 0.5) * 20);
            float y = (float)((random.NextDouble() - 0.5) * 20);
            Assert.True(Ulps(GpuMath.Pow(x, y), Math.Pow(x, y)) <= 1, $"{x:R}^{y:R}");
        }
    }

    [Fact]
    public void DoubleExpAndLogAreWithinOneUlp()
    {
        Random random = new(7);
        for (int i = 0; i < 500_000; i++)
        {
            double x = (random.NextDouble() - 0.5) * (i % 2 == 0 ? 1500 : 4);
            CheckDouble("exp", x, GpuMath.Exp(x), Math.Exp(x));
            double y = BitConverter.Int64BitsToDouble((long)(random.NextDouble() * 0x7FF0000000000000));
            CheckDouble("log", y, GpuMath.Log(y), Math.Log(y));
            double near = 1 + ((random.NextDouble() - 0.5) / 4);
            CheckDouble("log", near, GpuMath.Log(near), Math.Log(near));
        }

        foreach (double x in new[] { 0, -0.0, 1, -1, double.PositiveInfinity, double.NegativeInfinity, double.NaN, double.Epsilon, -745.2, 709.9 })
        {
            CheckDouble("exp", x, GpuMath.Exp(x), Math.Exp(x));
            CheckDouble("log", x, GpuMath.Log(x), Math.Log(x));
        }
    }

    private static void CheckDouble(string name, double x, double actual, double expected)
    {
        if (!actual.Equals(expected))
        {
            double ulp = Math.Max(Math.BitIncrement(Math.Abs(expected)) - Math.Abs(expected), double.Epsilon);

            // The reference itself is off by up to half a unit.
            Assert.True(Math.Abs(actual - expected) <= ulp, $"{name}({x:R}) = {actual:R}, should be {expected:R}");
        }
    }

    /// <summary>The distance in units of the last place of the rounded reference; 0 for equal infinities and for NaN on both sides.</summary>
    private static double Ulps(float actual, double expected)
    {
        float rounded = (float)expected;
        if (actual.Equals(rounded))
        {
            return 0;
        }

        if (!float.IsFinite(actual) || float.IsNaN(rounded))
        {
            // Next to the largest number, infinity is one unit away.
            return float.IsInfinity(actual) && Math.Abs(expected) > 3.4028e38 && Math.Sign(actual) == Math.Sign(expected) ? 1 : double.PositiveInfinity;
        }

        double magnitude = Math.Min(Math.Abs((double)rounded), float.MaxValue);
        double ulp = magnitude < 1.17549435e-38 ? float.Epsilon : Math.Pow(2, Math.ILogB(magnitude) - 23);
        return Math.Abs(actual - Math.Min(Math.Max(expected, -3.4028236692093846e38), 3.4028236692093846e38)) / ulp;
    }
}
