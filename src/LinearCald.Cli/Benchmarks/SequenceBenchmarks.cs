using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Cli.Benchmarks;

/// <summary>
/// What language models have around attention and scans: the causal convolution (on a GPU plain, as the peers' script times it, and with bias and SiLU as
/// Mamba has it), the split of heads with rotary embeddings, RMS norms. All are bound by memory.
/// </summary>
internal static class SequenceBenchmarks
{
    private const int Taps = 4;

    public static IEnumerable<(string Op, string Shape, Func<Benchmark> Make)> All(Device device)
    {
        (int batch, int length, int channels) = device.RunsAhead ? (8, 2048, 2048) : (4, 512, 256);
        (int rows, int columns) = device.RunsAhead ? (8192, 4096) : (4096, 1024);
        string joined = device.RunsAhead ? "fwdbwd" : "fwd_bwd";
        string conv = $"{batch}x{length}x{channels}", norm = $"{rows}x{columns}", rotary = $"{batch}x{length}x12x64";
        DType[] types = device.RunsAhead ? [DType.Float32, DType.BFloat16] : [DType.Float32];
        foreach (DType type in types)
        {
            string suffix = device.RunsAhead ? type == DType.Float32 ? "_fp32" : "_bf16" : string.Empty;
            if (device.RunsAhead)
            {
                yield return ($"depthwise_conv1d_causal_fwd{suffix}", conv, () => Convolution(device, type, $"depthwise_conv1d_causal_fwd{suffix}", batch, length, channels, false).Forward());
                yield return ($"depthwise_conv1d_causal_fwdbwd{suffix}", conv, () => Convolution(device, type, $"depthwise_conv1d_causal_fwdbwd{suffix}", batch, length, channels, false).Both());
            }

            yield return ($"causal_conv1d_fwd{suffix}", conv, () => Convolution(device, type, $"causal_conv1d_fwd{suffix}", batch, length, channels, true).Forward());
            yield return ($"causal_conv1d_{joined}{suffix}", conv, () => Convolution(device, type, $"causal_conv1d_{joined}{suffix}", batch, length, channels, true).Both());
            yield return ($"split_heads_rotary_fwd{suffix}", rotary, () => Rotary(device, type, $"split_heads_rotary_fwd{suffix}", batch, length).Forward());
            yield return ($"split_heads_rotary_{joined}{suffix}", rotary, () => Rotary(device, type, $"split_heads_rotary_{joined}{suffix}", batch, length).Both());
            foreach (bool gated in (bool[])[false, true])
            {
                string name = gated ? "gated_rms_norm" : "rms_norm";
                yield return ($"{name}_fwd{suffix}", norm, () => Norm(device, type, $"{name}_fwd{suffix}", rows, columns, gated).Forward());
                yield return ($"{name}_{joined}{suffix}", norm, () => Norm(device, type, $"{name}_{joined}{suffix}", rows, columns, gated).Both());
            }
        }
    }

    private static Case Convolution(Device device, DType type, string op, int batch, int length, int channels, bool fused)
    {
        Tensor x = Random(device, type, 1, batch, length, channels), w = Random(device, DType.Float32, 2, channels, 1, Taps), bias = Random(device, DType.Float32, 3, channels);
        return new Case(
            op, $"{batch}x{length}x{channels}", () => x.CausalConv1d(w, fused ? bias : null, fused ? Activation.Silu : Activation.None),
            [x, w, bias], Random(device, type, 4, batch, length, channels));
    }

    private static Case Rotary(Device device, DType type, string op, int batch, int length)
    {
        Tensor qkv = Random(device, type, 1, batch, length, 12 * 3 * 64);
        return new Case(op, $"{batch}x{length}x12x64", () => qkv.SplitHeadsRotary(12, 16, 10_000), [qkv], Random(device, type, 2, 3, batch, length, 12 * 64));
    }

    private static Case Norm(Device device, DType type, string op, int rows, int columns, bool gated)
    {
        Tensor x = Random(device, type, 1, rows, columns), z = Random(device, type, 2, rows, columns), w = Random(device, DType.Float32, 3, columns);
        return gated
            ? new Case(op, $"{rows}x{columns}", () => x.GatedRmsNorm(z, w), [x, z, w], Random(device, type, 4, rows, columns))
            : new Case(op, $"{rows}x{columns}", () => x.RmsNorm(w), [x, w], Random(device, type, 4, rows, columns));
    }

    private static Tensor Random(Device device, DType type, ulong seed, params ReadOnlySpan<int> extents)
    {
        Tensor values = Tensor.Empty(device, DType.Float32, new Shape(extents));
        values.FillNormal(0, 1, new RandomKey(seed, 0));
        Tensor data = Tensor.Empty(device, type, values.Shape);
        data.CopyFrom(values);
        return data;
    }

    /// <summary>An operation with its inputs and the gradient of its result.</summary>
    private sealed record Case(string Op, string Shape, Func<Tensor> Run, Tensor[] Inputs, Tensor Gradient)
    {
        private double InputBytes => Inputs.Where(t => t.Shape.Rank > 1 && t.Type == Gradient.Type && t.Count > Gradient.Count / 2).Sum(t => (double)t.Count * t.Type.Size());

        private double OutputBytes => (double)Gradient.Count * Gradient.Type.Size();

        private string Precision => Gradient.Type == DType.Float32 ? "fp32" : "bf16";

        public Benchmark Forward() => new(Op, Shape, () =>
        {
            using MemoryScope scope = MemoryScope.Begin();
            Run();
        })
        { Bytes = InputBytes + OutputBytes, Precision = Precision };

        // The backward pass reads the inputs again unless the operation is linear in its only one, and the gradient; it writes the inputs' gradients.
        public Benchmark Both()
        {
            foreach (Tensor input in Inputs)
            {
                input.RequiresGradient = true;
            }

            return new Benchmark(Op, Shape, () =>
            {
                using (MemoryScope scope = MemoryScope.Begin())
                using (Tape tape = Tape.Record())
                {
                    tape.Backward(Run(), Gradient);
                }

                foreach (Tensor input in Inputs)
                {
                    input.ClearGradient();
                }
            })
            { Bytes = ((Inputs.Length == 1 ? 2 : 3) * InputBytes) + (2 * OutputBytes), Precision = Precision };
        }
    }
}
