using FsCheck.Fluent;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Tests.Ops;

/// <summary>What must hold of operations along a sequence however it is cut, packed or padded; float64.</summary>
public sealed class SequenceTests
{
    private static readonly Device Cpu = Device.Parse("cpu");

    private static Tensor R(int seed, params ReadOnlySpan<int> shape) => GradientCheck.Random((ulong)seed, shape);

    private static Tensor Integers(Shape shape, params int[] values) => Tensor.From(Cpu, shape, values);

    private static void Close(Tensor expected, Tensor actual, double budget = 1e-13)
    {
        Assert.Equal(expected.Shape.ToArray(), actual.Shape.ToArray());
        foreach ((double a, double b) in expected.ToArray<double>().Zip(actual.ToArray<double>()))
        {
            Assert.True(Math.Abs(a - b) <= budget * (1 + Math.Abs(a)), $"{b} for {a}");
        }
    }

    /// <summary>The first valid rows of each sample in the opposite order, the others where they are.</summary>
    private static Tensor Flip(Tensor x, int[] valid, int length) =>
        Tensor.From<double>(Cpu, DType.Float64, x.Shape, FlipRows(x.ToArray<double>(), valid, length, x.Shape.Last));

    private static T[] FlipRows<T>(T[] x, int[] valid, int length, int columns)
    {
        T[] flipped = [.. x];
        for (int r = 0; r < valid.Length * length; r++)
        {
            int t = r % length, n = valid[r / length];
            x.AsSpan((t < n ? r - t + n - 1 - t : r) * columns, columns).CopyTo(flipped.AsSpan(r * columns));
        }

        return flipped;
    }

    private static void Check(Action<int, int, int, int> property) => Prop.ForAll(
        Arb.From(Gen.Choose(1, 3)), Arb.From(Gen.Choose(1, 20)), Arb.From(Gen.Choose(1, 8)), (batch, length, taps) =>
        {
            using MemoryScope scope = MemoryScope.Begin();
            property(batch, length, taps, (batch * 1000) + (length * 10) + taps);
        }).Holds(40);

    [Fact]
    public void AConvolutionInChunksIsTheWholeOne() => Check((batch, length, taps, seed) =>
    {
        Tensor x = R(seed, batch, length, 7), w = R(seed + 1, 7, 1, taps), bias = R(seed + 2, 7);
        Tensor sequences = Integers(new Shape(batch, length), [.. Enumerable.Range(0, batch * length).Select(i => i % length * 3 / 10)]);
        foreach (Tensor? packed in (Tensor?[])[null, sequences])
        {
            Tensor whole = x.CausalConv1d(w, bias, Activation.Silu, packed);
            Tensor state = Tensor.Zeros(Cpu, DType.Float64, new Shape(batch, taps - 1, 7));
            System.Random random = new(seed);
            for (int from = 0; from < length;)
            {
                int rows = random.Next(1, length - from + 1);
                if (packed is not null && from > 0 && packed.ToArray<int>()[from] != packed.ToArray<int>()[from - 1])
                {
                    state = Tensor.Zeros(Cpu, DType.Float64, state.Shape); // a sequence begins with this chunk
                }

                Tensor part = x.Narrow(1, from, rows).CausalConv1d(w, bias, Activation.Silu, packed?.Narrow(1, from, rows), null, state);
                Close(whole.Narrow(1, from, rows), part);
                from += rows;
            }
        }
    });

    [Fact]
    public void AConvolutionWithLengthsSeesNoPaddingAndKeepsTheLastInputsThatCount() => Check((batch, length, taps, seed) =>
    {
        Tensor x = R(seed, batch, length, 5), w = R(seed + 1, 5, 1, taps);
        System.Random random = new(seed);
        for (int round = 0; round < 3; round++)
        {
            int[] lengths = [.. Enumerable.Range(0, batch).Select(_ => random.Next(length + 1))];
            Tensor padded = Tensor.Full(Cpu, DType.Float64, x.Shape, double.NaN);
            for (int s = 0; s < batch; s++)
            {
                padded.Narrow(0, s, 1).Narrow(1, 0, lengths[s]).CopyFrom(x.Narrow(0, s, 1).Narrow(1, 0, lengths[s]));
            }

            Tensor before = R(seed + 3, batch, taps - 1, 5), together = before.Detach().Affine(1);
            Tensor y = padded.CausalConv1d(w, null, Activation.None, null, Integers(new Shape(batch), lengths), together);
            for (int s = 0; s < batch; s++)
            {
                Tensor state = before.Narrow(0, s, 1).Affine(1);
                Close(x.Narrow(0, s, 1).Narrow(1, 0, lengths[s]).CausalConv1d(w, null, Activation.None, null, null, state), y.Narrow(0, s, 1).Narrow(1, 0, lengths[s]));
                Close(state, together.Narrow(0, s, 1));
                Assert.All(y.Narrow(0, s, 1).Narrow(1, lengths[s], length - lengths[s]).ToArray<double>(), v => Assert.Equal(0, v));
            }
        }
    });

    [Fact]
    public void PackedSequencesAreEachAlone() => Check((batch, length, taps, seed) =>
    {
        Tensor x = R(seed, 1, length + batch, 6).Narrow(2, 1, 5), w = R(seed + 1, 5, 1, taps), bias = R(seed + 2, 5);
        int[] numbers = [.. Enumerable.Range(0, length + batch).Select(i => i < batch ? 4 : i < batch + (length / 2) ? -1 : length == 1 ? 3 : 4)];
        Tensor y = x.CausalConv1d(w, bias, Activation.Silu, Integers(new Shape(1, length + batch), numbers));
        int from = 0;
        foreach (int rows in (int[])[batch, length / 2, length - (length / 2)])
        {
            Close(x.Narrow(1, from, rows).CausalConv1d(w, bias, Activation.Silu), y.Narrow(1, from, rows));
            from += rows;
        }
    });

