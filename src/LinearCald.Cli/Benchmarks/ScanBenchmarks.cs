using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Cli.Benchmarks;

/// <summary>
/// The selective scan. On the CPU in the peers' plain form (no gate, Δ given) and shape B × L × D × N, at growing lengths and as a step of generation; on a GPU with gate and
/// softplus and the peers' order B × D × L × N.
/// </summary>
internal static class ScanBenchmarks
{
    private const int States = 16;

    public static IEnumerable<(string Op, string Shape, Func<Benchmark> Make)> All(Device device) => device.RunsAhead ? Gpu(device) : Cpu(device);

    private static IEnumerable<(string Op, string Shape, Func<Benchmark> Make)> Cpu(Device device)
    {
        yield return ("selective_scan_fwd", "4x512x256x16", () => new Scan(device, DType.Float32, 4, 512, 256, gated: false).Forward("selective_scan_fwd", "4x512x256x16"));
        yield return ("selective_scan_fwd_bwd", "4x512x256x16", () => new Scan(device, DType.Float32, 4, 512, 256, gated: false).Both("selective_scan_fwd_bwd", "4x512x256x16"));
        foreach (int length in (int[])[512, 2048, 8192, 32768])
        {
            string shape = $"1x{length}x1024x16";
            yield return ("selective_scan_length_fwd", shape, () => new Scan(device, DType.Float32, 1, length, 1024, gated: true).Forward("selective_scan_length_fwd", shape));
            yield return ("selective_scan_length_fwd_bwd", shape, () => new Scan(device, DType.Float32, 1, length, 1024, gated: true).Both("selective_scan_length_fwd_bwd", shape));
        }

        yield return ("selective_scan_step", "1x1x1536x16", () => new Scan(device, DType.Float32, 1, 1, 1536, gated: true).Step("selective_scan_step", "1x1x1536x16"));
    }

    private static IEnumerable<(string Op, string Shape, Func<Benchmark> Make)> Gpu(Device device)
    {
        foreach (int channels in (int[])[2048, 4096])
        {
            string shape = $"8x{channels}x2048x16";
            foreach ((DType type, string name) in ((DType, string)[])[(DType.Float32, "fp32"), (DType.BFloat16, "bf16")])
            {
                yield return ($"selective_scan_fwd_{name}", shape, () => new Scan(device, type, 8, 2048, channels, gated: true).Forward($"selective_scan_fwd_{name}", shape));
                yield return ($"selective_scan_fwdbwd_{name}", shape, () => new Scan(device, type, 8, 2048, channels, gated: true).Both($"selective_scan_fwdbwd_{name}", shape));
            }
        }

        yield return ("selective_scan_fwd_bf16", "1x1536x32768x16", () => new Scan(device, DType.BFloat16, 1, 32768, 1536, gated: true).Forward("selective_scan_fwd_bf16", "1x1536x32768x16"));
        yield return ("selective_scan_step_bf16", "8x2048x1x16", () => new Scan(device, DType.BFloat16, 8, 1, 2048, gated: true).Step("selective_scan_step_bf16", "8x2048x1x16"));
    }

    /// <summary>The inputs of one scan.</summary>
    private sealed class Scan
    {
        private readonly Tensor _u;
        private readonly Tensor _delta;
        private readonly Tensor _a;
        private readonly Tensor _b;
        private readonly Tensor _c;
        private readonly Tensor _d;
        private readonly Tensor? _z;
        private readonly Tensor _gradient;
        private readonly int _batch;
        private readonly SelectiveScanOptions _options;

        public Scan(Device device, DType type, int batch, int length, int channels, bool gated)
        {
            Tensor Random(ulong seed, double mean, params ReadOnlySpan<int> extents)
            {
                Tensor values = Tensor.Empty(device, DType.Float32, new Shape(extents));
                values.FillNormal(mean, 1, new RandomKey(seed, 0));
                return values;
            }

            Tensor Data(Tensor values)
            {
                Tensor data = Tensor.Empty(device, type, values.Shape);
                data.CopyFrom(values);
                return data;
            }

            _batch = batch;
            _options = new SelectiveScanOptions { Softplus = gated };
            _u = Data(Random(1, 0, batch, length, channels));
            Tensor delta = Random(2, -4, batch, length, channels);
            _delta = Data(gated ? delta : delta.Apply(Activation.Softplus));
            float[] decay = [.. Enumerable.Range(0, channels * States).Select(i => -1f - (i % States))];
            _a = Tensor.From(device, new Shape(channels, States), decay);
            _b = Data(Random(3, 0, batch, length, States));
            _c = Data(Random(4, 0, batch, length, States));
            _d = Tensor.Full(device, DType.Float32, new Shape(channels), 1);
            _z = gated ? Data(Random(5, 0, batch, length, channels)) : null;
            _gradient = Data(Random(6, 0, batch, length, channels));
        }

        private IEnumerable<Tensor> Inputs => _z is null ? [_u, _delta, _a, _b, _c, _d] : [_u, _delta, _a, _b, _c, _d, _z];

        private double Bytes => (double)_u.Count * _u.Type.Size();

        private int Tokens => _u.Shape[0] * _u.Shape[1];

        private string Precision => _u.Type == DType.Float32 ? "fp32" : "bf16";

        public Benchmark Forward(string op, string shape) => new(op, shape, () =>
        {
            using MemoryScope scope = MemoryScope.Begin();
            Run(_options);
        })
        { Bytes = (_z is null ? 3 : 4) * Bytes, Tokens = Tokens, Precision = Precision };

        public Benchmark Both(string op, string shape)
        {
            foreach (Tensor input in Inputs)
            {
                input.RequiresGradient = true;
            }

            return new Benchmark(op, shape, () =>
            {
                using (MemoryScope scope = MemoryScope.Begin())
                using (Tape tape = Tape.Record())
                {
                    tape.Backward(Run(_options), _gradient);
                }

                foreach (Tensor input in Inputs)
                {
                    input.ClearGradient();
                }
            })
            { Bytes = (_z is null ? 9 : 12) * Bytes, Tokens = Tokens, Precision = Precision };
        }

        public Benchmark Step(string op, string shape)
        {
            Tensor state = Tensor.Zeros(_u.Device, DType.Float32, new Shape(_batch, _u.Shape[2], States));
            SelectiveScanOptions options = _options with { InitialState = state, FinalState = state };
            return new Benchmark(op, shape, () =>
            {
                using MemoryScope scope = MemoryScope.Begin();
                Run(options);
            })
            { Tokens = Tokens, Precision = Precision };
        }

        private Tensor Run(SelectiveScanOptions options) => _u.SelectiveScan(_delta, _a, _b, _c, _d, _z, null, options);
    }
}
