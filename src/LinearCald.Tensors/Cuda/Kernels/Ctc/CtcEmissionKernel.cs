using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>What every frame gives to the labels of its utterance, gathered so that the sweeps read it in order. One warp a frame. Floor: one read of the logits.</summary>
internal static class CtcEmissionKernel
{
    /// <summary>Warps, that is frames, of a group.</summary>
    public const int Warps = 8;

    /// <param name="logits">[batch, frames, classes].</param>
    /// <param name="emissions">[batch, frames, room + 1]: softmax of each label, and last of the blank, times the frame's sum.</param>
    /// <param name="sums">[batch, frames]: the power of two that was taken out of all exponentials, and their sum.</param>
    [Kernel(Name = "ctc_emissions")]
    public static void Run<TWord, TFormat>(ReadOnlyView<TWord> logits, CtcBatch x, View<Float2> emissions, View<Float2> sums, int rows)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        int wanted = (Grid.IndexX * Warps) + Warp.Index, row = Math.Min(wanted, rows - 1), sample = row / x.Frames;
        bool counts = wanted < rows && row - (sample * x.Frames) < x.FramesOf(sample);
        ReadOnlyView<TWord> from = logits.Slice((long)row * x.Classes, x.Classes);
        float largest = float.NegativeInfinity;
        for (int c = Warp.Lane; c < x.Classes; c += Warp.Size)
        {
            largest = MathF.Max(largest, TFormat.Widen(from[c]));
        }

        largest = Warp.Max(largest);
        float top = CtcNumber.Exponent(largest), sum = 0f;
        for (int c = Warp.Lane; c < x.Classes; c += Warp.Size)
        {
            Float2 e = CtcNumber.Split(TFormat.Widen(from[c]), top);
            sum += CtcNumber.At(e.X, e.Y, 0f);
        }

        sum = Warp.Sum(sum);
        sum = MathF.Abs(largest) < float.PositiveInfinity ? sum : float.NaN;
        if (counts)
        {
            int labels = x.LabelsOf(sample);
            long at = (long)row * (x.Room + 1);
            for (int k = Warp.Lane; k < labels; k += Warp.Size)
            {
                emissions[at + k] = CtcNumber.Split(TFormat.Widen(from[x.Label(sample, k)]), top);
            }

            if (Warp.Lane == 0)
            {
                emissions[at + x.Room] = CtcNumber.Split(TFormat.Widen(from[x.Blank]), top);
                sums[row] = new Float2(top, sum);
            }
        }
    }
}
