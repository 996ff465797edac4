using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>y[s, i] = factors[s] · x[s, i], rounded to y's type. Floor: a read and a write.</summary>
internal static class SampleScaleKernel
{
    /// <summary>Threads of a group.</summary>
    public const int Threads = 256;

    /// <summary>A thread an element; samples along y.</summary>
    [Kernel(Name = "scale_samples")]
    public static void Run<TWord, TFormat>(ReadOnlyView<float> x, ReadOnlyView<float> factors, View<TWord> y, long elements)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        long i = ((long)Grid.IndexX * Threads) + Group.IndexX;
        if (i < elements)
        {
            long at = (Grid.IndexY * elements) + i;
            y[at] = TFormat.Narrow(x[at] * factors[Grid.IndexY]);
        }
    }
}

/// <summary>The launch of <see cref="SampleScaleKernel"/>.</summary>
internal readonly record struct SampleScaleLaunch(Accelerator Accelerator, nint X, nint Factors, nint Y, int Samples, long Elements) : IFormatLaunch
{
    public void Run<TWord, TFormat>()
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord> => Accelerator.Launch(
        Kernels<TWord, TFormat>.Scale, new LaunchShape(new Index3(checked((int)((Elements + SampleScaleKernel.Threads - 1) / SampleScaleKernel.Threads)), Samples, 1), SampleScaleKernel.Threads),
        RowMatrix.ReadOnly<float>(X, Samples, Elements), RowMatrix.ReadOnly<float>(Factors, Samples), RowMatrix.View<TWord>(Y, Samples, Elements), Elements);

    private static class Kernels<TWord, TFormat>
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        public static readonly Kernel Scale = Kernel.Of(SampleScaleKernel.Run<TWord, TFormat>);
    }
}
