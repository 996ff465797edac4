using FsCheck;
using FsCheck.Fluent;
using LinearCald.Gpu;
using LinearCald.Tensors.Cpu;
using LinearCald.Tensors.Ops;
using Arithmetic = LinearCald.Tensors.Ops.BinaryKind;

namespace LinearCald.Tensors.Cuda.Tests.Elementwise;

/// <summary>Test bodies for elementwise kernels on any accelerator.</summary>
internal static unsafe class ElementwiseChecks
{
    public static readonly Activation[] Activations = [.. Enum.GetValues<Activation>().Where(f => f != Activation.None)];

    private static readonly Arithmetic[] s_kinds = Enum.GetValues<Arithmetic>();

    /// <summary>Lengths around those of vectors and groups, and where the first element lies.</summary>
    private static readonly Gen<(int Count, int Offset, int Seed)> s_cases =
        from count in Gen.OneOf(Gen.Choose(0, 40), Gen.Elements(1023, 4096, 4101, 8192, 8203), Gen.Choose(41, 9000))
        from offset in Gen.Elements(0, 0, 0, 1, 4)
        from seed in Gen.Choose(1, 1000000)
        select (count, offset, seed);

    public static void Unary(Accelerator accelerator, Activation f, DType type) => ForAll((count, offset, seed) =>
    {
        double[] values = Inputs(f, type, count, seed);
        using DeviceArray x = DeviceArray.Of(accelerator, type, values, offset), y = new(accelerator, type, count, offset);
        Kernels.Elementwise.Unary(accelerator, f, type, x.Address, y.Address, count);
        double[] expected = [.. values.Select(v => UnaryReference.Forward(KindOf(f), v))];
        double[] terms = f is Activation.GeluErf or Activation.GeluTanh ? values : expected; // x/2 · (1 + erf …): the sum cancels for negative x
        Errors.Close(expected, y.Read(), terms, Errors.Budget(type), $"{f} of {type}");

        Kernels.Elementwise.Unary(accelerator, f, type, x.Address, x.Address, count);
        Assert.Equal(y.Bytes(), x.Bytes());
    });

    public static void UnaryGradient(Accelerator accelerator, Activation f, DType type) => ForAll((count, offset, seed) =>
    {
        double[] values = Inputs(f, type, count, seed), weights = Normal(type, count, seed + 1), expected = new double[count];
        if (f.SavesOutput())
        {
            values = DeviceArray.Stored(type, values.Select(v => UnaryReference.Forward(KindOf(f), v)));
        }

        fixed (double* saved = values, dy = weights, dx = expected)
        {
            Cpu.Unary.Backward(KindOf(f), saved, dy, dx, count, accumulate: false);
        }

        using DeviceArray x = DeviceArray.Of(accelerator, type, values, offset), gy = DeviceArray.Of(accelerator, type, weights, offset);
        using DeviceArray gx = new(accelerator, type, count, offset);
        Kernels.Elementwise.UnaryGradient(accelerator, f, type, x.Address, gy.Address, gx.Address, count);
        Errors.Close(expected, gx.Read(), Terms(f, values, weights, expected), 2 * Errors.Budget(type), $"gradient of {f} of {type}");

        Kernels.Elementwise.UnaryGradient(accelerator, f, type, x.Address, gy.Address, gy.Address, count);
        Assert.Equal(gx.Bytes(), gy.Bytes());
    });

    /// <summary>One shape, a repeated row, one element: exact.</summary>
    public static void Binary(Accelerator accelerator, DType type) => ForAll((count, offset, seed) =>
    {
        Arithmetic kind = s_kinds[seed % s_kinds.Length];
        int[] widths = [count, 1, 5, 24, 256];
        foreach (int width in widths)
        {
            int whole = width == 0 ? 0 : count / width * width;
            double[] left = Normal(type, whole, seed), right = Normal(type, width, seed + 1);
            using DeviceArray a = DeviceArray.Of(accelerator, type, left, offset), b = DeviceArray.Of(accelerator, type, right, offset);
            using DeviceArray y = new(accelerator, type, whole, offset);
            Kernels.Elementwise.Binary(accelerator, kind, type, a.Address, b.Address, width, y.Address, whole);
            double[] expected = DeviceArray.Stored(
                type, left.Select((v, i) => (double)BinaryReference.Apply((Cpu.BinaryKind)Enum.Parse<Cpu.BinaryKind>(kind.ToString()), (float)v, (float)right[i % width])));
            Assert.Equal(expected, y.Read());
        }
    });

