using System.Numerics;
using FsCheck.Fluent;
using LinearCald.Tensors.Cpu;

namespace LinearCald.Tensors.Tests.Cpu;

[Collection("CPU kernels")]
public unsafe class CausalConvTests
{
    [Fact]
    public void Forward_agrees_with_the_reference() => CausalConvCase.ForAll(c =>
    {
        Forward<float>(c, 2e-6);
        Forward<double>(c, 1e-13);
    });

    [Fact]
    public void Backward_agrees_with_the_reference() => CausalConvCase.ForAll(c =>
    {
        Backward<float>(c, 3e-6);
        Backward<double>(c, 1e-13);
    });

    [Fact]
    public void Same_bits_on_any_thread_count()
    {
        ConvShape shape = new(3, 150, 70, 4);
        float[] values = KernelData.Normal<float>(3 * 150 * 70, 3);
        KernelData.SameBitsOnAnyThreadCount(() =>
        {
            using KernelBuffer<float> x = new(values), w = new(values.AsSpan(0, 280)), y = new(values.Length), dx = new(values.Length), dw = new(280), db = new(70);
            CausalConv.Forward<float>(shape, x, 70, w, w, true, null, null, null, y);
            CausalConvGradient.Run<float>(shape, y, x, 70, w, w, true, null, null, dx, 70, dw, false, db, false);
            return (float[])[.. y.ToArray(), .. dx.ToArray(), .. dw.ToArray(), .. db.ToArray()];
        });
    }

    private static void Forward<T>(CausalConvCase c, double budget)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T[] values = c.Values<T>(c.Rows * c.Shape.Channels, 1), weights = c.Values<T>(c.Shape.Channels * c.Shape.Taps, 2), shift = c.Values<T>(c.Shape.Channels, 3);
        T[] history = c.HasState ? c.Values<T>((int)c.Shape.Batch * (c.Shape.Taps - 1) * c.Shape.Channels, 4) : [];
        double[] expected = CausalConvReference.Forward(
            c.Shape, KernelData.ToDouble(values), KernelData.ToDouble(weights), c.HasBias ? KernelData.ToDouble(shift) : [], c.Silu, c.Sequences, c.Lengths, KernelData.ToDouble(history));

        using KernelBuffer<T> x = new(c.Spread(values)), w = new(weights), bias = new(shift), state = new(history), y = new(values.Length);
        using KernelBuffer<int> sequences = new(c.Sequences), lengths = new(c.Lengths);
        CausalConv.Forward<T>(
            c.Shape, x, c.Pitch, w, c.HasBias ? bias.Pointer : null, c.Silu, c.Sequences.Length > 0 ? sequences.Pointer : null, c.Lengths.Length > 0 ? lengths.Pointer : null,
            c.HasState ? state.Pointer : null, y);
        KernelData.Close<T>(y.Span, expected, budget, $"y of {c}", 1);
    }

    private static void Backward<T>(CausalConvCase c, double budget)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int count = c.Rows * c.Shape.Channels;
        T[] values = c.Values<T>(count, 1), weights = c.Values<T>(c.Shape.Channels * c.Shape.Taps, 2), shift = c.Values<T>(c.Shape.Channels, 3), given = c.Values<T>(count, 5);
        (double[] ex, double[] ew, double[] eb) = CausalConvReference.Backward(
            c.Shape, KernelData.ToDouble(given), KernelData.ToDouble(values), KernelData.ToDouble(weights), c.HasBias ? KernelData.ToDouble(shift) : [], c.Silu, c.Sequences, c.Lengths);

        using KernelBuffer<T> x = new(c.Spread(values)), w = new(weights), bias = new(shift), gy = new(given), dw = new(weights.Length), db = new(shift.Length);
        using KernelBuffer<T> dx = new(c.Spread(new T[count]));
        using KernelBuffer<int> sequences = new(c.Sequences), lengths = new(c.Lengths);
        int* s = c.Sequences.Length > 0 ? sequences.Pointer : null, l = c.Lengths.Length > 0 ? lengths.Pointer : null;
        T* b = c.HasBias ? bias.Pointer : null;
        CausalConvGradient.Run<T>(c.Shape, gy, x, c.Pitch, w, b, c.Silu, s, l, dx, c.Pitch, dw, false, db, false);
        KernelData.Close<T>(c.Packed(dx.ToArray()), ex, budget, $"dx of {c}", 1);
        KernelData.Close<T>(dw.Span, ew, budget, $"dw of {c}", Math.Sqrt(count));
        KernelData.Close<T>(db.Span, eb, budget, $"dbias of {c}", Math.Sqrt(count));
        CausalConvGradient.Run<T>(c.Shape, gy, x, c.Pitch, w, b, c.Silu, s, l, null, 0, dw, true, db, true);
        KernelData.Close<T>(dw.Span, [.. ew.Select(v => 2 * v)], budget, $"dw added for {c}", Math.Sqrt(count));
        KernelData.Close<T>(db.Span, [.. eb.Select(v => 2 * v)], budget, $"dbias added for {c}", Math.Sqrt(count));
    }
}

