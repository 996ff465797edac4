using FsCheck.Fluent;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cuda.Tests.Ctc;

/// <summary>CTC on any device against the CPU in float64: random lengths, labels that repeat, alignments that are impossible.</summary>
internal static class CtcChecks
{
    public static void Random(GpuDevice device, int cases, int longest, int mostLabels) => Prop.ForAll(
        (from batch in Gen.Choose(1, 3)
         from frames in Gen.Frequency((1, Gen.Choose(0, 3)), (4, Gen.Choose(4, longest)))
         from classes in Gen.Frequency((3, Gen.Choose(2, 8)), (2, Gen.Choose(31, 70)))
         from room in Gen.Choose(0, mostLabels)
         from type in Gen.Elements(DType.Float32, DType.Float32, DType.BFloat16, DType.Float16)
         from seed in Gen.Choose(0, 1_000_000)
         select (batch, frames, classes, room, type, seed)).ToArbitrary(),
        c => Compare(device, c.type, c.batch, c.frames, c.classes, c.room, c.seed)).Holds(cases);

    public static void Compare(GpuDevice device, DType type, int batch, int frames, int classes, int room, int seed)
    {
        using MemoryScope scope = MemoryScope.Begin();
        System.Random random = new(seed);
        int blank = seed % classes;
        float[] logits = new float[batch * frames * classes];
        int[] inputs = new int[batch], outputs = new int[batch], targets = new int[batch * room];
        for (int b = 0; b < batch; b++)
        {
            inputs[b] = random.Next(2) == 0 ? frames : random.Next(frames + 1);
            outputs[b] = random.Next(Math.Min(room, inputs[b]) + 1);
            for (int k = 0; k < room; k++)
            {
                targets[(b * room) + k] = k < outputs[b] ? (blank + 1 + random.Next(Math.Min(classes - 1, 5))) % classes : -100;
            }

            for (int i = 0; i < frames * classes; i++)
            {
                // every type holds these; unlikely labels beside a likely blank; padding that nothing may read
                logits[(b * frames * classes) + i] = i / classes >= inputs[b] ? float.NaN : (random.Next(-8, 9) / 2f) + (i % classes == blank && seed % 3 == 0 ? 24 : 0);
                if (seed % 5 == 0 && i % classes != 0 && i / classes < inputs[b] && random.Next(6) == 0)
                {
                    logits[(b * frames * classes) + i] = float.NegativeInfinity;
                }
            }
        }

        bool zero = seed % 2 == 0;
        (double[] losses, double[] gradient) expected = Run(Device.Parse("cpu"), DType.Float64), actual = Run(device, type);
        double budget = type == DType.Float32 ? 1e-5 : type == DType.BFloat16 ? 1e-2 : 2e-3;
        for (int b = 0; b < batch; b++)
        {
            double e = expected.losses[b], a = actual.losses[b];
            Assert.True(e.Equals(a) || Math.Abs(a - e) <= 1e-5 * (1 + e), $"loss {b} with {type}: {a}, not {e}");
        }

        double error = Math.Sqrt(expected.gradient.Zip(actual.gradient, (x, y) => (x - y) * (x - y)).Sum()), norm = Math.Sqrt(expected.gradient.Sum(x => x * x));
        Assert.True(error <= (budget * norm) + (1e-7 * Math.Sqrt(logits.Length)), $"gradient with {type}: error {error / norm:G3}");

        (double[], double[]) Run(Device on, DType data)
        {
            Tensor x = Tensor.Empty(on, data, new Shape(batch, frames, classes));
            x.CopyFrom(Tensor.From(on, x.Shape, logits));
            x.RequiresGradient = true;
            Tensor Integers(int[] values, params ReadOnlySpan<int> extents) => Tensor.From(on, new Shape(extents), values);
            Tensor Loss() => x.CtcLoss(Integers(targets, batch, room), Integers(inputs, batch), Integers(outputs, batch), blank, zero);
            double[] alone = Doubles(Loss());
            using Tape tape = Tape.Record();
            Tensor y = Loss();
            double[] values = Doubles(y);
            Assert.Equal(alone, values);
            Tensor weights = Tensor.Empty(on, y.Type, y.Shape);
            weights.CopyFrom(Tensor.From(on, y.Shape, [.. Enumerable.Range(1, batch).Select(b => b / 2f)]));
            tape.Backward(y, weights);
            return (values, Doubles(x.Gradient!));
        }
    }

    /// <summary>A kernel cannot complain: NaN says it.</summary>
    public static void OutOfRange(GpuDevice device)
    {
        using MemoryScope scope = MemoryScope.Begin();
        Tensor x = Tensor.Zeros(device, DType.Float32, new Shape(5, 3, 4));
        x.RequiresGradient = true;
        using Tape tape = Tape.Record();
        Tensor y = x.CtcLoss(
            Tensor.From(device, new Shape(5, 1), [4, 1, 2, 0, 1]), Tensor.From(device, new Shape(5), [3, 4, 3, 3, 3]), Tensor.From(device, new Shape(5), [1, 1, -1, 1, 1]));
        Assert.Equal((bool[])[true, true, true, true, false], Array.ConvertAll(y.ToArray<float>(), float.IsNaN));
        tape.Backward(y, Tensor.Full(device, DType.Float32, y.Shape, 1));
        float[] gradient = x.Gradient!.ToArray<float>();
        Assert.All(gradient[..12], g => Assert.True(float.IsNaN(g)));
        Assert.All(gradient[48..], g => Assert.True(float.IsFinite(g)));
    }

    private static double[] Doubles(Tensor x)
    {
        if (x.Type == DType.Float64)
        {
            return x.ToArray<double>();
        }

        Tensor copy = Tensor.Empty(x.Device, DType.Float32, x.Shape);
        copy.CopyFrom(x);
        return Array.ConvertAll(copy.ToArray<float>(), v => (double)v);
    }
}
