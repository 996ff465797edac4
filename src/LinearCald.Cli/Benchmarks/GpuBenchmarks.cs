using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Cli.Benchmarks;

/// <summary>Single operations in the shapes that the GPU peers' script times, under its names. Each makes its data when it is its turn.</summary>
internal static class GpuBenchmarks
{
    private const int Rows = 8192;
    private const int Columns = 4096;
    private const int Classes = 50304;

    private static readonly (int M, int N, int K)[] Products =
        [(2048, 2048, 2048), (4096, 4096, 4096), (8192, 8192, 8192), (4096, 768, 768), (4096, 3072, 768), (4096, 768, 3072)];

    public static IEnumerable<(string Op, string Shape, Func<Benchmark> Make)> All(Device device)
    {
        const double elements = (double)Rows * Columns;
        string shape = $"{Rows}x{Columns}";
        yield return ("copy", shape, () => Copy(device, "copy", DType.Float32, DType.Float32));
        yield return ("cast_fp32_bf16", shape, () => Copy(device, "cast_fp32_bf16", DType.Float32, DType.BFloat16));
        yield return ("sum_fp32", $"{1 << 28}", () => Sum(device));
        foreach ((string name, DType type, bool tf32) in ((string, DType, bool)[])
            [("fp32", DType.Float32, false), ("tf32", DType.Float32, true), ("bf16", DType.BFloat16, false), ("fp16", DType.Float16, false)])
        {
            foreach ((int m, int n, int k) in Products)
            {
                yield return ($"matmul_nt_{name}", $"{m}x{n}x{k}", () => MatMul(device, $"matmul_nt_{name}", type, tf32, m, n, k));
            }
        }

        yield return ("linear_gelu_bf16", "4096x3072x768", () => Linear(device));
        yield return ("softmax_fwd_fp32", shape, () => Forward(device, "softmax_fwd_fp32", t => t.Softmax(), 8 * elements));
        yield return ("softmax_fwdbwd_fp32", shape, () => Both(device, "softmax_fwdbwd_fp32", (t, _, _) => t.Softmax(), 20 * elements));
        yield return ("layer_norm_fwd_fp32", shape, () => LayerNorm(device));
        yield return ("layer_norm_fwdbwd_fp32", shape, () => Both(device, "layer_norm_fwdbwd_fp32", (t, w, b) => t.LayerNorm(w, b), 20 * elements));
        yield return ("gelu_fwd_fp32", shape, () => Forward(device, "gelu_fwd_fp32", t => t.Apply(Activation.GeluErf), 8 * elements));
        yield return ("gelu_fwdbwd_fp32", shape, () => Both(device, "gelu_fwdbwd_fp32", (t, _, _) => t.Apply(Activation.GeluErf), 20 * elements));
        yield return ("cross_entropy_fwdbwd_fp32", $"{Rows}x{Classes}", () => CrossEntropy(device));
        yield return ("linear_cross_entropy_bf16", $"{Rows}x{Classes}x768", () => LinearCrossEntropy(device));
        yield return ("adamw_fp32", "125000000", () => AdamW(device));
        foreach (int length in (int[])[512, 2048, 8192])
        {
            int batch = length > 2048 ? 8 * 2048 / length : 8;
            double flops = 4.0 * batch * 12 * length * length * 64;
            yield return ("sdpa_fwd_bf16", $"{batch}x12x{length}x64", () => Attention(device, batch, length, backward: false, flops));
            yield return ("sdpa_fwdbwd_bf16", $"{batch}x12x{length}x64", () => Attention(device, batch, length, backward: true, 3.5 * flops));
        }
    }

    private static Benchmark Copy(Device device, string name, DType from, DType to)
    {
        Tensor x = Random(device, from, 1, Rows, Columns);
        Tensor y = Tensor.Empty(device, to, x.Shape);
        return new Benchmark(name, $"{Rows}x{Columns}", () => y.CopyFrom(x)) { Bytes = x.Count * (double)(from.Size() + to.Size()) };
    }

    private static Benchmark Sum(Device device)
    {
        Tensor x = Random(device, 1, 1 << 14, 1 << 14);
        return new Benchmark("sum_fp32", $"{1 << 28}", () => Scoped(() => x.Sum())) { Bytes = 4.0 * x.Count };
    }

    private static Benchmark MatMul(Device device, string name, DType type, bool tf32, int m, int n, int k)
    {
        Tensor a = Random(device, type, 1, m, k);
        Tensor b = Random(device, type, 2, n, k);
        return new Benchmark(name, $"{m}x{n}x{k}", () =>
        {
            device.TensorFloat32 = tf32;
            Scoped(() => a.MatMul(b, false, true));
            device.TensorFloat32 = false;
        })
        { Flops = 2.0 * m * n * k, Precision = name[^4..] };
    }

    private static Benchmark Linear(Device device)
    {
        Tensor x = Random(device, DType.BFloat16, 1, 4096, 768);
        Tensor w = Random(device, DType.BFloat16, 2, 3072, 768);
        Tensor b = Random(device, 3, 3072);
        return new Benchmark("linear_gelu_bf16", "4096x3072x768", () => Scoped(() => x.Linear(w, b, Activation.GeluErf))) { Flops = 2.0 * 4096 * 3072 * 768, Precision = "bf16" };
    }

    private static Benchmark Forward(Device device, string name, Func<Tensor, Tensor> run, double bytes)
    {
        Tensor x = Random(device, 1, Rows, Columns);
        return new Benchmark(name, $"{Rows}x{Columns}", () => Scoped(() => run(x))) { Bytes = bytes };
    }