/// <summary>A random convolution: odd widths, lengths shorter than the kernel, packed sequences, padding.</summary>
/// <param name="Pitch">Elements from row to row of x; what lies between rows is NaN.</param>
internal sealed record CausalConvCase(ConvShape Shape, int Pitch, bool Silu, bool HasBias, bool HasState, int[] Sequences, int[] Lengths, int Seed)
{
    public int Rows => (int)(Shape.Batch * Shape.Length);

    public static void ForAll(Action<CausalConvCase> property) => Prop.ForAll(
        (from batch in Gen.Choose(1, 3)
         from length in Gen.Frequency((5, Gen.Choose(1, 12)), (2, Gen.Choose(30, 80)))
         from channels in Gen.Frequency((5, Gen.Choose(1, 40)), (2, Gen.Choose(120, 140)), (1, Gen.Choose(513, 530)))
         from taps in Gen.Choose(1, 8)
         from gap in Gen.Elements(0, 0, 5)
         from flags in Gen.Choose(0, 31)
         from reverse in Gen.Elements(false, true)
         from seed in Gen.Choose(0, 100_000)
         select Make(new ConvShape(batch, length, channels, taps, reverse), channels + gap, flags, seed)).ToArbitrary(),
        property).Holds(KernelShapes.Cases);

    public T[] Values<T>(int count, int stream)
        where T : unmanaged, INumberBase<T> => KernelData.Normal<T>(count, (Seed * 7) + stream);

    /// <summary>Rows laid out at <see cref="Pitch"/>.</summary>
    public T[] Spread<T>(T[] packed)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T[] spread = new T[((Rows - 1) * Pitch) + Shape.Channels];
        Array.Fill(spread, T.NaN);
        for (int r = 0; r < Rows; r++)
        {
            packed.AsSpan(r * Shape.Channels, Shape.Channels).CopyTo(spread.AsSpan(r * Pitch));
        }

        return spread;
    }

    /// <summary>The rows of what <see cref="Spread"/> laid out; between them nothing may have been written.</summary>
    public T[] Packed<T>(T[] spread)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T[] packed = new T[Rows * Shape.Channels];
        for (int r = 0; r < Rows; r++)
        {
            spread.AsSpan(r * Pitch, Shape.Channels).CopyTo(packed.AsSpan(r * Shape.Channels));
            Assert.All(spread[((r * Pitch) + Shape.Channels)..Math.Min((r + 1) * Pitch, spread.Length)], v => Assert.True(T.IsNaN(v)));
        }

        return packed;
    }

    private static CausalConvCase Make(ConvShape shape, int pitch, int flags, int seed)
    {
        System.Random random = new(seed);
        int[] sequences = new int[shape.Batch * shape.Length];
        for (int i = 1; i < sequences.Length; i++)
        {
            sequences[i] = (sequences[i - 1] + (random.Next(4) == 0 ? 1 : 0)) % 3;
        }

        int[] lengths = [.. Enumerable.Range(0, (int)shape.Batch).Select(_ => random.Next((int)shape.Length + 1))];
        return new(shape, pitch, (flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0 && !shape.Reverse, (flags & 8) != 0 ? sequences : [], (flags & 16) != 0 ? lengths : [], seed);
    }
}
