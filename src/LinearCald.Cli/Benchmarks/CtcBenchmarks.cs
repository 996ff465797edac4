using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Cli.Benchmarks;

/// <summary>CTC loss and gradient in the peers' shapes (frames × utterances × classes × labels), under their names. Theirs starts at log-probabilities, ours has the softmax inside.</summary>
internal static class CtcBenchmarks
{
    public static IEnumerable<(string Op, string Shape, Func<Benchmark> Make)> All(Device device)
    {
        (int Frames, int Batch, int Classes, int Labels)[] sizes = device.RunsAhead ? [(500, 16, 32, 100), (1500, 16, 32, 300), (500, 64, 32, 100)] : [(500, 8, 32, 100)];
        string op = device.RunsAhead ? "ctc_fwdbwd_native" : "ctc_loss_fwd_bwd";
        foreach ((int frames, int batch, int classes, int labels) in sizes)
        {
            string shape = $"{frames}x{batch}x{classes}x{labels}";
            yield return (op, shape, () => Make(device, op, shape, frames, batch, classes, labels));
        }
    }

    private static Benchmark Make(Device device, string op, string shape, int frames, int batch, int classes, int labels)
    {
        Tensor logits = Tensor.Persistent(() =>
        {
            Tensor x = Tensor.Empty(device, DType.Float32, new Shape(batch, frames, classes));
            x.FillNormal(0, 1, new RandomKey(1, 0));
            return x;
        });
        Random random = new(2);
        Tensor targets = Integers(device, new Shape(batch, labels), _ => random.Next(1, classes));
        Tensor inputLengths = Integers(device, new Shape(batch), _ => frames), targetLengths = Integers(device, new Shape(batch), _ => labels);
        Tensor gradient = Tensor.Persistent(() => Tensor.Full(device, DType.Float32, new Shape(batch), 1.0 / (batch * labels)));
        logits.RequiresGradient = true;
        return new Benchmark(op, shape, () =>
        {
            using (MemoryScope scope = MemoryScope.Begin())
            using (Tape tape = Tape.Record())
            {
                tape.Backward(logits.CtcLoss(targets, inputLengths, targetLengths), gradient);
            }

            logits.ClearGradient();
        })
        { Bytes = 8.0 * logits.Count, Owned = [logits, targets, inputLengths, targetLengths, gradient] };
    }

    private static Tensor Integers(Device device, Shape shape, Func<int, int> value) =>
        Tensor.Persistent(() => Tensor.From(device, shape, [.. Enumerable.Range(0, (int)shape.Count).Select(value)]));
}
