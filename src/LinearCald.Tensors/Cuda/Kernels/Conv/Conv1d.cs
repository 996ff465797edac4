using LinearCald.Gpu;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// Convolutions over all channels as matrix products that read patches where they lie: channels are innermost, so a patch of K rows is one run of memory, and the patches of
/// neighbouring outputs overlap. Groups and padding first go through <see cref="ConvPack"/>, which costs a copy of the input.
/// </summary>
internal static class Conv1d
{
    /// <summary>Bytes of the weight gradients of single samples that are kept at once.</summary>
    private const long MostPartialBytes = 64 << 20;

    /// <summary>y = f(conv(x, w) + bias); the argument of f goes to pre unless that is 0.</summary>
    public static void Forward(Accelerator accelerator, in Conv1dProblem p, nint x, nint w, nint bias, Activation f, nint pre, nint y)
    {
        if (p.Batch == 0)
        {
            return;
        }

        if (p.IsWave)
        {
            WaveConv.Forward(accelerator, p, x, w, bias, f, pre, y);
            return;
        }

        int rows = p.Length + (2 * p.Padding);
        using DeviceBuffer<byte>? packed = p.ReadsInPlace ? null : Pack(accelerator, p, x, p.Length, p.GroupInputs, p.Padding, rows);
        int patch = p.Taps * p.GroupInputs;
        GemmProblem product = p.Product(p.OutputLength, p.GroupOutputs, patch) with
        {
            TransposeB = true,
            LeadingA = p.Stride * p.GroupInputs,
            StrideA = (long)rows * p.GroupInputs,
            InnerStrideA = (long)p.Batch * rows * p.GroupInputs,
            LeadingB = patch,
            InnerStrideB = (long)p.GroupOutputs * patch,
            LeadingC = p.Outputs,
            StrideC = (long)p.OutputLength * p.Outputs,
            InnerStrideC = p.GroupOutputs,
            Activation = f,
            Float32Bias = true,
        };
        GemmLauncher.Run(accelerator, product, new GemmOperands(packed?.Address ?? x, w, y, bias, pre));
    }

    /// <summary>gx, all of it, from gh [batch, output length, outputs].</summary>
    public static void InputGradient(Accelerator accelerator, in Conv1dProblem p, nint gh, nint w, nint gx)
    {
        if (p.Batch == 0)
        {
            return;
        }

        // Outputs that there are not, before the first and after the last, count as zero rows.
        int before = (p.Taps - 1) / p.Stride, last = (p.Padding + p.Length - 1) / p.Stride, rows = before + Math.Max(p.OutputLength, last + 1);
        bool inPlace = p.Groups == 1 && rows == p.OutputLength;
        using DeviceBuffer<byte>? packed = inPlace ? null : Pack(accelerator, p, gh, p.OutputLength, p.GroupOutputs, before, rows);
        int bytes = p.Type.Size();
        using DeviceBuffer<byte> taps = accelerator.Allocate<byte>((long)p.Outputs * (before + 1) * p.GroupInputs * bytes, "taps of a convolution");
        for (int remainder = 0; remainder < p.Stride; remainder++)
        {
            Conv1dPhase phase = Conv1dPhase.Of(p, remainder);
            if (phase.Rows == 0)
            {
                continue;
            }

            if (phase.Count > 0)
            {
                ConvPack.Taps(accelerator, w, taps.Address, bytes, p.Groups, p.GroupOutputs, p.Taps, p.GroupInputs, phase.LastTap, p.Stride, phase.Count);
            }

            int reach = phase.Count * p.GroupOutputs;
            GemmProblem product = p.Product(phase.Rows, p.GroupInputs, reach) with
            {
                LeadingA = p.GroupOutputs,
                StrideA = (long)rows * p.GroupOutputs,
                InnerStrideA = (long)p.Batch * rows * p.GroupOutputs,
                LeadingB = p.GroupInputs,
                InnerStrideB = (long)reach * p.GroupInputs,
                LeadingC = p.Stride * p.Inputs,
                StrideC = (long)p.Length * p.Inputs,
                InnerStrideC = p.GroupInputs,
            };
            nint first = (packed?.Address ?? gh) + ((nint)(before + phase.FirstOutput - Math.Max(phase.Count - 1, 0)) * p.GroupOutputs * bytes);
            GemmLauncher.Run(accelerator, product, new GemmOperands(first, taps.Address, gx + ((nint)phase.FirstRow * p.Inputs * bytes)));
        }
    }

