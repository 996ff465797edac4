using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// The device's ceiling of float32 multiply-adds: fused multiply-adds on registers alone, sixteen independent chains a thread and every multiprocessor
/// full of threads.
/// </summary>
internal static class FmaPeak
{
    private const int Threads = 256;
    private const int GroupsPerMultiprocessor = 8;
    private const int Rounds = 8;
    private const int Repeats = 3;
    private const double LeastMilliseconds = 5;

    private static readonly Kernel s_kernel = Kernel.Of(Run);

    /// <summary>Float operations a second, in 10⁹ (two for each multiply-add); the best of several short runs.</summary>
    public static double Measure(GpuDevice device)
    {
        using DeviceBuffer<float> y = Results(device);

        // The first run compiles; then steps double until the time is long enough to be measured.
        int steps = 1;
        double milliseconds = 0;
        for (bool warm = false; milliseconds < LeastMilliseconds; warm = true)
        {
            steps = warm ? steps * 2 : steps;
            double time = device.Milliseconds(() => Launch(device, y, steps));
            milliseconds = warm ? time : 0;
        }

        for (int repeat = 0; repeat < Repeats; repeat++)
        {
            milliseconds = Math.Min(milliseconds, device.Milliseconds(() => Launch(device, y, steps)));
        }

        return 2.0 * N16.Value * Rounds * steps * y.Length / milliseconds / 1e6;
    }

    /// <summary>Launches it once.</summary>
    public static void Launch(GpuDevice device, int steps)
    {
        using DeviceBuffer<float> y = Results(device);
        Launch(device, y, steps);
    }

    /// <summary>Writes a result a thread, so that nothing can be left out.</summary>
    [Kernel(Name = "fma_peak")]
    public static void Run(View<float> y, int steps, float factor, float offset)
    {
        Registers<float, N16> chains = default;
        for (int i = 0; i < N16.Value; i++)
        {
            chains[i] = Group.Thread + i;
        }

        for (int step = 0; step < steps; step++)
        {
            Loop.Keep();
            for (int round = 0; round < Rounds; round++)
            {
                Loop.Unroll();
                for (int i = 0; i < N16.Value; i++)
                {
                    Loop.Unroll();
                    chains[i] = GpuMath.Fma(chains[i], factor, offset);
                }
            }
        }

        float sum = 0;
        for (int i = 0; i < N16.Value; i++)
        {
            sum += chains[i];
        }

        y[Grid.ThreadX] = sum;
    }

    private static DeviceBuffer<float> Results(GpuDevice device) =>
        device.Accelerator.Allocate<float>((long)device.Accelerator.Limits.Multiprocessors * GroupsPerMultiprocessor * Threads, "the results of a measurement");

    private static void Launch(GpuDevice device, DeviceBuffer<float> y, int steps) =>
        device.Accelerator.Launch(s_kernel, new LaunchShape((int)(y.Length / Threads), Threads), y.View, steps, 0.999f, 0.001f);
}
