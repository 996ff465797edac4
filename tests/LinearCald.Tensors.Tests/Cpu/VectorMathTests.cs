using LinearCald.Tensors.Cpu;

namespace LinearCald.Tensors.Tests.Cpu;

public unsafe class VectorMathTests
{
    private enum Function
    {
        Exp,
        Exp2,
        Log,
        Log1p,
        Log1pOfUnit,
        Sigmoid,
        Tanh,
        Erf,
    }

    [Theory]
    [InlineData(nameof(Function.Exp), -104.5, 89.5, 1.1)]
    [InlineData(nameof(Function.Exp2), -150.5, 128.5, 1.1)]
    [InlineData(nameof(Function.Exp2), -1e-3, 1e-3, 1.1)]
    [InlineData(nameof(Function.Log), 1e-38, 1e3, 1.5)]
    [InlineData(nameof(Function.Log), 1e-42, 1e-37, 1.5)]
    [InlineData(nameof(Function.Log1p), 0, 1, 3)]
    [InlineData(nameof(Function.Log1p), 0, 1e-5, 2.5)]
    [InlineData(nameof(Function.Log1pOfUnit), 0, 1, 3)]
    [InlineData(nameof(Function.Log1pOfUnit), 0, 1e-5, 2.5)]
    [InlineData(nameof(Function.Sigmoid), -87, 40, 2.5)]
    [InlineData(nameof(Function.Tanh), -12, 12, 2.5)]
    [InlineData(nameof(Function.Tanh), -1e-3, 1e-3, 2.5)]
    [InlineData(nameof(Function.Erf), -5, 5, 6)]
    [InlineData(nameof(Function.Erf), -1e-3, 1e-3, 3.5)]
    public void Float32_is_within_a_few_ulp_at_every_width(string name, double from, double to, double ulps)
    {
        Function function = Enum.Parse<Function>(name);
        const int Count = 40000;
        float[] x = new float[Count];
        for (int i = 0; i < Count; i++)
        {
            x[i] = (float)(from + ((to - from) * i / (Count - 1)));
        }

        float worst = 0;
        foreach (float[] y in AtEveryWidth(function, x))
        {
            for (int i = 0; i < Count; i++)
            {
                double expected = Expected(function, x[i]);
                float rounded = (float)expected;
                if (float.IsInfinity(rounded))
                {
                    Assert.Equal(rounded, y[i]);
                    continue;
                }

                float ulp = MathF.BitIncrement(Math.Abs(rounded)) - Math.Abs(rounded);
                worst = Math.Max(worst, (float)(Math.Abs(y[i] - expected) / ulp));
                Assert.False(float.IsNaN(y[i]), $"{function}({x[i]}) is NaN");
            }
        }

        Assert.True(worst <= ulps, $"{function} is off by {worst} ulp");
    }

    [Theory]
    [InlineData(nameof(Function.Exp), -740, 709)]
    [InlineData(nameof(Function.Exp2), -60, 60)]
    [InlineData(nameof(Function.Log), 1e-300, 1e3)]
    [InlineData(nameof(Function.Log1p), 0, 1e-9)]
    [InlineData(nameof(Function.Sigmoid), -700, 40)]
    [InlineData(nameof(Function.Tanh), -20, 20)]
    [InlineData(nameof(Function.Tanh), -1e-6, 1e-6)]
    public void Float64_is_good_to_1e_14(string name, double from, double to)
    {
        Function function = Enum.Parse<Function>(name);
        const int Count = 4096;
        double[] x = new double[Count];
        for (int i = 0; i < Count; i++)
        {
            x[i] = from + ((to - from) * i / (Count - 1));
        }

        foreach (double[] y in AtEveryWidth(function, x))
        {
            for (int i = 0; i < Count; i++)
            {
                double expected = Expected(function, x[i]);
                double error = Math.Abs(y[i] - expected);
                Assert.True(error <= (1e-14 * Math.Abs(expected)) + 5e-324, $"{function}({x[i]:R}) = {y[i]:R}, not {expected:R}");
            }
        }
    }

