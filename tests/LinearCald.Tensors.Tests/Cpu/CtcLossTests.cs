using System.Numerics;
using FsCheck.Fluent;
using LinearCald.Tensors.Cpu;

namespace LinearCald.Tensors.Tests.Cpu;

[Collection("CPU kernels")]
public unsafe class CtcLossTests
{
    private const int Blank = 1;

    /// <summary>Utterances that a property is checked on.</summary>
    public static int Cases { get; set; } = 60;

    [Fact]
    public void Losses_and_gradient_agree_with_the_reference()
    {
        ForAllBatches<float>(1e-6);
        ForAllBatches<double>(1e-12);
    }

    [Fact]
    public void Unlikely_targets_keep_their_accuracy_in_float32()
    {
        // Blanks are all but certain, labels almost impossible: the alignments that count are e^-1000 of those that were dropped.
        Batch<float> batch = new(new CtcShape(2, 700, 40, 120, Blank, false), 4, full: true);
        for (int i = 0; i < batch.Logits.Length; i++)
        {
            batch.Logits[i] += i % 40 == Blank ? 12 : i % 3;
        }

        batch.CheckAgainstReference(1e-6);
    }

    [Fact]
    public void Long_utterances_need_no_whole_lattice()
    {
        CtcShape shape = new(2, 400, 5, 30, Blank, true);
        Batch<float> batch = new(shape, 8, full: true);
        (float[] losses, float[] gradient) = batch.Run(long.MaxValue);
        foreach (long bytes in (long[])[1, 30_000, 200_000])
        {
            (float[] again, float[] pieces) = batch.Run(bytes);
            Assert.Equal(losses, again);
            Assert.Equal(gradient, pieces);
        }
    }

    [Fact]
    public void An_hour_of_frames_stays_in_range()
    {
        CtcShape shape = new(1, 180_000, 4, 40, Blank, false);
        Batch<float> single = new(shape, 11, full: true);
        Batch<double> exact = new(shape, 11, full: true) { Logits = Array.ConvertAll(single.Logits, x => (double)x) };
        (float[] losses, float[] gradient) = single.Run(1 << 20);
        (double[] expected, double[] slopes) = exact.Run(1 << 20);
        KernelData.Close<float>(losses, expected, 1e-6);
        KernelData.Close<float>(gradient, slopes, 1e-5);
    }

    [Fact]
    public void Extreme_logits()
    {
        const float Low = float.NegativeInfinity;
        float Loss(params float[] logits)
        {
            Batch<float> batch = new(new CtcShape(1, 2, 3, 1, 0, false), 1) { Logits = logits, InputLengths = [2], TargetLengths = [1], Targets = [2] };
            (float[] losses, float[] gradient) = batch.Run(1 << 20);
            Assert.True(float.IsNaN(losses[0]) ? gradient.All(float.IsNaN) : gradient.All(float.IsFinite));
            return losses[0];
        }

        Assert.Equal(0, Loss(Low, Low, 3, Low, Low, 2e38f), 1e-7f);
        Assert.Equal(float.PositiveInfinity, Loss(1, 2, Low, 1, 2, Low));
        Assert.Equal(MathF.Log(2), Loss(5000, -5000, 5000, 1e30f, -3e30f, -3e30f), 1e-6f);
        Assert.Equal(2000, Loss(0, 2000, 0, 5, Low, Low));
        Assert.Equal(float.PositiveInfinity, Loss(0, 2000, 0, Low, 5, Low));
        Assert.True(float.IsNaN(Loss(1, float.NaN, 1, 1, 1, 1)));
        Assert.True(float.IsNaN(Loss(1, 1, float.PositiveInfinity, 1, 1, 1)));
        Assert.True(float.IsNaN(Loss(Low, Low, Low, 1, 1, 1)));
    }

    [Fact]
    public void Equal_labels_need_a_blank_that_may_be_impossible()
    {
        Batch<float> batch = new(new CtcShape(1, 3, 2, 2, 0, false), 1) { Logits = [0, 0, float.NegativeInfinity, 0, 0, 0], InputLengths = [3], TargetLengths = [2], Targets = [1, 1] };
        (float[] losses, float[] gradient) = batch.Run(1 << 20);
        Assert.Equal(float.PositiveInfinity, losses[0]);
        Assert.All(gradient, g => Assert.Equal(0, g));
    }

