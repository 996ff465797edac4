using System.Numerics;

namespace LinearCald.Tensors.Cpu;

/// <summary>The plain twin of <see cref="CtcLossKernel"/>: logarithms of all sums in float64, the whole table of 2L + 1 states a frame.</summary>
internal static unsafe class CtcLossReference
{
    /// <summary>Losses [Batch] and gradient [Batch, Frames, Classes].</summary>
    public static (double[] Losses, double[] Gradient) Run<T>(in CtcShape shape, in CtcData<T> data)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double[] losses = new double[shape.Batch], gradient = new double[shape.Batch * shape.Frames * shape.Classes];
        for (int b = 0; b < shape.Batch; b++)
        {
            int frames = data.InputLengths[b], at = b * shape.Frames * shape.Classes;
            int[] states = States(new ReadOnlySpan<int>(data.Targets + (b * shape.Targets), data.TargetLengths[b]), shape.Blank);
            double[][] log = new double[frames][];
            for (int t = 0; t < frames; t++)
            {
                log[t] = new double[shape.Classes];
                LogSoftmax(data.Logits + at + (t * shape.Classes), log[t]);
            }

            losses[b] = Utterance(log, states, gradient.AsSpan(at, frames * shape.Classes));
            losses[b] = double.IsPositiveInfinity(losses[b]) && shape.ZeroInfinity ? 0 : losses[b];
        }

        return (losses, gradient);
    }

    private static double Utterance(double[][] log, int[] states, Span<double> gradient)
    {
        int frames = log.Length, count = states.Length;
        if (frames == 0)
        {
            return count == 1 ? 0 : double.PositiveInfinity;
        }

        bool Skips(int s) => s >= 2 && states[s] != states[s - 2] && s % 2 == 1;
        double[,] alpha = new double[frames, count], beta = new double[frames, count];
        for (int t = 0; t < frames; t++)
        {
            for (int s = 0; s < count; s++)
            {
                double before = t == 0 ? (s < 2 ? 0 : double.NegativeInfinity) : alpha[t - 1, s];
                before = t > 0 && s > 0 ? Add(before, alpha[t - 1, s - 1]) : before;
                before = t > 0 && Skips(s) ? Add(before, alpha[t - 1, s - 2]) : before;
                alpha[t, s] = before + log[t][states[s]];
            }
        }

        for (int t = frames - 1; t >= 0; t--)
        {
            for (int s = 0; s < count; s++)
            {
                double After(int next) => beta[t + 1, next] + log[t + 1][states[next]];
                bool last = t == frames - 1;
                double after = last ? (s >= count - 2 ? 0 : double.NegativeInfinity) : After(s);
                after = !last && s + 1 < count ? Add(after, After(s + 1)) : after;
                beta[t, s] = !last && s + 2 < count && Skips(s + 2) ? Add(after, After(s + 2)) : after;
            }
        }

        double total = count == 1 ? alpha[frames - 1, 0] : Add(alpha[frames - 1, count - 1], alpha[frames - 1, count - 2]);
        if (double.IsNegativeInfinity(total))
        {
            return double.PositiveInfinity;
        }

        int classes = log[0].Length;
        for (int t = 0; t < frames; t++)
        {
            for (int c = 0; c < classes; c++)
            {
                gradient[(t * classes) + c] = Math.Exp(log[t][c]);
            }

            for (int s = 0; s < count; s++)
            {
                gradient[(t * classes) + states[s]] -= Math.Exp(alpha[t, s] + beta[t, s] - total);
            }
        }

        return -total;
    }

    private static int[] States(ReadOnlySpan<int> target, int blank)
    {
        int[] states = new int[(2 * target.Length) + 1];
        Array.Fill(states, blank);
        for (int k = 0; k < target.Length; k++)
        {
            states[(2 * k) + 1] = target[k];
        }

        return states;
    }

    private static void LogSoftmax<T>(T* x, double[] log)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double largest = double.NegativeInfinity, sum = 0;
        for (int c = 0; c < log.Length; c++)
        {
            log[c] = double.CreateTruncating(x[c]);
            largest = Math.Max(largest, log[c]);
        }

        Array.ForEach(log, v => sum += Math.Exp(v - largest));
        for (int c = 0; c < log.Length; c++)
        {
            log[c] -= largest + Math.Log(sum);
        }
    }

    /// <summary>ln(e^a + e^b).</summary>
    private static double Add(double a, double b)
    {
        double top = Math.Max(a, b);
        return double.IsNegativeInfinity(top) ? top : top + Math.Log(Math.Exp(a - top) + Math.Exp(b - top));
    }
}
