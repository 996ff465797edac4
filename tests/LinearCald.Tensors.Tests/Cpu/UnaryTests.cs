using LinearCald.Tensors.Cpu;

namespace LinearCald.Tensors.Tests.Cpu;

[Collection("CPU kernels")]
public unsafe class UnaryTests
{
    public static TheoryData<string> Kinds => [.. Enum.GetNames<UnaryKind>()];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Forward_agrees_with_its_reference(string name)
    {
        UnaryKind kind = Enum.Parse<UnaryKind>(name);
        KernelShapes.ForAllLengths((length, seed) =>
        {
            float[] values = Inputs<float>(kind, length, seed);
            using KernelBuffer<float> x = new(values), y = new(length);
            Unary.Forward<float>(kind, x, y, length);
            double terms = kind is UnaryKind.Gelu or UnaryKind.GeluTanh ? Math.Sqrt(values.Sum(v => (double)v * v)) : 0; // x/2 · (1 + erf …): the sum cancels for negative x
            KernelData.Close<float>(y.Span, [.. values.Select(v => UnaryReference.Forward(kind, v))], 4e-7, name, scale: 1 + terms);

            Unary.Forward<float>(kind, x, x, length);
            Assert.Equal(y.ToArray(), x.ToArray());
        });
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Gradient_is_the_central_difference_in_float64(string name)
    {
        UnaryKind kind = Enum.Parse<UnaryKind>(name);
        const int Count = 203;
        const double Step = 1e-5;
        double[] values = Inputs<double>(kind, Count, 3), weights = KernelData.Normal<double>(Count, 4);
        double[] expected = new double[Count];
        for (int i = 0; i < Count; i++)
        {
            values[i] = Math.Abs(values[i]) < 0.01 ? 0.5 : values[i]; // away from the corner of ReLU
            double slope = (UnaryReference.Forward(kind, values[i] + Step) - UnaryReference.Forward(kind, values[i] - Step)) / (2 * Step);
            expected[i] = slope * weights[i];
        }

        using KernelBuffer<double> x = new(values), y = new(Count), dy = new(weights), dx = new(Count);
        Unary.Forward<double>(kind, x, y, Count);
        KernelData.Close<double>(y.Span, [.. values.Select(v => UnaryReference.Forward(kind, v))], 1e-14, name);
        double* saved = Unary.SavesOutput(kind) ? y : x;
        Unary.Backward(kind, saved, dy, dx, Count, accumulate: false);
        KernelData.Close<double>(dx.Span, expected, 2e-8, name);

        Unary.Backward(kind, saved, dy, dx, Count, accumulate: true);
        KernelData.Close<double>(dx.Span, [.. expected.Select(e => 2 * e)], 2e-8, name);

        using KernelBuffer<float> x32 = new([.. values.Select(v => (float)v)]), y32 = new(Count), dx32 = new(Count), dy32 = new([.. weights.Select(v => (float)v)]);
        Unary.Forward<float>(kind, x32, y32, Count);
        Unary.Backward<float>(kind, Unary.SavesOutput(kind) ? y32 : x32, dy32, dx32, Count, accumulate: false);
        KernelData.Close<float>(dx32.Span, expected, 1e-6, name);
    }

    [Theory]
    [InlineData(nameof(UnaryKind.Gelu), "gelu_erf")]
    [InlineData(nameof(UnaryKind.GeluTanh), "gelu_tanh")]
    [InlineData(nameof(UnaryKind.Silu), "silu")]
    [InlineData(nameof(UnaryKind.Softplus), "softplus")]
    public void Golden_values(string name, string op)
    {
        UnaryKind kind = Enum.Parse<UnaryKind>(name);
        GoldenOps golden = GoldenOps.Load("ops");
        using KernelBuffer<float> x = new(golden.Float($"{op}.x")), dy = new(golden.Float($"{op}.grad_out")), y = new(x.Count), dx = new(x.Count);
        Unary.Forward<float>(kind, x, y, x.Count);
        Unary.Backward<float>(kind, x, dy, dx, x.Count, accumulate: false);
        KernelData.Close<float>(y.Span, golden.Double($"{op}.out"), 1e-6, op);
        KernelData.Close<float>(dx.Span, golden.Double($"{op}.grad.x"), 1e-6, op);
    }

    [Fact]
    public void Affine_scales_and_shifts()
    {
        KernelShapes.ForAllLengths((length, seed) =>
        {
            double[] values = KernelData.Normal<double>(length, seed);
            using KernelBuffer<double> x = new(values), y = new(length);
            Unary.Affine<double>(x, 3, -2, y, length);
            KernelData.Close<double>(y.Span, [.. values.Select(v => (3 * v) - 2)], 1e-15);
            Unary.Affine<double>(x, 3, 0, y, length);
            KernelData.Close<double>(y.Span, [.. values.Select(v => 3 * v)], 1e-15);
        });
    }

    [Fact]
    public void Same_bits_on_any_thread_count()
    {
        float[] values = KernelData.Normal<float>(100_001, 5);
        KernelData.SameBitsOnAnyThreadCount(() =>
        {
            using KernelBuffer<float> x = new(values), y = new(values.Length);
            Unary.Forward<float>(UnaryKind.Gelu, x, y, values.Length);
            return y.ToArray();
        });
    }

    private static T[] Inputs<T>(UnaryKind kind, int count, int seed)
        where T : unmanaged, System.Numerics.INumberBase<T> =>
        kind is UnaryKind.Log or UnaryKind.Sqrt
            ? Array.ConvertAll(KernelData.Normal<T>(count, seed), v => T.Abs(v) + T.CreateTruncating(0.05))
            : KernelData.Normal<T>(count, seed, 3);
}
