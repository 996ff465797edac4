using System.Runtime.InteropServices;
using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>Times matrix products on a device, over random operands: constant ones cost less power and would flatter.</summary>
internal static class GemmTiming
{
    private const int Samples = 15;
    private const int SeedWords = 1 << 20;

    /// <summary>Median milliseconds of one product, after a warm-up that also compiles the kernel; each sample is long enough for the device's clock.</summary>
    /// <param name="accelerator">The device; not in a capture.</param>
    /// <param name="problem">The product.</param>
    /// <param name="plan">How it is cut; by the table if none is given.</param>
    public static double Milliseconds(Accelerator accelerator, in GemmProblem problem, GemmPlan? plan = null)
    {
        int bytes = problem.Precision.ElementBytes();
        using DeviceBuffer<uint> a = Random(accelerator, Extent(problem.TransposeA ? problem.K : problem.M, problem.LeadingA, problem.StrideA, problem.Batch) * bytes, problem.Precision);
        using DeviceBuffer<uint> b = Random(accelerator, Extent(problem.TransposeB ? problem.N : problem.K, problem.LeadingB, problem.StrideB, problem.Batch) * bytes, problem.Precision);
        using DeviceBuffer<byte> c = accelerator.Allocate<byte>(Extent(problem.M, problem.LeadingC, problem.StrideC, problem.Batch) * problem.Output.Size(), "the result of a timed product");
        accelerator.Fill(c.Address, c.Length, 0);
        GemmOperands operands = new(a.Address, b.Address, c.Address);
        GemmPlan cut = plan ?? GemmPlan.For(problem, accelerator.Limits);
        GemmLauncher.Run(accelerator, problem, operands, cut);
        double once = Sample(accelerator, problem, operands, cut, 3) / 3;
        int launches = (int)Math.Clamp(1 / Math.Max(once, 1e-4), 1, 100);
        double[] samples = new double[Samples];
        for (int i = 0; i < Samples; i++)
        {
            samples[i] = Sample(accelerator, problem, operands, cut, launches) / launches;
        }

        Array.Sort(samples);
        return samples[Samples / 2];
    }

    private static double Sample(Accelerator accelerator, in GemmProblem problem, in GemmOperands operands, GemmPlan plan, int launches)
    {
        using TimeMark start = accelerator.Mark();
        for (int i = 0; i < launches; i++)
        {
            GemmLauncher.Run(accelerator, problem, operands, plan);
        }

        using TimeMark end = accelerator.Mark();
        return end.MillisecondsSince(start);
    }

    private static long Extent(long rows, long leading, long stride, int batch) => ((batch - 1) * stride) + (rows * leading);

    // A block of random numbers from the host, repeated on the device.
    private static DeviceBuffer<uint> Random(Accelerator accelerator, long bytes, GemmPrecision precision)
    {
        Random random = new(1);
        uint[] words = new uint[SeedWords];
        for (int i = 0; i < words.Length; i++)
        {
            float x = (random.NextSingle() * 2) - 1;
            float y = (random.NextSingle() * 2) - 1;
            words[i] = precision switch
            {
                GemmPrecision.BFloat16 => Packed.BFloat16(x, y),
                GemmPrecision.Half => Packed.Half(x, y),
                _ => BitConverter.SingleToUInt32Bits(x),
            };
        }

        DeviceBuffer<uint> buffer = accelerator.Allocate<uint>((bytes + 3) / 4, "an operand of a timed product");
        ReadOnlySpan<byte> seed = MemoryMarshal.AsBytes<uint>(words);
        long first = Math.Min(seed.Length, buffer.Length * sizeof(uint));
        accelerator.CopyToDevice(seed[..(int)first], buffer.Address);
        for (long at = first; at < buffer.Length * sizeof(uint); at += first)
        {
            accelerator.CopyOnDevice(buffer.Address, buffer.Address + (nint)at, Math.Min(first, (buffer.Length * sizeof(uint)) - at));
        }

        return buffer;
    }
}
