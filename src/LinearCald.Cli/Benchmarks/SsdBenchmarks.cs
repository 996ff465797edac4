using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Cli.Benchmarks;

/// <summary>
/// The scan of Mamba-2 with the peers' sizes and inputs: 16 heads of 64 features in one group, 128 states, softplus, D; on a GPU under the peers' names. And a step of generation.
/// </summary>
internal static class SsdBenchmarks
{
    private const int Heads = 16;
    private const int HeadSize = 64;
    private const int StateSize = 128;
    private const int Chunk = 64;

    public static IEnumerable<(string Op, string Shape, Func<Benchmark> Make)> All(Device device)
    {
        (int Batch, int Length)[] sizes = device.RunsAhead ? [(8, 2048), (2, 16384), (16, 500)] : [(4, 512), (1, 4096)];
        foreach (DType type in (DType[])(device.RunsAhead ? [DType.BFloat16, DType.Float32] : [DType.Float32]))
        {
            foreach ((int batch, int length) in sizes)
            {
                yield return (NameOf(device, type, backward: false), ShapeOf(batch, length), () => Make(device, type, batch, length, backward: false));
                yield return (NameOf(device, type, backward: true), ShapeOf(batch, length), () => Make(device, type, batch, length, backward: true));
            }
        }

        yield return ("ssd_step", ShapeOf(1, 1), () => Step(device));
    }

    private static string NameOf(Device device, DType type, bool backward) => device.RunsAhead
        ? $"ssd_{(backward ? "fwdbwd" : "fwd")}_{(type == DType.Float32 ? "fp32" : "bf16")}"
        : $"ssd_{(backward ? "fwd_bwd" : "fwd")}";

    private static string ShapeOf(int batch, int length) => $"{batch}x{length}x{Heads}x{HeadSize}x{StateSize}";

    private static Benchmark Step(Device device)
    {
        Tensor x = Random(device, DType.Float32, 1, 1, 1, Heads * HeadSize), delta = Random(device, DType.Float32, 2, 1, 1, Heads), b = Random(device, DType.Float32, 3, 1, 1, StateSize);
        Tensor a = Tensor.Persistent(() => Tensor.Full(device, DType.Float32, new Shape(Heads), -1));
        Tensor state = Tensor.Persistent(() => Tensor.Zeros(device, DType.Float32, new Shape(1, Heads, HeadSize, StateSize)));
        SsdOptions options = new() { Heads = Heads, Softplus = true, InitialState = state, FinalState = state };
        return new Benchmark("ssd_step", ShapeOf(1, 1), () =>
        {
            using MemoryScope scope = MemoryScope.Begin();
            x.SsdScan(delta, a, b, b, null, null, options);
        })
        { Bytes = 8.0 * state.Count, Tokens = 1, Owned = [x, delta, b, a, state] };
    }

    private static Benchmark Make(Device device, DType type, int batch, int length, bool backward)
    {
        Tensor x = Random(device, type, 1, batch, length, Heads * HeadSize);
        Tensor delta = Random(device, type, 2, batch, length, Heads);
        Tensor b = Random(device, type, 3, batch, length, StateSize);
        Tensor c = Random(device, type, 4, batch, length, StateSize);
        Tensor d = Random(device, DType.Float32, 5, Heads);
        Tensor gradient = Random(device, type, 6, batch, length, Heads * HeadSize);
        Tensor a = Tensor.Persistent(() => Tensor.From(device, new Shape(Heads), [.. Enumerable.Range(1, Heads).Select(h => -0.5f * h)]));
        SsdOptions options = new() { Heads = Heads, Softplus = true, Chunk = Chunk };
        Tensor[] leaves = [x, delta, a, b, c, d];
        return new Benchmark(NameOf(device, type, backward), ShapeOf(batch, length), () =>
        {
            foreach (Tensor leaf in leaves)
            {
                leaf.RequiresGradient = backward;
            }

            using MemoryScope scope = MemoryScope.Begin();
            using (Tape tape = Tape.Record())
            {
                Tensor y = x.SsdScan(delta, a, b, c, d, null, options);
                if (backward)
                {
                    tape.Backward(y, gradient);
                }
            }

            foreach (Tensor leaf in leaves)
            {
                leaf.ClearGradient();
            }
        })
        { Flops = Flops(batch, length) * (backward ? 3.5 : 1), Tokens = batch * length, Precision = type == DType.Float32 ? "fp32" : "bf16", Owned = [.. leaves, gradient] };
    }

    /// <summary>Of the lower halves of C Bᵀ, once, and of its product with x, and of the two products with the state.</summary>
    private static double Flops(int batch, int length) => (double)batch * length * ((Heads * ((Chunk * HeadSize) + (4.0 * HeadSize * StateSize))) + (Chunk * StateSize));

    private static Tensor Random(Device device, DType type, ulong seed, params ReadOnlySpan<int> extents)
    {
        Shape shape = new(extents);
        return Tensor.Persistent(() =>
        {
            Tensor x = Tensor.Empty(device, type, shape);
            using MemoryScope scope = MemoryScope.Begin();
            Tensor values = Tensor.Empty(device, DType.Float32, shape);
            values.FillNormal(0, 1, new RandomKey(seed, 0));
            x.CopyFrom(values);
            return x;
        });
    }
}
