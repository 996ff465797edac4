using LinearCald.Gpu;
using LinearCald.Tensors.Cpu;
using LinearCald.Tensors.Cuda.Kernels;

namespace LinearCald.Tensors.Cuda.Tests.Elementwise;

/// <summary>Test bodies for AdamW and norms of gradients.</summary>
internal static unsafe class OptimiserChecks
{
    private static readonly AdamWStep s_step = new(1e-2, 0.9, 0.999, 1e-8, 0.1, 0.5, 3);

    public static void Single(Accelerator accelerator) => ElementwiseChecks.ForAll((count, offset, seed) =>
    {
        Slot slot = new(accelerator, count, offset, seed);
        using (slot)
        {
            Optimiser.AdamW(accelerator, slot.P.Address, slot.G.Address, slot.M.Address, slot.V.Address, count, s_step);
            slot.Compare(s_step);
        }
    });

    public static void Lengths(Accelerator accelerator)
    {
        foreach (int count in new[] { AdamWKernels.Chunk, AdamWKernels.Chunk + 5, (2 * AdamWKernels.Chunk) + 1028 })
        {
            using Slot slot = new(accelerator, count, 0, count);
            Optimiser.AdamW(accelerator, slot.P.Address, slot.G.Address, slot.M.Address, slot.V.Address, count, s_step);
            slot.Compare(s_step);
        }
    }

    public static void SumOfSquares(Accelerator accelerator, DType type)
    {
        ElementwiseChecks.ForAll((count, offset, seed) => Sum(accelerator, type, count, offset, seed));
        Sum(accelerator, type, SumOfSquaresKernels.Chunk, 0, 1);
        Sum(accelerator, type, (3 * SumOfSquaresKernels.Chunk) + 77, 0, 2);
    }

    /// <summary>Many tensors in one step: norm, clipping, decay by tensor, gradients that only count; then again with other numbers and addresses, recorded.</summary>
    public static void Many(Accelerator accelerator, double clipNorm)
    {
        int[] counts = [1, 4096, 20000, 7, 33000, 0];
        List<Slot> slots = [.. counts.Select((count, i) => new Slot(accelerator, count, i == 3 ? 1 : 0, i + 1) { Decays = i % 2 == 0 })];
        double[] frozen = ElementwiseChecks.Normal(DType.Float32, 100, 50);
        using DeviceArray other = DeviceArray.Of(accelerator, DType.Float32, frozen);
        using DeviceBuffer<double> total = accelerator.Allocate<double>(1), leftOut = accelerator.Allocate<double>([0]);
        using MultiTensorAdamW optimiser = new(accelerator);
        TensorTableEntry[] entries = [.. slots.Select(s => s.Entry), new TensorTableEntry(0, other.Address, 0, 0, 100, false)];
        double sum = frozen.Sum(v => v * v) + slots.Sum(s => s.Gradient.Sum(v => v * v));
        optimiser.Prepare(entries, s_step, clipNorm);
        accelerator.BeginCapture();
        optimiser.Launch(total.Address, leftOut.Address);
        using CapturedGraph graph = accelerator.EndCapture();
        for (int round = 0; round < 2; round++)
        {
            AdamWStep step = s_step with { Step = 3 + round, LearningRate = s_step.LearningRate / (round + 1) };
            optimiser.Prepare(entries, step, clipNorm);
            graph.Launch();
            Assert.Equal(sum, total.ToArray()[0], sum * 1e-12);
            double norm = Math.Sqrt(sum) * step.GradientScale;
            AdamWStep clipped = step with { GradientScale = step.GradientScale * Math.Min(1, clipNorm / (norm + 1e-6)) };
            foreach (Slot slot in slots)
            {
                slot.Compare(slot.Decays ? clipped : clipped with { WeightDecay = 0 });
            }
        }

        slots.ForEach(s => s.Dispose());
    }

