using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// The gradient of CTC from the states of both sweeps, one warp a frame: softmax less the share of the alignments that are in a class. The shares of the labels lie in shared
/// memory, and the lane of a class adds those of its labels in their order: no atomics. Floor: one read of the states, one write of the gradient.
/// </summary>
internal static class CtcGradientKernel
{
    /// <summary>Warps, that is frames, of a group.</summary>
    public const int Warps = 4;

    /// <param name="states">See <see cref="CtcSweepKernel"/>; as totals.</param>
    /// <param name="sums">See <see cref="CtcEmissionKernel"/>.</param>
    /// <param name="gradient">[batch, frames, classes]: written completely.</param>
    /// <param name="shares">Labels that there is room for in shared memory.</param>
    [Kernel(Name = "ctc_gradient")]
    public static void Run<TWord, TFormat>(
        ReadOnlyView<TWord> logits, CtcBatch x, ReadOnlyView<Float2> states, ReadOnlyView<Float2> sums, ReadOnlyView<Float2> totals, View<float> gradient, int rows, [Constant] int shares)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        Shared<Float2> all = Shared.Allocate<Float2>(Warps * shares);
        Shared<Float2> mine = all.From(Warp.Index * shares);
        int wanted = (Grid.IndexX * Warps) + Warp.Index, row = Math.Min(wanted, rows - 1), sample = row / x.Frames, pitch = x.Room + 1;
        Float2 total = totals[sample];
        bool inside = row - (sample * x.Frames) < x.FramesOf(sample), counts = inside && MathF.Abs(total.X) < float.PositiveInfinity;
        int labels = counts ? x.LabelsOf(sample) : 0;
        long forward = (long)row * 2 * pitch, backward = ((long)rows + row) * 2 * pitch;
        float blank = 0f, spoken = 0f;
        for (int k = Warp.Lane; k <= labels && counts; k += Warp.Size)
        {
            blank += Share(states[forward + k], states[backward + k], total.Y);
            if (k < labels)
            {
                float share = Share(states[forward + pitch + k], states[backward + pitch + k], total.Y);
                mine[k] = new Float2(share, x.Label(sample, k));
                spoken += share;
            }
        }

        // Divided by their own sum, which is p at every frame up to rounding, so that a frame's gradient sums to 0.
        blank = Warp.Sum(blank);
        float scale = 1f / (blank + Warp.Sum(spoken));
        Warp.Barrier();
        if (wanted < rows)
        {
            Float2 sum = counts ? sums[row] : new Float2(0f, 1f);
            float inverse = 1f / sum.Y, otherwise = inside && total.X != float.PositiveInfinity ? float.NaN : 0f;
            for (int c = Warp.Lane; c < x.Classes; c += Warp.Size)
            {
                long at = ((long)row * x.Classes) + c;
                float share = c == x.Blank ? blank : 0f;
                for (int k = 0; k < labels; k++)
                {
                    Float2 label = mine[k];
                    share += label.Y == c ? label.X : 0f;
                }

                Float2 e = counts ? CtcNumber.Split(TFormat.Widen(logits[at]), sum.X) : default;
                gradient[at] = counts ? GpuMath.Fma(-share, scale, CtcNumber.At(e.X, e.Y, 0f) * inverse) : otherwise;
            }
        }
    }

    /// <summary>The part of all alignments that pass a state, up to the factor that the mantissa of their sum is.</summary>
    private static float Share(Float2 forward, Float2 backward, float exponent)
    {
        float power = forward.Y + backward.Y - exponent;
        return forward.X * backward.X * CtcNumber.PowerOfTwo(MathF.Max(-126f, MathF.Min(power, 126f)));
    }
}