    /// <summary>Values computed with 40 digits by mpmath.</summary>
    public static TheoryData<double, double> ErfValues => new()
    {
        { 1e-10, 1.1283791670955126e-10 },
        { 0.001, 0.0011283787909692365 },
        { 0.1, 0.1124629160182849 },
        { 0.5, 0.5204998778130465 },
        { 0.9, 0.7969082124228322 },
        { 1.3, 0.9340079449406524 },
        { 2.0, 0.9953222650189527 },
        { 2.5, 0.999593047982555 },
        { 2.999, 0.9999777698314002 },
        { 3.0, 0.9999779095030014 },
        { 3.001, 0.9999780483390822 },
        { 3.5, 0.9999992569016276 },
        { 4.2, 0.9999999971445058 },
        { 5.0, 0.9999999999984626 },
        { 5.9, 0.9999999999999999 },
        { 7.0, 1.0 },
    };

    [Theory]
    [MemberData(nameof(ErfValues))]
    public void Erf_of_a_double_is_good_to_1e_15(double x, double expected)
    {
        Assert.InRange(VectorMath.Erf(x), expected * (1 - 1e-15), expected * (1 + 1e-15));
        Assert.Equal(-VectorMath.Erf(x), VectorMath.Erf(-x));
        Assert.Equal(VectorMath.Erf(x), VectorMath.Erf<Wide512<double>, double>(Wide512<double>.Broadcast(x)).Value[5]);
    }

    [Fact]
    public void Limits_and_NaN()
    {
        foreach (Function function in Enum.GetValues<Function>())
        {
            foreach (float[] y in AtEveryWidth(function, [.. Enumerable.Repeat(float.NaN, 16)]))
            {
                Assert.All(y, v => Assert.True(float.IsNaN(v), $"{function}(NaN) = {v}"));
            }
        }

        float inf = float.PositiveInfinity;
        foreach (float sign in (float[])[1, -1])
        {
            float[] x = [.. Enumerable.Repeat(sign * inf, 16)];
            Assert.All(AtEveryWidth(Function.Exp, x), y => Assert.Equal(sign > 0 ? inf : 0f, y[3]));
            Assert.All(AtEveryWidth(Function.Sigmoid, x), y => Assert.Equal(sign > 0 ? 1f : 0f, y[3]));
            Assert.All(AtEveryWidth(Function.Tanh, x), y => Assert.Equal(sign, y[3]));
            Assert.All(AtEveryWidth(Function.Erf, x), y => Assert.Equal(sign, y[3], 1.2e-7f));
        }
    }

    private static double Expected(Function function, double x) => function switch
    {
        Function.Exp => Math.Exp(x),
        Function.Exp2 => Math.Pow(2, x),
        Function.Log => Math.Log(x),
        Function.Log1p or Function.Log1pOfUnit => x < 1e-4 ? x - (x * x / 2) + (x * x * x / 3) - (x * x * x * x / 4) : Math.Log(1 + x),
        Function.Sigmoid => 1 / (1 + Math.Exp(-x)),
        Function.Tanh => Math.Tanh(x),
        _ => VectorMath.Erf(x),
    };

    private static IEnumerable<T[]> AtEveryWidth<T>(Function function, T[] x)
        where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T> =>
        [Run<Wide512<T>, T>(function, x), Run<Wide256<T>, T>(function, x), Run<Wide128<T>, T>(function, x), Run<Lane<T>, T>(function, x)];

    private static T[] Run<TV, T>(Function function, T[] x)
        where TV : unmanaged, ISimd<TV, T>
        where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T>
    {
        T[] y = new T[x.Length];
        fixed (T* source = x, destination = y)
        {
            for (int i = 0; i < x.Length; i += TV.Width)
            {
                TV v = TV.Load(source + i);
                v = function switch
                {
                    Function.Exp => VectorMath.Exp<TV, T>(v),
                    Function.Exp2 => VectorMath.Exp2<TV, T>(v),
                    Function.Log => VectorMath.Log<TV, T>(v),
                    Function.Log1p => VectorMath.Log1p<TV, T>(v),
                    Function.Log1pOfUnit => VectorMath.Log1pOfUnit<TV, T>(v),
                    Function.Sigmoid => VectorMath.Sigmoid<TV, T>(v),
                    Function.Tanh => VectorMath.Tanh<TV, T>(v),
                    _ => VectorMath.Erf<TV, T>(v),
                };
                v.Store(destination + i);
            }
        }

        return y;
    }
}