    private static Benchmark LayerNorm(Device device)
    {
        Tensor w = Random(device, 2, Columns);
        Tensor b = Random(device, 3, Columns);
        return Forward(device, "layer_norm_fwd_fp32", t => t.LayerNorm(w, b), 8.0 * Rows * Columns);
    }

    private static Benchmark Both(Device device, string name, Func<Tensor, Tensor, Tensor, Tensor> run, double bytes)
    {
        Tensor x = Random(device, 1, Rows, Columns);
        Tensor w = Random(device, 2, Columns);
        Tensor b = Random(device, 3, Columns);
        Tensor gradient = Random(device, 4, Rows, Columns);
        x.RequiresGradient = w.RequiresGradient = b.RequiresGradient = true;
        return new Benchmark(name, $"{Rows}x{Columns}", () =>
        {
            Backward(() => run(x, w, b), gradient);
            x.ClearGradient();
            w.ClearGradient();
            b.ClearGradient();
        })
        { Bytes = bytes };
    }

    private static Benchmark CrossEntropy(Device device)
    {
        Tensor logits = Random(device, 1, Rows, Classes);
        logits.RequiresGradient = true;
        Tensor labels = Tensor.Persistent(() => Tensor.From(device, new Shape(Rows), Enumerable.Range(0, Rows).Select(i => i * 7919 % Classes).ToArray()));
        Tensor one = Tensor.Full(device, DType.Float32, default, 1);
        return new Benchmark("cross_entropy_fwdbwd_fp32", $"{Rows}x{Classes}", () =>
        {
            Backward(() => logits.CrossEntropy(labels), one);
            logits.ClearGradient();
        })
        { Bytes = 12.0 * Rows * Classes };
    }

    private static Benchmark LinearCrossEntropy(Device device)
    {
        Tensor hidden = Random(device, DType.BFloat16, 1, Rows, 768);
        Tensor weight = Random(device, 2, Classes, 768);
        hidden.RequiresGradient = weight.RequiresGradient = true;
        Tensor labels = Tensor.Persistent(() => Tensor.From(device, new Shape(Rows), Enumerable.Range(0, Rows).Select(i => i * 7919 % Classes).ToArray()));
        Tensor one = Tensor.Full(device, DType.Float32, default, 1);
        return new Benchmark("linear_cross_entropy_bf16", $"{Rows}x{Classes}x768", () =>
        {
            Backward(() => hidden.LinearCrossEntropy(weight, labels), one);
            hidden.ClearGradient();
            weight.ClearGradient();
        })
        { Flops = 6.0 * Rows * Classes * 768, Precision = "bf16" };
    }

    private static Benchmark AdamW(Device device)
    {
        const int count = 125_000_000 / 1000;
        Tensor[] t = [.. Enumerable.Range(1, 4).Select(i => Random(device, (ulong)i, 1000, count))];
        Tensor total = Tensor.Zeros(device, DType.Float64, new Shape(1)), leftOut = Tensor.Zeros(device, DType.Float64, new Shape(1));
        AdamWSlot[] slots = [new AdamWSlot(t[0], t[1], t[2], t[3], true)];
        t[3].FillWith(1);
        long step = 0;
        return new Benchmark("adamw_fp32", "125000000", () =>
            slots.UpdateAdamW([], new AdamWStep(1e-4, 0.9, 0.999, 1e-8, 0.01, 1, ++step), double.PositiveInfinity, total, leftOut))
        { Bytes = 32.0 * t[0].Count };
    }

    private static Benchmark Attention(Device device, int batch, int length, bool backward, double flops)
    {
        Tensor[] t = [.. Enumerable.Range(1, 4).Select(i => Random(device, DType.BFloat16, (ulong)i, batch, length, 768))];
        AttentionOptions options = new(12, false, 0.125);
        string shape = $"{batch}x12x{length}x64";
        if (!backward)
        {
            return new Benchmark("sdpa_fwd_bf16", shape, () => Scoped(() => t[0].Attention(t[1], t[2], null, options))) { Flops = flops, Precision = "bf16" };
        }

        t[0].RequiresGradient = t[1].RequiresGradient = t[2].RequiresGradient = true;
        return new Benchmark("sdpa_fwdbwd_bf16", shape, () =>
        {
            Backward(() => t[0].Attention(t[1], t[2], null, options), t[3]);
            t[0].ClearGradient();
            t[1].ClearGradient();
            t[2].ClearGradient();
        })
        { Flops = flops, Precision = "bf16" };
    }

    private static void Scoped(Func<Tensor> run)
    {
        using MemoryScope scope = MemoryScope.Begin();
        run();
    }

    private static void Backward(Func<Tensor> run, Tensor gradient)
    {
        using MemoryScope scope = MemoryScope.Begin();
        using Tape tape = Tape.Record();
        tape.Backward(run(), gradient);
    }

    private static Tensor Random(Device device, ulong seed, params ReadOnlySpan<int> extents) => Random(device, DType.Float32, seed, extents);

    private static Tensor Random(Device device, DType type, ulong seed, params ReadOnlySpan<int> extents)
    {
        Shape shape = new(extents);
        Tensor x = Tensor.Empty(device, type, shape);
        if (type == DType.Float32)
        {
            x.FillNormal(0, 1, new RandomKey(seed, 0));
            return x;
        }

        using MemoryScope scope = MemoryScope.Begin();
        x.CopyFrom(Random(device, seed, extents));
        return x;
    }
}
