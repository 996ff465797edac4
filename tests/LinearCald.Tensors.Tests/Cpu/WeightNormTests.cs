using System.Numerics;
using LinearCald.Tensors.Cpu;

namespace LinearCald.Tensors.Tests.Cpu;

[Collection("CPU kernels")]
public unsafe class WeightNormTests
{
    [Fact]
    public void Forward_and_backward_agree_with_the_reference() => KernelShapes.ForAllMatrices((rows, taps, seed) =>
    {
        Check<float>(rows + 1, taps, seed, 5e-6);
        Check<double>(rows + 1, taps, seed, 1e-13);
    });

    private static void Check<T>(int rows, int taps, int seed, double budget)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int count = rows * taps;
        using KernelBuffer<T> v = new(KernelData.Normal<T>(count, seed)), g = new(KernelData.Normal<T>(taps, seed + 1)), gw = new(KernelData.Normal<T>(count, seed + 2));
        using KernelBuffer<T> w = new(count), norm = new(taps), dv = new(count), dg = new(taps);
        double[] direction = KernelData.ToDouble(v.ToArray()), magnitude = KernelData.ToDouble(g.ToArray());
        WeightNorm.Forward<T>(rows, taps, v, g, w, norm);
        KernelData.Close<T>(w.Span, WeightNormReference.Forward(taps, direction, magnitude), budget, $"w of {rows} x {taps}");

        (double[] ev, double[] eg) = WeightNormReference.Backward(taps, KernelData.ToDouble(gw.ToArray()), direction, magnitude);
        double terms = Math.Sqrt(count) * magnitude.Zip(norm.ToArray(), (m, n) => Math.Abs(m) / double.CreateTruncating(n)).Max();
        WeightNorm.Backward<T>(rows, taps, gw, v, g, norm, dv, false, dg, false);
        KernelData.Close<T>(dv.Span, ev, budget, $"dv of {rows} x {taps}", terms);
        KernelData.Close<T>(dg.Span, eg, budget, $"dg of {rows} x {taps}", Math.Sqrt(taps));
        WeightNorm.Backward<T>(rows, taps, gw, v, g, norm, dv, true, dg, true);
        KernelData.Close<T>(dv.Span, [.. ev.Select(d => 2 * d)], budget, $"dv added for {rows} x {taps}", 2 * terms);
        KernelData.Close<T>(dg.Span, [.. eg.Select(d => 2 * d)], budget, $"dg added for {rows} x {taps}", Math.Sqrt(taps));
    }
}
