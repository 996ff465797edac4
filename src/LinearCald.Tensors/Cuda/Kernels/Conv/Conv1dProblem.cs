namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// A convolution of [Batch, Length, Inputs] with [Outputs, Taps, Inputs/Groups] to [Batch, OutputLength, Outputs].
/// </summary>
/// <param name="Type">Of x, w, y and their gradients; biases and the weight's gradient are float32.</param>
/// <param name="Precision">Of the products.</param>
internal readonly record struct Conv1dProblem(
    DType Type, GemmPrecision Precision, int Batch, int Length, int Inputs, int Outputs, int Taps, int Stride, int Padding, int Groups)
{
    /// <summary>Rows of y.</summary>
    public int OutputLength => ((Length + (2 * Padding) - Taps) / Stride) + 1;

    /// <summary>Input channels of a group.</summary>
    public int GroupInputs => Inputs / Groups;

    /// <summary>Output channels of a group.</summary>
    public int GroupOutputs => Outputs / Groups;

    /// <summary>Whether the patches that outputs read lie in x as runs of memory: all channels, and no row that is not there.</summary>
    public bool ReadsInPlace => Groups == 1 && Padding == 0;

    /// <summary>Whether it is the convolution of waves: one input channel, few taps, and a tile of its samples fits into shared memory.</summary>
    public bool IsWave => Inputs == 1 && Length > 0 && Taps <= WaveConvKernels.MostTaps && (long)WaveConvKernels.TileRows * Stride <= WaveConvKernels.MostSamples;

    /// <summary>A product whose stack is all groups within all samples, or all samples where there is one group.</summary>
    public GemmProblem Product(int m, int n, int k) => new(m, n, k) { Batch = checked(Batch * Groups), Inner = Groups, Precision = Precision, Output = Type, Overlapping = true };
}

/// <summary>
/// The outputs that reach the input rows of one remainder by the stride. With s = stride · u + remainder − padding, gx[s] = Σ over j of gh[u − j] w[remainder + stride · j]: a
/// convolution of gh at stride 1 with every so manieth tap, the last of which meets the first row.
/// </summary>
/// <param name="Count">Taps.</param>
/// <param name="LastTap">The largest of them.</param>
/// <param name="FirstRow">The first s.</param>
/// <param name="Rows">How many s there are.</param>
/// <param name="FirstOutput">u of the first s.</param>
internal readonly record struct Conv1dPhase(int Count, int LastTap, int FirstRow, int Rows, int FirstOutput)
{
    /// <summary>The phase of a remainder, 0 … stride − 1.</summary>
    public static Conv1dPhase Of(in Conv1dProblem p, int remainder)
    {
        int count = p.Taps > remainder ? ((p.Taps - remainder - 1) / p.Stride) + 1 : 0;
        int first = (remainder - (p.Padding % p.Stride) + p.Stride) % p.Stride;
        int rows = first < p.Length ? ((p.Length - 1 - first) / p.Stride) + 1 : 0;
        return new Conv1dPhase(count, remainder + ((count - 1) * p.Stride), first, rows, (first + p.Padding) / p.Stride);
    }
}
