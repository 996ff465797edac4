using System.Numerics;
using System.Runtime.InteropServices;
using LinearCald.Tensors.Cpu;

namespace LinearCald.Tensors.Tests.Cpu;

/// <summary>Inputs and comparisons that the kernel tests share.</summary>
internal static class KernelData
{
    /// <summary>Standard normal numbers times <paramref name="scale"/> plus <paramref name="shift"/>.</summary>
    public static T[] Normal<T>(int count, int seed, double scale = 1, double shift = 0)
        where T : unmanaged, INumberBase<T>
    {
        System.Random random = new(seed);
        T[] x = new T[count];
        for (int i = 0; i < count; i++)
        {
            double r = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()));
            x[i] = T.CreateTruncating((r * Math.Cos(2 * Math.PI * random.NextDouble()) * scale) + shift);
        }

        return x;
    }

    public static double[] ToDouble<T>(T[] x)
        where T : unmanaged, INumberBase<T> => Array.ConvertAll(x, double.CreateTruncating);

    /// <summary>‖x − reference‖ / ‖reference‖ is at most <paramref name="budget"/>; NaN never passes.</summary>
    /// <param name="scale">Added to ‖reference‖: the size of what the values are differences of.</param>
    public static void Close<T>(ReadOnlySpan<T> x, ReadOnlySpan<double> reference, double budget, string what = "", double scale = 0)
        where T : unmanaged, INumberBase<T>
    {
        Assert.Equal(reference.Length, x.Length);
        double error = 0, norm = 0;
        for (int i = 0; i < x.Length; i++)
        {
            double v = double.CreateTruncating(x[i]);
            Assert.False(double.IsNaN(v) && !double.IsNaN(reference[i]), $"{what}[{i}] is NaN, not {reference[i]}");
            error += (v - reference[i]) * (v - reference[i]);
            norm += reference[i] * reference[i];
        }

        Assert.True(Math.Sqrt(error) <= (budget * (Math.Sqrt(norm) + scale)) + 1e-300, $"{what}: relative error {Math.Sqrt(error / norm):E2}, budget {budget:E2}");
    }

    /// <summary>(f(x + h·eᵢ) − f(x − h·eᵢ)) / 2h for every i.</summary>
    public static double[] CentralDifferences(Func<double[], double> f, double[] x, double h)
    {
        double[] slopes = new double[x.Length];
        for (int i = 0; i < x.Length; i++)
        {
            double[] at = [.. x];
            at[i] = x[i] + h;
            double above = f(at);
            at[i] = x[i] - h;
            slopes[i] = (above - f(at)) / (2 * h);
        }

        return slopes;
    }

    /// <summary>Runs <paramref name="kernel"/> on pools of one, two and three threads; the bytes of its result must agree.</summary>
    public static void SameBitsOnAnyThreadCount<T>(Func<T[]> kernel)
        where T : unmanaged
    {
        int before = WorkerPool.Shared.Threads;
        try
        {
            WorkerPool.Configure(1);
            T[] one = kernel();
            for (int threads = 2; threads <= 3; threads++)
            {
                WorkerPool.Configure(threads);
                T[] several = kernel();
                Assert.True(MemoryMarshal.AsBytes<T>(one).SequenceEqual(MemoryMarshal.AsBytes<T>(several)), $"{threads} threads give other bits than one");
            }
        }
        finally
        {
            WorkerPool.Configure(before);
        }
    }
}