    /// <summary>gw [outputs, taps, inputs/groups], float32 or of x's type.</summary>
    public static void WeightGradient(Accelerator accelerator, in Conv1dProblem p, nint gh, nint x, DType gwType, nint gw)
    {
        if (p.Batch == 0)
        {
            Copy.FillBytes(accelerator, gw, (long)p.Outputs * p.Taps * p.GroupInputs * gwType.Size(), 0);
        }
        else if (p.IsWave)
        {
            WaveConv.WeightGradient(accelerator, p, gh, x, gwType, gw);
        }
        else if (p.ReadsInPlace)
        {
            FromSamples(accelerator, p, gh, x, gwType, gw);
        }
        else
        {
            FromPacked(accelerator, p, gh, x, gwType, gw);
        }
    }

    // A product a sample, added in the order of the samples.
    private static void FromSamples(Accelerator accelerator, in Conv1dProblem p, nint gh, nint x, DType gwType, nint gw)
    {
        int patch = p.Taps * p.Inputs, bytes = p.Type.Size();
        long elements = (long)p.Outputs * patch;
        int together = (int)Math.Clamp(MostPartialBytes / (elements * sizeof(float)), 1, p.Batch);
        using DeviceBuffer<float>? partial = together > 1 ? accelerator.Allocate<float>(together * elements, "weight gradients of samples") : null;
        for (int first = 0; first < p.Batch; first += together)
        {
            int count = Math.Min(together, p.Batch - first);
            GemmProblem product = new(p.Outputs, patch, p.OutputLength)
            {
                TransposeA = true,
                LeadingA = p.Outputs,
                StrideA = (long)p.OutputLength * p.Outputs,
                LeadingB = p.Stride * p.Inputs,
                StrideB = (long)p.Length * p.Inputs,
                LeadingC = patch,
                StrideC = elements,
                Batch = count,
                Precision = p.Precision,
                Overlapping = true,
                Output = partial is null ? gwType : DType.Float32,
                Accumulate = partial is null && first > 0,
            };
            nint left = gh + ((nint)first * p.OutputLength * p.Outputs * bytes), right = x + ((nint)first * p.Length * p.Inputs * bytes);
            GemmLauncher.Run(accelerator, product, new GemmOperands(left, right, partial?.Address ?? gw));
            if (partial is not null)
            {
                ColumnSum.AddPartials(accelerator, gwType, partial.View, gw, count, elements, accumulate: first > 0);
            }
        }
    }

    // Samples are made as long as makes their patches lie at one pitch, and the outputs that they then have too many are zeros: one product a group over all samples.
    private static void FromPacked(Accelerator accelerator, in Conv1dProblem p, nint gh, nint x, DType gwType, nint gw)
    {
        int outputs = (p.Length + (2 * p.Padding) + p.Stride - 1) / p.Stride, rows = checked(outputs * p.Stride), patch = p.Taps * p.GroupInputs;
        using DeviceBuffer<byte> inputs = Pack(accelerator, p, x, p.Length, p.GroupInputs, p.Padding, rows);
        using DeviceBuffer<byte> gradients = Pack(accelerator, p, gh, p.OutputLength, p.GroupOutputs, 0, outputs);

        // The last sample's sums end with its last output, so that no patch reaches past the buffer.
        GemmProblem product = new(p.GroupOutputs, patch, checked(((p.Batch - 1) * outputs) + p.OutputLength))
        {
            TransposeA = true,
            LeadingA = p.GroupOutputs,
            StrideA = (long)p.Batch * outputs * p.GroupOutputs,
            LeadingB = p.Stride * p.GroupInputs,
            StrideB = (long)p.Batch * rows * p.GroupInputs,
            LeadingC = patch,
            StrideC = (long)p.GroupOutputs * patch,
            Batch = p.Groups,
            Output = gwType,
            Precision = p.Precision,
            Overlapping = true,
        };
        GemmLauncher.Run(accelerator, product, new GemmOperands(gradients.Address, inputs.Address, gw));
    }

    private static DeviceBuffer<byte> Pack(Accelerator accelerator, in Conv1dProblem p, nint x, int inputRows, int channels, int before, int rows)
    {
        DeviceBuffer<byte> packed = accelerator.Allocate<byte>((long)p.Groups * p.Batch * rows * channels * p.Type.Size(), "rows of a convolution by groups");
        ConvPack.Rows(accelerator, x, packed.Address, p.Type.Size(), p.Batch, inputRows, channels, p.Groups, before, rows);
        return packed;
    }
}
