using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Cli.Benchmarks;

/// <summary>
/// The convolutions of Wav2Vec2: the seven layers over the wave (as the peers' script times them), single layers, the positional one with its weight's norm, and the norm over
/// time; and what masks its frames and averages them.
/// </summary>
internal static class ConvolutionBenchmarks
{
    private const int Batch = 8;
    private const int Samples = 160_000;
    private const int Channels = 512;

    private static readonly (int Taps, int Stride)[] Layers = [(10, 5), (3, 2), (3, 2), (3, 2), (3, 2), (2, 2), (2, 2)];

    public static IEnumerable<(string Op, string Shape, Func<Benchmark> Make)> All(Device device)
    {
        (string Suffix, DType Type)[] types = device.RunsAhead ? [("_fp32", DType.Float32), ("_bf16", DType.BFloat16), ("_fp16", DType.Float16)] : [(string.Empty, DType.Float32)];
        string both = device.RunsAhead ? "fwdbwd" : "fwd_bwd";
        foreach ((string suffix, DType type) in types)
        {
            yield return Row($"wav2vec2_conv_stack_fwd{suffix}", $"{Batch}x{Samples}", (op, shape) => Stack(device, type, op, shape));
            yield return Row($"wav2vec2_conv_stack_{both}{suffix}", $"{Batch}x{Samples}", (op, shape) => StackWithGradients(device, type, op, shape));
            foreach (int layer in (int[])[0, 1])
            {
                int length = LengthBefore(layer), width = layer == 0 ? 1 : Channels;
                ConvCase c = new(Batch, length, width, Channels, Layers[layer].Taps, Layers[layer].Stride, 0, 1);
                yield return Row($"wav2vec2_conv{layer}_fwd{suffix}", c.Name, (op, shape) => c.Forward(device, type, op, shape));
                yield return Row($"wav2vec2_conv{layer}_{both}{suffix}", c.Name, (op, shape) => c.Both(device, type, op, shape));
            }

            foreach (int width in (int[])[768, 1024])
            {
                ConvCase c = new(Batch, 499, width, width, 128, 1, 64, 16);
                yield return Row($"wav2vec2_positional_conv_fwd{suffix}", c.Name, (op, shape) => c.Forward(device, type, op, shape));
                yield return Row($"wav2vec2_positional_conv_{both}{suffix}", c.Name, (op, shape) => c.Both(device, type, op, shape));
            }

            string norm = $"{Batch}x{LengthBefore(1)}x{Channels}";
            yield return Row($"group_norm_fwd{suffix}", norm, (op, shape) => GroupNorm(device, type, op, shape, false));
            yield return Row($"group_norm_{both}{suffix}", norm, (op, shape) => GroupNorm(device, type, op, shape, true));
            string frames = $"{2 * Batch}x499x1024";
            yield return Row($"replace_rows_{both}{suffix}", frames, (op, shape) => ReplaceRows(device, type, op, shape));
            yield return Row($"mean_rows_{both}{suffix}", frames, (op, shape) => MeanRows(device, type, op, shape));
        }

        if (device.HasReducedPrecision)
        {
            foreach ((string suffix, ProductDigits digits) in ((string, ProductDigits)[])[(string.Empty, ProductDigits.Eleven), ("_two_terms", ProductDigits.Sixteen)])
            {
                yield return Row($"wav2vec2_conv_stack_fwd_tf32{suffix}", $"{Batch}x{Samples}", (op, shape) => TensorFloat32Stack(device, digits, op, shape));
            }
        }

        string single = device.RunsAhead ? "_fp32" : string.Empty;
        yield return Row($"weight_norm_fwd{single}", "1024x64x128", (op, shape) => WeightNorm(device, op, shape, false));
        yield return Row($"weight_norm_{both}{single}", "1024x64x128", (op, shape) => WeightNorm(device, op, shape, true));
    }

    private static (string Op, string Shape, Func<Benchmark> Make) Row(string op, string shape, Func<string, string, Benchmark> make) => (op, shape, () => make(op, shape));

    /// <summary>Rows that a layer reads.</summary>
    private static int LengthBefore(int layer)
    {
        int length = Samples;
        foreach ((int taps, int stride) in Layers.AsSpan(0, layer))
        {
            length = ((length - taps) / stride) + 1;
        }

        return length;
    }

