using System.Numerics;
using FsCheck;
using FsCheck.Fluent;
using LinearCald.Tensors.Cpu;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Tests.Cpu;

[Collection("CPU kernels")]
public unsafe class Conv1dTests
{
    private static Arbitrary<(Conv1dShape Shape, int Seed)> Cases() => (
        from batch in Gen.Choose(1, 3)
        from groups in Gen.Frequency((3, Gen.Constant(1)), (2, Gen.Choose(2, 4)))
        from inputs in Gen.Frequency((2, Gen.Constant(1)), (5, Gen.Choose(1, 9)), (1, Gen.Choose(33, 40)))
        from outputs in Gen.Frequency((5, Gen.Choose(1, 20)), (2, Gen.Choose(60, 80)))
        from taps in Gen.Choose(1, 11)
        from stride in Gen.Frequency((2, Gen.Constant(1)), (3, Gen.Choose(2, 6)), (1, Gen.Constant(13)))
        from padding in Gen.Frequency((2, Gen.Constant(0)), (1, Gen.Choose(1, 12)))
        from more in Gen.Frequency((4, Gen.Choose(0, 12)), (3, Gen.Choose(30, 90)), (1, Gen.Choose(300, 500)))
        from seed in Gen.Choose(0, 100_000)
        select (new Conv1dShape(batch, Math.Max(1, taps - (2 * padding)) + more, inputs * groups, outputs * groups, taps, stride, padding, groups), seed)).ToArbitrary();

    [Fact]
    public void Products_agree_with_the_reference() => Prop.ForAll(Cases(), c =>
    {
        Check<float>(c.Shape, c.Seed, 3e-6);
        Check<double>(c.Shape, c.Seed, 1e-13);
    }).Holds(KernelShapes.Cases);

    [Fact]
    public void Same_bits_on_any_thread_count()
    {
        foreach (Conv1dShape shape in (ReadOnlySpan<Conv1dShape>)[new(2, 700, 24, 40, 3, 2, 0, 1), new(2, 90, 32, 32, 16, 1, 8, 2), new(1, 4000, 1, 70, 10, 5, 0, 1)])
        {
            float[] values = KernelData.Normal<float>(Count(shape).X, 5), weights = KernelData.Normal<float>(Count(shape).W, 6);
            KernelData.SameBitsOnAnyThreadCount(() =>
            {
                using KernelBuffer<float> x = new(values), w = new(weights), y = new(Count(shape).Y), dx = new(values.Length), dw = new(weights.Length);
                Conv1d.Forward<float>(shape, x, w, w, Activation.GeluErf, null, y);
                Conv1d.InputGradient<float>(shape, y, w, dx);
                Conv1d.WeightGradient<float>(shape, y, x, dw);
                return (float[])[.. y.ToArray(), .. dx.ToArray(), .. dw.ToArray()];
            });
        }
    }

    private static (int X, int W, int Y) Count(Conv1dShape s) =>
        (s.Batch * s.Length * s.Inputs, s.Outputs * s.Taps * s.GroupInputs, s.Batch * s.OutputLength * s.Outputs);

    private static void Check<T>(Conv1dShape shape, int seed, double budget)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (int inputs, int weights, int outputs) = Count(shape);
        using KernelBuffer<T> x = new(KernelData.Normal<T>(inputs, seed)), w = new(KernelData.Normal<T>(weights, seed + 1)), bias = new(KernelData.Normal<T>(shape.Outputs, seed + 2));
        using KernelBuffer<T> gh = new(KernelData.Normal<T>(outputs, seed + 3)), y = new(outputs), before = new(outputs), dx = new(inputs), dw = new(weights);
        double[] input = KernelData.ToDouble(x.ToArray()), weight = KernelData.ToDouble(w.ToArray()), given = KernelData.ToDouble(gh.ToArray());
        double[] expected = Conv1dReference.Forward(shape, input, weight, seed % 2 == 0 ? KernelData.ToDouble(bias.ToArray()) : []);
        T* shift = seed % 2 == 0 ? bias.Pointer : null;
        double terms = Math.Sqrt(shape.Taps * shape.GroupInputs);
        Conv1d.Forward<T>(shape, x, w, shift, Activation.None, null, y);
        KernelData.Close<T>(y.Span, expected, budget, $"y of {shape}", terms);
        Conv1d.Forward<T>(shape, x, w, shift, Activation.Silu, before, y);
        KernelData.Close<T>(before.Span, expected, budget, $"the sums of {shape}", terms);
        KernelData.Close<T>(y.Span, [.. expected.Select(v => v / (1 + Math.Exp(-v)))], budget, $"y with an activation of {shape}", terms);

        (double[] ex, double[] ew) = Conv1dReference.Backward(shape, given, input, weight);
        Conv1d.InputGradient<T>(shape, gh, w, dx);
        KernelData.Close<T>(dx.Span, ex, budget, $"dx of {shape}", Math.Sqrt(shape.Taps * shape.GroupOutputs));
        Conv1d.WeightGradient<T>(shape, gh, x, dw);
        KernelData.Close<T>(dw.Span, ew, budget, $"dw of {shape}", Math.Sqrt(shape.Batch * shape.OutputLength));
    }
}
