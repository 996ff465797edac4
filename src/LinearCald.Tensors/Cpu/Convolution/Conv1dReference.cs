namespace LinearCald.Tensors.Cpu;

/// <summary>The plain twin of <see cref="Conv1d"/>, in float64, without an activation.</summary>
internal static class Conv1dReference
{
    /// <summary>y [Batch, OutputLength, Outputs] of x [Batch, Length, Inputs], w [Outputs, Taps, GroupInputs], bias [Outputs] or empty.</summary>
    public static double[] Forward(Conv1dShape s, double[] x, double[] w, double[] bias)
    {
        double[] y = new double[s.Batch * s.OutputLength * s.Outputs];
        for (int i = 0; i < y.Length && bias.Length > 0; i++)
        {
            y[i] = bias[i % s.Outputs];
        }

        ForEachTerm(s, (output, weight, input) => y[output] += w[weight] * x[input]);
        return y;
    }

    /// <summary>The gradients of x and w.</summary>
    public static (double[] X, double[] W) Backward(Conv1dShape s, double[] gh, double[] x, double[] w)
    {
        double[] dx = new double[x.Length], dw = new double[w.Length];
        ForEachTerm(s, (output, weight, input) =>
        {
            dx[input] += gh[output] * w[weight];
            dw[weight] += gh[output] * x[input];
        });
        return (dx, dw);
    }

    /// <summary>All products of the convolution, as indices of y, w and x.</summary>
    private static void ForEachTerm(Conv1dShape s, Action<int, int, int> term)
    {
        for (int b = 0; b < s.Batch; b++)
        {
            for (int t = 0; t < s.OutputLength; t++)
            {
                for (int o = 0; o < s.Outputs; o++)
                {
                    for (int j = 0; j < s.Taps; j++)
                    {
                        int row = (t * s.Stride) + j - s.Padding;
                        for (int c = 0; c < s.GroupInputs && row >= 0 && row < s.Length; c++)
                        {
                            int channel = (o / s.GroupOutputs * s.GroupInputs) + c;
                            term((((b * s.OutputLength) + t) * s.Outputs) + o, (((o * s.Taps) + j) * s.GroupInputs) + c, (((b * s.Length) + row) * s.Inputs) + channel);
                        }
                    }
                }
            }
        }
    }
}