    /// <summary>One gradient that is not finite, twice: nothing changes, the total says so, and the next update is the one it would have been.</summary>
    public static void NotFinite(Accelerator accelerator, float bad)
    {
        using Slot a = new(accelerator, 5000, 0, 1), b = new(accelerator, 300, 0, 2);
        double[] gradient = [.. b.Gradient];
        gradient[299] = bad;
        b.G.Write(gradient);
        byte[] before = a.P.Bytes(), moments = b.V.Bytes();
        using DeviceBuffer<double> total = accelerator.Allocate<double>(1), leftOut = accelerator.Allocate<double>([0]);
        using MultiTensorAdamW optimiser = new(accelerator);
        for (int missing = 0; missing < 2; missing++)
        {
            optimiser.Prepare([a.Entry, b.Entry], s_step with { Step = s_step.Step + missing }, double.PositiveInfinity);
            optimiser.Launch(total.Address, leftOut.Address);
            Assert.False(double.IsFinite(total.ToArray()[0]));
            Assert.Equal(missing + 1, leftOut.ToArray()[0]);
            Assert.Equal(before, a.P.Bytes());
            Assert.Equal(moments, b.V.Bytes());
        }

        b.G.Write(b.Gradient);
        optimiser.Prepare([a.Entry, b.Entry], s_step with { Step = s_step.Step + 2 }, double.PositiveInfinity);
        optimiser.Launch(total.Address, leftOut.Address);
        a.Compare(s_step with { WeightDecay = 0 });
        Assert.Equal(2, leftOut.ToArray()[0]);
    }

    private static void Sum(Accelerator accelerator, DType type, int count, int offset, int seed)
    {
        double[] values = ElementwiseChecks.Normal(type, count, seed);
        using DeviceArray x = DeviceArray.Of(accelerator, type, values, offset);
        using DeviceBuffer<double> total = accelerator.Allocate<double>([2.5]);
        Optimiser.AddSumOfSquares(accelerator, type, x.Address, count, total.Address);
        double expected = 2.5 + values.Sum(v => v * v);
        Assert.Equal(expected, total.ToArray()[0], expected * 1e-12);
    }

    /// <summary>A tensor with its state on the device, and what it should be.</summary>
    private sealed class Slot : IDisposable
    {
        private readonly float[] _p;
        private readonly float[] _m;
        private readonly float[] _v;

        public Slot(Accelerator accelerator, int count, int offset, int seed)
        {
            Gradient = ElementwiseChecks.Normal(DType.Float32, count, seed);
            _p = Floats(count, seed + 1, x => x);
            _m = Floats(count, seed + 2, x => 0.1f * x);
            _v = Floats(count, seed + 3, x => 0.1f * x * x);
            P = DeviceArray.Of<float>(accelerator, DType.Float32, _p, offset);
            G = DeviceArray.Of(accelerator, DType.Float32, Gradient, offset);
            M = DeviceArray.Of<float>(accelerator, DType.Float32, _m, offset);
            V = DeviceArray.Of<float>(accelerator, DType.Float32, _v, offset);
        }

        public double[] Gradient { get; }

        public DeviceArray P { get; }

        public DeviceArray G { get; }

        public DeviceArray M { get; }

        public DeviceArray V { get; }

        public bool Decays { get; init; }

        public TensorTableEntry Entry => new(P.Address, G.Address, M.Address, V.Address, P.Count, Decays);

        /// <summary>Makes the step on the CPU too and compares; the next comparison goes on from there.</summary>
        public void Compare(in AdamWStep step)
        {
            float[] gradient = [.. Gradient.Select(v => (float)v)];
            double[] oldP = [.. _p.Select(x => (double)x)];
            double[] oldM = [.. _m.Select(x => (double)x)];
            fixed (float* p = _p, g = gradient, m = _m, v = _v)
            {
                AdamWReference.Update(p, g, m, v, _p.Length, step);
            }

            Errors.Close([.. _p.Select(x => (double)x)], P.Read(), Terms(_p, oldP, 1), 2e-7, "parameters");
            Errors.Close([.. _m.Select(x => (double)x)], M.Read(), Terms(_m, oldM, step.Beta1), 3e-7, "first moments");
            Errors.Close([.. _v.Select(x => (double)x)], V.Read(), 3e-7, "second moments");
        }

        public void Dispose()
        {
            P.Dispose();
            G.Dispose();
            M.Dispose();
            V.Dispose();
        }

        /// <summary>For values that have become old · factor + change: |old · factor| + |change|.</summary>
        private static double[] Terms(float[] values, double[] old, double factor) =>
            [.. values.Select((v, i) => Math.Abs(old[i] * factor) + Math.Abs(v - (old[i] * factor)))];

        private static float[] Floats(int count, int seed, Func<float, float> map) =>
            [.. ElementwiseChecks.Normal(DType.Float32, count, seed).Select(x => map((float)x))];
    }
}