    public static void AddInPlace(Accelerator accelerator, DType type) => ForAll((count, offset, seed) =>
    {
        double[] left = Normal(type, count, seed), right = Normal(type, count, seed + 1);
        using DeviceArray y = DeviceArray.Of(accelerator, type, left, offset), x = DeviceArray.Of(accelerator, type, right, seed % 2 == 0 ? offset : 0);
        Kernels.Elementwise.AddInPlace(accelerator, type, y.Address, x.Address, count);
        Assert.Equal(DeviceArray.Stored(type, left.Select((v, i) => (double)((float)v + (float)right[i]))), y.Read());
    });

    public static void Affine(Accelerator accelerator, DType type) => ForAll((count, offset, seed) =>
    {
        float factor = 1.7f, shift = seed % 2 == 0 ? 0f : -0.3f;
        double[] values = Normal(type, count, seed);
        using DeviceArray x = DeviceArray.Of(accelerator, type, values, offset), y = new(accelerator, type, count, offset);
        Kernels.Elementwise.Affine(accelerator, type, x.Address, factor, shift, y.Address, count);
        Assert.Equal(DeviceArray.Stored(type, values.Select(v => (double)MathF.FusedMultiplyAdd((float)v, factor, shift))), y.Read());
    });

    /// <summary>Where functions saturate, and what is not finite.</summary>
    public static void Extremes(Accelerator accelerator)
    {
        float[] values = [0f, -0f, 1e-30f, -1e-30f, 20f, -20f, 87f, -87f, 88f, -88f, 100f, -100f, 1e30f, -1e30f, float.PositiveInfinity, float.NaN];
        foreach (Activation f in Activations)
        {
            using DeviceArray x = DeviceArray.Of<float>(accelerator, DType.Float32, values), y = new(accelerator, DType.Float32, values.Length);
            Kernels.Elementwise.Unary(accelerator, f, DType.Float32, x.Address, y.Address, values.Length);
            float[] actual = y.ToArray<float>();
            for (int i = 0; i < values.Length; i++)
            {
                float expected = (float)UnaryReference.Forward(KindOf(f), values[i]);
                bool same = float.IsNaN(expected) ? float.IsNaN(actual[i]) : expected == actual[i] || MathF.Abs(expected - actual[i]) <= 2e-6f * MathF.Abs(expected) + 1e-35f;
                Assert.True(same, $"{f}({values[i]}) = {actual[i]}, expected {expected}");
            }
        }
    }

    public static double[] Normal(DType type, int count, int seed)
    {
        Random random = new(seed);
        return DeviceArray.Stored(type, Enumerable.Range(0, count).Select(_ =>
            Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())));
    }

    public static void ForAll(Action<int, int, int> body, int cases = 6) =>
        Prop.ForAll(s_cases.ToArbitrary(), c => body(c.Count, c.Offset, c.Seed)).Holds(cases);

    /// <summary>The derivative of x · h(x), h + x · h′, is a sum that cancels where the function has its minimum.</summary>
    private static double[] Terms(Activation f, double[] x, double[] gy, double[] expected) => f is Activation.GeluErf or Activation.GeluTanh or Activation.Silu
        ? [.. expected.Select((e, i) =>
        {
            double first = x[i] == 0 ? e : gy[i] * UnaryReference.Forward(KindOf(f), x[i]) / x[i];
            return Math.Abs(first) + Math.Abs(e - first);
        })]
        : expected;

    private static double[] Inputs(Activation f, DType type, int count, int seed)
    {
        double[] values = Normal(type, count, seed);
        return f is Activation.Log or Activation.Sqrt
            ? DeviceArray.Stored(type, values.Select(v => Math.Abs(v) + 0.01))
            : DeviceArray.Stored(type, values.Select(v => 2 * v));
    }

    private static UnaryKind KindOf(Activation f) => f == Activation.GeluErf ? UnaryKind.Gelu : Enum.Parse<UnaryKind>(f.ToString());
}
