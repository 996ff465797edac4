namespace LinearCald.Tensors.Cpu;

/// <summary>The plain twin of <see cref="CausalConv"/> and <see cref="CausalConvGradient"/>, in float64, on contiguous arrays.</summary>
internal static class CausalConvReference
{
    /// <summary>Whether output row t of a sample may read row s, before or after it, both counted from row 0; s may be negative: the state.</summary>
    public static bool Reads(int t, int s, int valid, ReadOnlySpan<int> sequence)
    {
        if (t >= valid || s >= valid)
        {
            return false;
        }

        for (int i = Math.Max(Math.Min(s, t), 0); i < Math.Max(s, t) && sequence.Length > 0; i++)
        {
            if (sequence[i] != sequence[i + 1])
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>y [B, L, D] of x [B, L, D], w [D, K], bias [D], state [B, K − 1, D]; empty arrays for what is not given.</summary>
    public static double[] Forward(ConvShape s, double[] x, double[] w, double[] bias, bool silu, int[] sequences, int[] lengths, double[] state)
    {
        double[] y = Sums(s, x, w, bias, sequences, lengths, state);
        for (long i = 0; silu && i < y.LongLength; i++)
        {
            y[i] /= 1 + Math.Exp(-y[i]);
        }

        return y;
    }

    /// <summary>The gradients of x, w and bias.</summary>
    public static (double[] X, double[] W, double[] Bias) Backward(
        ConvShape s, double[] gy, double[] x, double[] w, double[] bias, bool silu, int[] sequences, int[] lengths)
    {
        double[] sums = Sums(s, x, w, bias, sequences, lengths, []);
        double[] dx = new double[x.Length], dw = new double[w.Length], dbias = new double[s.Channels];
        ForEach(s, sequences, lengths, (at, c, taps) =>
        {
            double sigmoid = 1 / (1 + Math.Exp(-sums[at]));
            double g = gy[at] * (silu ? sigmoid * (1 + (sums[at] * (1 - sigmoid))) : 1);
            dbias[c] += g;
            foreach ((int j, long source) in taps.Where(tap => tap.Source >= 0))
            {
                dx[source] += g * w[(c * s.Taps) + j];
                dw[(c * s.Taps) + j] += g * x[source];
            }
        });
        return (dx, dw, dbias);
    }

    private static double[] Sums(ConvShape s, double[] x, double[] w, double[] bias, int[] sequences, int[] lengths, double[] state)
    {
        double[] y = new double[x.Length];
        ForEach(s, sequences, lengths, (at, c, taps) =>
        {
            y[at] = bias.Length == 0 ? 0 : bias[c];
            foreach ((int j, long source) in taps)
            {
                double value = source >= 0 ? x[source] : state.Length == 0 ? 0 : state[~source];
                y[at] += w[(c * s.Taps) + j] * value;
            }
        });
        return y;
    }

    /// <summary>Every output that counts, with its taps and what they read: an index of x, or the complement of an index of the state.</summary>
    private static void ForEach(ConvShape s, int[] sequences, int[] lengths, Action<long, int, List<(int J, long Source)>> action)
    {
        int length = (int)s.Length;
        for (int b = 0; b < s.Batch; b++)
        {
            int valid = lengths.Length == 0 ? length : lengths[b];
            ReadOnlySpan<int> sequence = sequences.Length == 0 ? [] : sequences.AsSpan(b * length, length);
            for (int t = 0; t < valid; t++)
            {
                for (int c = 0; c < s.Channels; c++)
                {
                    List<(int, long)> taps = [];
                    for (int j = 0; j < s.Taps; j++)
                    {
                        int row = s.Reverse ? t + s.Taps - 1 - j : t - s.Taps + 1 + j;
                        if (Reads(t, row, valid, sequence))
                        {
                            long source = row >= 0 ? ((((long)b * length) + row) * s.Channels) + c : ~(((((long)b * (s.Taps - 1)) + s.Taps - 1 + row) * s.Channels) + c);
                            taps.Add((j, source));
                        }
                    }

                    action(((((long)b * length) + t) * s.Channels) + c, c, taps);
                }
            }
        }
    }
}