    [Fact]
    public void AReverseConvolutionIsTheForwardOneOfEachSampleReadBackwards() => Check((batch, length, taps, seed) =>
    {
        Tensor w = R(seed + 1, 5, 1, taps), bias = R(seed + 2, 5), given = R(seed + 3, batch, length, 5);
        System.Random random = new(seed);
        int[] lengths = [.. Enumerable.Range(0, batch).Select(_ => random.Next(length + 1))];
        int[] numbers = [.. Enumerable.Range(0, batch * length).Select(i => i % length * 3 / 10)];
        foreach ((bool padded, bool packed) in (ReadOnlySpan<(bool, bool)>)[(false, false), (true, false), (false, true), (true, true)])
        {
            int[] valid = padded ? lengths : [.. lengths.Select(_ => length)];
            Tensor x = R(seed, batch, length, 5), flipped = Flip(x, valid, length);
            Tensor? sequences = packed ? Integers(new Shape(batch, length), numbers) : null;
            Tensor? sequencesFlipped = packed ? Integers(new Shape(batch, length), FlipRows(numbers, valid, length, 1)) : null;
            Tensor? counts = padded ? Integers(new Shape(batch), valid) : null;
            x.RequiresGradient = true;
            flipped.RequiresGradient = true;
            using Tape tape = Tape.Record();
            Tensor y = x.CausalConv1d(w, bias, Activation.Silu, sequences, counts, null, reverse: true);
            Tensor expected = flipped.CausalConv1d(w, bias, Activation.Silu, sequencesFlipped, counts);
            Close(Flip(expected, valid, length), y);
            tape.Backward(y.Multiply(given).Add(expected.Multiply(Flip(given, valid, length))).Sum());
            Close(Flip(flipped.Gradient!, valid, length), x.Gradient!);
        }
    });

    [Fact]
    public void RotaryAtAnOffsetIsASliceOfTheWholeAndKeepsNorms() => Check((batch, length, half, seed) =>
    {
        int size = (2 * half) + 3;
        Tensor qkv = R(seed, batch, length, 2 * 3 * size);
        Tensor whole = qkv.SplitHeadsRotary(2, 2 * half, 10_000);
        int from = seed % length;
        Close(whole.Narrow(2, from, length - from), qkv.Narrow(1, from, length - from).SplitHeadsRotary(2, 2 * half, 10_000, from));
        Assert.Equal(qkv.Multiply(qkv).Sum().Item(), whole.Multiply(whole).Sum().Item(), 1e-9);
        Tensor values = qkv.Reshape(batch, length, 2, 3, size).Narrow(3, 2, 1).Contiguous();
        Close(values.Reshape(batch, length, 2 * size), whole.Narrow(0, 2, 1).Reshape(batch, length, 2 * size));
    });

    [Fact]
    public void BadArgumentsAreRefused()
    {
        using MemoryScope scope = MemoryScope.Begin();
        Tensor x = R(1, 2, 5, 6), w = R(2, 6, 1, 4);
        Assert.Throws<CaldException>(() => x.CausalConv1d(R(2, 5, 1, 4), null, Activation.None));
        Assert.Throws<CaldException>(() => x.CausalConv1d(R(2, 6, 1, 9), null, Activation.None));
        Assert.Throws<CaldException>(() => x.CausalConv1d(w, null, Activation.Tanh));
        Assert.Throws<CaldException>(() => x.CausalConv1d(w.To(DType.Float32), null, Activation.None));
        Assert.Throws<CaldException>(() => x.CausalConv1d(w, null, Activation.None, Integers(new Shape(2, 4), new int[8])));
        Assert.Throws<CaldException>(() => x.CausalConv1d(w, null, Activation.None, state: R(3, 2, 4, 6)));
        Assert.Throws<CaldException>(() => x.CausalConv1d(w, null, Activation.None, state: R(3, 2, 3, 6), reverse: true));
        Assert.Throws<CaldException>(() => x.SplitHeadsRotary(4, 0, 10_000));
        Assert.Throws<CaldException>(() => x.SplitHeadsRotary(1, 3, 10_000));
        Assert.Throws<CaldException>(() => x.SplitHeadsRotary(1, 4, 10_000));
        Assert.Contains("fewer than the 7", Assert.Throws<CaldException>(() => x.Conv1d(R(2, 3, 6, 7), null)).Message, StringComparison.Ordinal);
        Assert.Throws<CaldException>(() => x.Conv1d(R(2, 3, 5, 2), null));
        Assert.Throws<CaldException>(() => x.Conv1d(R(2, 3, 3, 2), null, groups: 2));
        Assert.Throws<CaldException>(() => x.Conv1d(R(2, 3, 6, 2), R(3, 2)));
        Assert.Throws<CaldException>(() => x.Conv1d(R(2, 3, 6, 2), null, stride: 0));
        Assert.Throws<CaldException>(() => x.Conv1d(R(2, 3, 6, 2).To(DType.Float32), null));
        Assert.Throws<CaldException>(() => x.GroupNorm(4, null, null));
        Assert.Throws<CaldException>(() => x.GroupNorm(3, R(2, 5), null));
        Assert.Throws<CaldException>(() => x.WeightNorm(R(2, 6)));
        Assert.Throws<CaldException>(() => x.ReplaceRows(Integers(new Shape(2, 4), new int[8]), R(2, 6)));
        Assert.Throws<CaldException>(() => x.MaskFeatures(R(2, 2, 6)));
        Assert.Throws<CaldException>(() => x.MeanRows(Integers(new Shape(3), 1, 2, 3)));
    }
}
