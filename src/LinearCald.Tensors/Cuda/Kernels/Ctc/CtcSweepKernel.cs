using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// The recurrences of CTC, one group an utterance and direction, one thread a label and the blank before it. Backward is forward over the mirrored utterance: frames, labels
/// and blanks from the last to the first. A step is a read of the neighbour's label in shared memory, some twenty instructions and one barrier; emissions are loaded four
/// frames ahead. Bound by latency: by count some 120 cycles a frame.
/// </summary>
internal static class CtcSweepKernel
{
    private const int Ahead = 4;
    private const double Ln2 = 0.69314718055994531;

    /// <summary>Group (sample, direction); direction 0, forward, writes the losses.</summary>
    /// <param name="emissions">See <see cref="CtcEmissionKernel"/>.</param>
    /// <param name="sums">As well.</param>
    /// <param name="states">
    /// [2, batch, frames, 2, room + 1]: by direction the blanks and the labels of each frame; forward with what the frame emits, backward without. Not touched unless <paramref name="keeps"/>.
    /// </param>
    /// <param name="losses">[batch].</param>
    /// <param name="totals">[batch]: the loss as it is, infinite or not; the exponent of the sum over all alignments.</param>
    [Kernel(Name = "ctc_sweep")]
    public static void Run(
        ReadOnlyView<Float2> emissions, ReadOnlyView<Float2> sums, CtcBatch x, View<Float2> states, View<float> losses, View<Float2> totals, int batch, int zeroInfinity, [Constant] bool keeps)
    {
        int k = Group.Thread, sample = Grid.IndexX, pitch = x.Room + 1;
        bool backward = Grid.IndexY != 0;
        int labels = x.LabelsOf(sample), own = backward ? labels - 1 - k : k, blank = backward ? labels - k : k;
        bool isLabel = k < labels, isBlank = k <= labels;
        bool bad = Group.BarrierOr(x.IsBad(sample, k));
        int frames = bad ? 0 : x.FramesOf(sample);
        float skip = CtcNumber.Impossible;
        if (isLabel && k > 0)
        {
            skip = x.Label(sample, own) != x.Label(sample, backward ? own + 1 : own - 1) ? 0f : CtcNumber.Impossible;
        }

        // Two rows of labels in turns, each after one that cannot be reached.
        Shared<Float2> neighbours = Shared.Allocate<Float2>(2 * (Group.Size + 1));
        Float2 none = new(0f, CtcNumber.Impossible);
        neighbours[k + 1] = none;
        if (k == 0)
        {
            neighbours[0] = none;
            neighbours[Group.Size + 1] = none;
        }

        Group.Barrier();
        float b = k == 0 ? 1f : 0f, be = k == 0 ? 0f : CtcNumber.Impossible, l = 0f, le = CtcNumber.Impossible;
        long first = (long)sample * x.Frames, kept = ((backward ? batch : 0) + sample) * (long)x.Frames;
        Registers<Float2, N4> label = default, blanks = default;
        Load(emissions, first, frames, 0, pitch, own, isLabel, backward, ref label, ref blanks);
        for (int start = 0; start < frames; start += Ahead)
        {
            Registers<Float2, N4> nextLabel = default, nextBlanks = default;
            Load(emissions, first, frames, start + Ahead, pitch, own, isLabel, backward, ref nextLabel, ref nextBlanks);
            for (int i = 0; i < Ahead; i++)
            {
                Loop.Unroll();
                bool runs = start + i < frames;
                Float2 before = neighbours[((i & 1) * (Group.Size + 1)) + k];

                // blank k follows itself and the label before it
                float top = MathF.Max(be, before.Y);
                float sum = CtcNumber.At(b, be, top) + CtcNumber.At(before.X, before.Y, top);

                // label k follows itself, the blank before it and, if it differs, the label before that
                float beforeExponent = before.Y + skip;
                float labelTop = MathF.Max(MathF.Max(le, be), beforeExponent);
                float labelSum = CtcNumber.At(l, le, labelTop) + CtcNumber.At(b, be, labelTop) + CtcNumber.At(before.X, beforeExponent, labelTop);
                Float2 toBlank = new(sum * blanks[i].X, top + blanks[i].Y), toLabel = new(labelSum * label[i].X, labelTop + label[i].Y);
                if (keeps)
                {
                    long at = (kept + (backward ? frames - 1 - start - i : start + i)) * 2 * pitch;
                    if (runs && isBlank)
                    {
                        states[at + blank] = backward ? new Float2(sum, top) : toBlank;
                    }

                    if (runs && isLabel)
                    {
                        states[at + pitch + own] = backward ? new Float2(labelSum, labelTop) : toLabel;
                    }
                }

                b = runs ? toBlank.X : b;
                be = runs ? toBlank.Y : be;
                l = runs ? toLabel.X : l;
                le = runs ? toLabel.Y : le;
                neighbours[(((i + 1) & 1) * (Group.Size + 1)) + k + 1] = new Float2(l, le);
                Group.Barrier();
            }

            Float2 near = CtcNumber.Normalised(b, be);
            b = near.X;
            be = near.Y;
            near = CtcNumber.Normalised(l, le);
            l = near.X;
            le = near.Y;
            label = nextLabel;
            blanks = nextBlanks;
        }

        // The sum over all alignments is what ends in the last blank or the last label.
        Shared<Float2> ends = Shared.Allocate<Float2>(2);
        if (k == labels)
        {
            ends[0] = new Float2(b, be);
        }

        if (k == Math.Max(labels - 1, 0))
        {
            ends[1] = labels > 0 ? new Float2(l, le) : none;
        }

        Group.Barrier();
        if (Warp.Index == 0)
        {
            double normaliser = 0;
            for (int t = Warp.Lane; t < frames; t += Warp.Size)
            {
                normaliser += GpuMath.Log(sums[first + t].Y);
            }

            normaliser = Warp.Sum(normaliser);
            if (Warp.Lane == 0 && !backward)
            {
                Float2 last = ends[0], spoken = ends[1];
                float top = MathF.Max(last.Y, spoken.Y);
                float total = CtcNumber.At(last.X, last.Y, top) + CtcNumber.At(spoken.X, spoken.Y, top);
                float loss = MathF.Max(0f, (float)(normaliser - GpuMath.Log(total) - (top * Ln2)));
                loss = total == 0f || top < 0.1f * CtcNumber.Impossible ? float.PositiveInfinity : loss;
                loss = bad ? float.NaN : loss;
                losses[sample] = loss == float.PositiveInfinity && zeroInfinity != 0 ? 0f : loss;
                totals[sample] = new Float2(loss, top);
            }
        }
    }

    /// <summary>What four frames emit; nothing beyond the last label or frame.</summary>
    private static void Load(
        ReadOnlyView<Float2> emissions, long first, int frames, int start, int pitch, int own, bool isLabel, bool backward, ref Registers<Float2, N4> label, ref Registers<Float2, N4> blanks)
    {
        for (int i = 0; i < Ahead; i++)
        {
            Loop.Unroll();
            label[i] = new Float2(0f, CtcNumber.Impossible);
            blanks[i] = new Float2(0f, CtcNumber.Impossible);
            int step = start + i;
            if (step < frames)
            {
                long at = (first + (backward ? frames - 1 - step : step)) * pitch;
                blanks[i] = emissions[at + pitch - 1];
                if (isLabel)
                {
                    label[i] = emissions[at + own];
                }
            }
        }
    }
}
