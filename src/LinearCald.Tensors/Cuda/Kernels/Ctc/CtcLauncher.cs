using System.Numerics;
using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>Launches of the kernels of CTC: emissions, both sweeps at once, gradient.</summary>
/// <param name="Logits">[batch, frames, classes].</param>
/// <param name="Batch">The integers.</param>
/// <param name="Samples">Size of the batch.</param>
/// <param name="Emissions">[batch, frames, room + 1].</param>
/// <param name="Sums">[batch, frames].</param>
/// <param name="States">[2, batch, frames, 2, room + 1]; empty where no gradient is wanted.</param>
/// <param name="Totals">[batch].</param>
/// <param name="Losses">[batch].</param>
/// <param name="Gradient">[batch, frames, classes]; empty where it is not wanted.</param>
internal readonly record struct CtcLauncher(
    Accelerator Accelerator, nint Logits, CtcBatch Batch, int Samples, View<Float2> Emissions, View<Float2> Sums, View<Float2> States, View<Float2> Totals, View<float> Losses, View<float> Gradient,
    bool ZeroInfinity) : IFormatLaunch
{
    /// <summary>Most labels of an utterance: a thread each, and one for the last blank.</summary>
    public const int MostLabels = 1023;

    private static readonly Kernel s_sweep = Kernel.Of(CtcSweepKernel.Run);

    public void Run<TWord, TFormat>()
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        int rows = checked(Samples * Batch.Frames);
        ReadOnlyView<TWord> logits = RowMatrix.ReadOnly<TWord>(Logits, rows, Batch.Classes);
        bool keeps = Gradient.Length > 0;
        if (rows > 0)
        {
            Accelerator.Launch(Kernels<TWord, TFormat>.Emissions, Groups(rows, CtcEmissionKernel.Warps), logits, Batch, Emissions, Sums, rows);
        }

        Accelerator.Launch(
            s_sweep, new LaunchShape(new Index3(Samples, keeps ? 2 : 1, 1), Threads(Batch.Room + 1)), (ReadOnlyView<Float2>)Emissions, (ReadOnlyView<Float2>)Sums, Batch, States, Losses, Totals, Samples,
            ZeroInfinity ? 1 : 0, keeps);
        if (keeps)
        {
            Accelerator.Launch(
                Kernels<TWord, TFormat>.Gradient, Groups(rows, CtcGradientKernel.Warps), logits, Batch, (ReadOnlyView<Float2>)States, (ReadOnlyView<Float2>)Sums, (ReadOnlyView<Float2>)Totals, Gradient,
                rows, Threads(Batch.Room));
        }
    }

    private static LaunchShape Groups(int rows, int warps) => new((rows + warps - 1) / warps, warps * Warp.Size);

    /// <summary>Few sizes, because each compiles a kernel of its own: whole warps up to four, then powers of two and the half between.</summary>
    private static int Threads(int wanted)
    {
        int size = Warp.Size;
        while (size < wanted)
        {
            size += size < 128 ? Warp.Size : (int)BitOperations.RoundUpToPowerOf2((uint)size + 1) / 4;
        }

        return Math.Min(size, 1024);
    }

    private static class Kernels<TWord, TFormat>
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        public static readonly Kernel Emissions = Kernel.Of(CtcEmissionKernel.Run<TWord, TFormat>);
        public static readonly Kernel Gradient = Kernel.Of(CtcGradientKernel.Run<TWord, TFormat>);
    }
}