    private static string Precision(DType type) => type switch
    {
        DType.Float32 => "fp32",
        DType.Float16 => "fp16",
        _ => "bf16",
    };

    private static Benchmark TensorFloat32Stack(Device device, ProductDigits digits, string op, string shape)
    {
        Benchmark stack = Stack(device, DType.Float32, op, shape, digits);
        return new Benchmark(op, shape, () =>
        {
            device.TensorFloat32 = true;
            stack.Run();
            device.TensorFloat32 = false;
        })
        { Flops = stack.Flops, Precision = "tf32" };
    }

    private static Benchmark Stack(Device device, DType type, string op, string shape, ProductDigits digits = ProductDigits.Eleven)
    {
        (Tensor wave, Tensor bias, Tensor[] weights, double flops) = StackOperands(device, type);
        return new Benchmark(op, shape, InScope(() => Through(wave, bias, weights, digits))) { Flops = flops, Precision = Precision(type) };
    }

    private static Benchmark StackWithGradients(Device device, DType type, string op, string shape)
    {
        (Tensor wave, Tensor bias, Tensor[] weights, double flops) = StackOperands(device, type);
        Tensor gradient = Random(device, type, 1, 11, Batch, LengthBefore(Layers.Length), Channels);
        return new Benchmark(op, shape, WithGradients(() => Through(wave, bias, weights, ProductDigits.Eleven), gradient, [bias, .. weights])) { Flops = 3 * flops, Precision = Precision(type) };
    }

    private static Tensor Through(Tensor x, Tensor bias, Tensor[] weights, ProductDigits digits)
    {
        for (int i = 0; i < Layers.Length; i++)
        {
            x = x.Conv1d(weights[i], bias, Layers[i].Stride, activation: Activation.GeluErf, digits: digits);
        }

        return x;
    }

    private static (Tensor Wave, Tensor Bias, Tensor[] Weights, double Flops) StackOperands(Device device, DType type)
    {
        Tensor wave = Random(device, type, 1, 1, Batch, Samples, 1);
        Tensor bias = Random(device, DType.Float32, 0.1, 2, Channels);
        Tensor[] weights = [.. Layers.Select((l, i) => Random(device, type, 1 / Math.Sqrt(l.Taps * (i == 0 ? 1 : Channels)), (ulong)(3 + i), Channels, i == 0 ? 1 : Channels, l.Taps))];
        double flops = 0;
        for (int i = 0; i < Layers.Length; i++)
        {
            flops += 2.0 * Batch * LengthBefore(i + 1) * weights[i].Count;
        }

        return (wave, bias, weights, flops);
    }

    private static Benchmark GroupNorm(Device device, DType type, string op, string shape, bool both)
    {
        Tensor x = Random(device, type, 1, 1, Batch, LengthBefore(1), Channels), w = Random(device, DType.Float32, 1, 2, Channels), b = Random(device, DType.Float32, 1, 3, Channels);
        double bytes = (double)x.Count * type.Size();
        return both
            ? new Benchmark(op, shape, WithGradients(() => x.GroupNorm(Channels, w, b), x, [x, w, b])) { Bytes = 7 * bytes, Precision = Precision(type) }
            : new Benchmark(op, shape, InScope(() => x.GroupNorm(Channels, w, b))) { Bytes = 2 * bytes, Precision = Precision(type) };
    }

    // Forward two reads and a write of the direction, backward two reads of it and of the gradient and a write.
    private static Benchmark WeightNorm(Device device, string op, string shape, bool both)
    {
        Tensor v = Random(device, DType.Float32, 1, 1, 1024, 64, 128), g = Random(device, DType.Float32, 1, 2, 1, 1, 128);
        double bytes = 4.0 * v.Count;
        return both
            ? new Benchmark(op, shape, WithGradients(() => v.WeightNorm(g), v, [v, g])) { Bytes = 8 * bytes }
            : new Benchmark(op, shape, InScope(() => v.WeightNorm(g))) { Bytes = 3 * bytes };
    }