    [Theory]
    [InlineData(6, 2, 3, "row 1 has an input length of 6")]
    [InlineData(-1, 2, 3, "row 1 has an input length of -1")]
    [InlineData(5, 3, 3, "row 1 has a target length of 3")]
    [InlineData(5, 2, 4, "label 1 of row 1 is 4")]
    [InlineData(5, 2, -100, "label 1 of row 1 is -100")]
    [InlineData(5, 2, Blank, "and not 1, the blank")]
    public void What_is_out_of_range_is_named(int frames, int labels, int label, string message)
    {
        Batch<float> batch = new(new CtcShape(2, 5, 4, 2, Blank, true), 3) { InputLengths = [5, frames], TargetLengths = [0, labels], Targets = [-1, -1, 2, label] };
        Assert.Contains(message, Assert.Throws<CaldException>(() => batch.Run(1 << 20)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Same_bits_on_any_thread_count()
    {
        Batch<float> batch = new(new CtcShape(9, 60, 11, 15, Blank, true), 5);
        KernelData.SameBitsOnAnyThreadCount<float>(() =>
        {
            (float[] losses, float[] gradient) = batch.Run(1 << 20);
            return [.. losses, .. gradient];
        });
    }

    private static void ForAllBatches<T>(double budget)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Prop.ForAll(
            Arb.From(Gen.Choose(1, 3).SelectMany(b => Gen.Choose(0, 60).Select(t => (Batch: b, Frames: t)))),
            Arb.From(Gen.Choose(2, 40).SelectMany(v => Gen.Choose(0, 40).Select(s => (Classes: v, Targets: s)))),
            Arb.From(Gen.Choose(0, 1_000_000)),
            (rows, columns, seed) => new Batch<T>(new CtcShape(rows.Batch, rows.Frames, columns.Classes, columns.Targets, Blank, seed % 2 == 0), seed).CheckAgainstReference(budget)).Holds(Cases);

    /// <summary>Random logits, lengths and labels; labels repeat often, padding is what no kernel may read.</summary>
    private sealed class Batch<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        private readonly CtcShape _shape;

        public Batch(CtcShape shape, int seed, bool full = false)
        {
            _shape = shape;
            System.Random random = new(seed);
            Logits = KernelData.Normal<T>(shape.Batch * shape.Frames * shape.Classes, seed, seed % 3 == 0 ? 8 : 2);
            for (int i = 0; seed % 5 == 0 && i < Logits.Length; i++)
            {
                Logits[i] = i % shape.Classes != 0 && random.Next(6) == 0 ? T.NegativeInfinity : Logits[i];
            }

            InputLengths = [.. Enumerable.Range(0, shape.Batch).Select(_ => full || random.Next(2) == 0 ? shape.Frames : random.Next(shape.Frames + 1))];
            TargetLengths = [.. Enumerable.Range(0, shape.Batch).Select(b => full ? shape.Targets : random.Next(Math.Min(shape.Targets, InputLengths[b]) + 1))];
            Targets = new int[shape.Batch * shape.Targets];
            for (int i = 0; i < Targets.Length; i++)
            {
                int label = random.Next(shape.Classes - 1);
                Targets[i] = i % Math.Max(1, shape.Targets) >= TargetLengths[i / Math.Max(1, shape.Targets)] ? -100 : label < shape.Blank ? label : label + 1;
            }

            for (int b = 0; b < shape.Batch; b++)
            {
                Logits.AsSpan(((b * shape.Frames) + InputLengths[b]) * shape.Classes, (shape.Frames - InputLengths[b]) * shape.Classes).Fill(T.NaN);
            }
        }

        public T[] Logits { get; set; }

        public int[] Targets { get; set; }

        public int[] InputLengths { get; set; }

        public int[] TargetLengths { get; set; }

        public (T[] Losses, T[] Gradient) Run(long keptBytes)
        {
            using KernelBuffer<T> logits = new(Logits), losses = new(_shape.Batch), again = new(_shape.Batch), gradient = new(Logits.Length);
            using KernelBuffer<int> targets = new(Targets), frames = new(InputLengths), labels = new(TargetLengths);
            CtcData<T> data = Data(logits, targets, frames, labels, losses, gradient);
            CtcLossKernel.Run(in _shape, data, keptBytes);
            CtcLossKernel.Run(in _shape, Data(logits, targets, frames, labels, again, null), keptBytes);
            Assert.Equal(losses.ToArray(), again.ToArray());
            return (losses.ToArray(), gradient.ToArray());
        }

        public void CheckAgainstReference(double budget)
        {
            (T[] losses, T[] gradient) = Run(1 << 20);
            using KernelBuffer<T> logits = new(Logits);
            using KernelBuffer<int> targets = new(Targets), frames = new(InputLengths), labels = new(TargetLengths);
            (double[] expected, double[] slopes) = CtcLossReference.Run(in _shape, Data(logits, targets, frames, labels, null, null));
            for (int b = 0; b < _shape.Batch; b++)
            {
                Assert.Equal(double.IsFinite(expected[b]), T.IsFinite(losses[b]));
                Assert.True(!double.IsFinite(expected[b]) || Math.Abs(double.CreateTruncating(losses[b]) - expected[b]) <= budget * (1 + expected[b]), $"loss {losses[b]}, not {expected[b]}");
                int at = b * _shape.Frames * _shape.Classes, count = InputLengths[b] * _shape.Classes;
                KernelData.Close<T>(gradient.AsSpan(at, count), slopes.AsSpan(at, count), 4 * budget, "gradient", scale: Math.Sqrt(InputLengths[b]) * (expected[b] == 0 ? 0 : 0.1));
                Assert.All(gradient[(at + count)..(at + (_shape.Frames * _shape.Classes))], g => Assert.Equal(T.Zero, g));
            }
        }

        private static CtcData<T> Data(T* logits, int* targets, int* frames, int* labels, T* losses, T* gradient) => new()
        {
            Logits = logits,
            Targets = targets,
            InputLengths = frames,
            TargetLengths = labels,
            Losses = losses,
            Gradient = gradient,
        };
    }
}
