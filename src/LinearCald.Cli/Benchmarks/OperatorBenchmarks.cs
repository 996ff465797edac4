using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Cli.Benchmarks;

/// <summary>Single operations, in the shapes of the peers' scripts.</summary>
internal static class OperatorBenchmarks
{
    private static readonly (int M, int K, int N)[] Products = [(1024, 1024, 1024), (2048, 768, 3072), (2048, 256, 256), (2048, 128, 512), (2048, 128, 128)];

    public static IEnumerable<Benchmark> All(Device device)
    {
        foreach ((int m, int k, int n) in Products)
        {
            for (int form = 0; form < 4; form++)
            {
                yield return MatMul(device, m, k, n, form % 2 == 1, form / 2 == 1);
            }
        }

        foreach (Benchmark row in Rows(device, 4096, 1024))
        {
            yield return row;
        }

        yield return LinearCrossEntropy(device, 2048, 8192, 128);
    }

    private static Benchmark MatMul(Device device, int m, int k, int n, bool transposeA, bool transposeB)
    {
        Tensor a = Random(device, 1, transposeA ? k : m, transposeA ? m : k);
        Tensor b = Random(device, 2, transposeB ? n : k, transposeB ? k : n);
        string form = (transposeA ? "T" : "N") + (transposeB ? "T" : "N");
        return new Benchmark(form == "NN" ? "matmul" : $"matmul_{form.ToLowerInvariant()}", $"{m}x{k}x{n}", () =>
        {
            using MemoryScope scope = MemoryScope.Begin();
            a.MatMul(b, transposeA, transposeB);
        })
        { Flops = 2.0 * m * k * n };
    }

    private static IEnumerable<Benchmark> Rows(Device device, int rows, int columns)
    {
        Tensor x = Random(device, 3, rows, columns);
        Tensor w = Random(device, 4, columns);
        Tensor b = Random(device, 5, columns);
        double bytes = 8.0 * rows * columns;
        string shape = $"{rows}x{columns}";
        (string Name, Func<Tensor, Tensor> Run)[] operators =
        [
            ("softmax", t => t.Softmax()),
            ("layer_norm", t => t.LayerNorm(w, b)),
            ("gelu", t => t.Apply(Activation.GeluErf)),
        ];
        foreach ((string name, Func<Tensor, Tensor> run) in operators)
        {
            yield return new Benchmark(name, shape, () =>
            {
                using MemoryScope scope = MemoryScope.Begin();
                run(x);
            })
            { Bytes = bytes };
        }

        Tensor gradient = Tensor.Persistent(() => Tensor.Full(device, DType.Float32, new Shape(rows, columns), 1));
        foreach ((string name, Func<Tensor, Tensor> run) in operators)
        {
            yield return new Benchmark(name + "_fwd_bwd", shape, () =>
            {
                x.RequiresGradient = w.RequiresGradient = b.RequiresGradient = true;
                using MemoryScope scope = MemoryScope.Begin();
                using (Tape tape = Tape.Record())
                {
                    tape.Backward(run(x), gradient);
                }

                x.ClearGradient();
                w.ClearGradient();
                b.ClearGradient();
                x.RequiresGradient = w.RequiresGradient = b.RequiresGradient = false;
            })
            { Bytes = 2.5 * bytes };
        }
    }

    private static Benchmark LinearCrossEntropy(Device device, int rows, int classes, int features)
    {
        Tensor hidden = Random(device, 6, rows, features);
        Tensor weight = Random(device, 7, classes, features);
        Tensor labels = Tensor.Persistent(() => Tensor.From(device, new Shape(rows), Enumerable.Range(0, rows).Select(i => i * 7919 % classes).ToArray()));
        hidden.RequiresGradient = weight.RequiresGradient = true;
        return new Benchmark("linear_cross_entropy_fwd_bwd", $"{rows}x{classes}x{features}", () =>
        {
            using MemoryScope scope = MemoryScope.Begin();
            using (Tape tape = Tape.Record())
            {
                tape.Backward(hidden.LinearCrossEntropy(weight, labels));
            }

            hidden.ClearGradient();
            weight.ClearGradient();
        })
        { Flops = 6.0 * rows * classes * features };
    }

    private static Tensor Random(Device device, ulong seed, params ReadOnlySpan<int> extents)
    {
        Shape shape = new(extents);
        Tensor x = Tensor.Persistent(() => Tensor.Empty(device, DType.Float32, shape));
        x.FillNormal(0, 1, new RandomKey(seed, 0));
        return x;
    }
}