    private static Benchmark ReplaceRows(Device device, DType type, string op, string shape)
    {
        Tensor x = Random(device, type, 1, 1, 2 * Batch, 499, 1024), row = Random(device, DType.Float32, 1, 2, 1024);
        int[] masked = [.. Enumerable.Range(0, 2 * Batch * 499).Select(i => i / 10 % 10 == 0 ? 1 : 0)];
        Tensor mask = Tensor.Persistent(() => Tensor.From(device, new Shape(2 * Batch, 499), masked));
        return new Benchmark(op, shape, WithGradients(() => x.ReplaceRows(mask, row), x, [x, row])) { Bytes = 4.1 * x.Count * type.Size(), Precision = Precision(type) };
    }

    private static Benchmark MeanRows(Device device, DType type, string op, string shape)
    {
        Tensor x = Random(device, type, 1, 1, 2 * Batch, 499, 1024), gradient = Random(device, type, 1, 2, 2 * Batch, 1024);
        return new Benchmark(op, shape, WithGradients(() => x.MeanRows(null), gradient, [x])) { Bytes = 2.0 * x.Count * type.Size(), Precision = Precision(type) };
    }

    private static Action InScope(Func<Tensor> run) => () =>
    {
        using MemoryScope scope = MemoryScope.Begin();
        run();
    };

    private static Action WithGradients(Func<Tensor> run, Tensor gradient, Tensor[] inputs)
    {
        foreach (Tensor input in inputs)
        {
            input.RequiresGradient = true;
        }

        return () =>
        {
            using (MemoryScope scope = MemoryScope.Begin())
            using (Tape tape = Tape.Record())
            {
                tape.Backward(run(), gradient);
            }

            foreach (Tensor input in inputs)
            {
                input.ClearGradient();
            }
        };
    }

    private static Tensor Random(Device device, DType type, double deviation, ulong seed, params ReadOnlySpan<int> extents)
    {
        Tensor values = Tensor.Empty(device, DType.Float32, new Shape(extents));
        values.FillNormal(0, deviation, new RandomKey(seed, 0));
        if (type == DType.Float32)
        {
            return values;
        }

        Tensor data = Tensor.Empty(device, type, values.Shape);
        data.CopyFrom(values);
        return data;
    }

    /// <summary>One convolution.</summary>
    private sealed record ConvCase(int Batch, int Length, int Inputs, int Outputs, int Taps, int Stride, int Padding, int Groups)
    {
        public string Name => $"{Batch}x{Length}x{Inputs}-{Outputs}k{Taps}s{Stride}{(Groups > 1 ? $"g{Groups}" : string.Empty)}";

        private int OutputLength => ((Length + (2 * Padding) - Taps) / Stride) + 1;

        private double Flops => 2.0 * Batch * OutputLength * Outputs * Taps * Inputs / Groups;

        public Benchmark Forward(Device device, DType type, string op, string shape)
        {
            (Tensor x, Tensor w, Tensor bias) = Operands(device, type);
            return new Benchmark(op, shape, InScope(() => x.Conv1d(w, bias, Stride, Padding, Groups, Activation.GeluErf))) { Flops = Flops, Precision = Precision(type) };
        }

        // The wave itself needs no gradient: then the backward pass is one product, otherwise two.
        public Benchmark Both(Device device, DType type, string op, string shape)
        {
            (Tensor x, Tensor w, Tensor bias) = Operands(device, type);
            Tensor gradient = Random(device, type, 1, 9, Batch, OutputLength, Outputs);
            Action run = WithGradients(() => x.Conv1d(w, bias, Stride, Padding, Groups, Activation.GeluErf), gradient, Inputs == 1 ? [w, bias] : [x, w, bias]);
            return new Benchmark(op, shape, run) { Flops = Flops * (Inputs == 1 ? 2 : 3), Precision = Precision(type) };
        }

        private (Tensor X, Tensor W, Tensor Bias) Operands(Device device, DType type) => (
            Random(device, type, 1, 1, Batch, Length, Inputs),
            Random(device, type, 1 / Math.Sqrt((double)Taps * Inputs / Groups), 2, Outputs, Inputs / Groups, Taps),
            Random(device, DType.Float32, 0.1, 3, Outputs));
    }
}
