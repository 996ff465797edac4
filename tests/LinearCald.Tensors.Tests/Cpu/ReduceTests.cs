using LinearCald.Tensors.Cpu;

namespace LinearCald.Tensors.Tests.Cpu;

[Collection("CPU kernels")]
public unsafe class ReduceTests
{
    [Fact]
    public void Whole_buffers()
    {
        KernelShapes.ForAllLengths((length, seed) =>
        {
            float[] values = KernelData.Normal<float>(length, seed, 2, 1), others = KernelData.Normal<float>(length, seed + 1);
            using KernelBuffer<float> x = new(values), y = new(others);
            double magnitude = values.Sum(v => Math.Abs((double)v));
            Assert.Equal(values.Sum(v => (double)v), Reduce.Sum<float>(x, length), (1e-6 * magnitude) + 1e-12);
            double squares = values.Sum(v => (double)v * v);
            Assert.Equal(squares, Reduce.SumSquares<float>(x, length), (1e-6 * squares) + 1e-12);
            double dots = values.Zip(others, (a, b) => (double)a * b).Sum();
            Assert.Equal(dots, Reduce.Dot<float>(x, y, length), (1e-6 * squares) + 1e-12);
            Assert.True(Reduce.AllFinite<float>(x, length));
            if (length > 0)
            {
                x.Span[seed % length] = (seed % 3) switch { 0 => float.NaN, 1 => float.PositiveInfinity, _ => float.NegativeInfinity };
                Assert.False(Reduce.AllFinite<float>(x, length));
            }
        });
    }

    [Fact]
    public void A_long_sum_of_one_sign_is_accurate()
    {
        const int Count = 3_000_001;
        using KernelBuffer<float> x = new(Count);
        x.Span.Fill(0.1f);
        Assert.Equal(Count * (double)0.1f, Reduce.Sum<float>(x, Count), Count * 0.1 * 1e-5);
    }

    [Fact]
    public void Rows()
    {
        KernelShapes.ForAllMatrices((rows, columns, seed) =>
        {
            float[] values = KernelData.Normal<float>(rows * columns, seed);
            using KernelBuffer<float> x = new(values), sums = new(rows), largest = new(rows);
            using KernelBuffer<long> where = new(rows);
            double scale = Math.Sqrt(rows * columns);
            Reduce.SumRows<float>(x, sums, rows, columns, 1, accumulate: false);
            double[] expected = ReduceReference.SumRows<float>(x, rows, columns);
            KernelData.Close<float>(sums.Span, expected, 1e-6, scale: scale);
            Reduce.SumRows<float>(x, sums, rows, columns, 1f / columns, accumulate: true);
            KernelData.Close<float>(sums.Span, [.. expected.Select(e => e + (e / columns))], 1e-6, scale: scale);

            Reduce.MaxRows<float>(x, largest, where, rows, columns);
            for (int r = 0; r < rows; r++)
            {
                float[] row = values[(r * columns)..((r + 1) * columns)];
                Assert.Equal(row.Max(), largest.Span[r]);
                Assert.Equal(Array.IndexOf(row, row.Max()), where.Span[r]);
            }
        });
    }

    [Fact]
    public void A_NaN_is_the_largest_and_the_first_of_equals_is_found()
    {
        using KernelBuffer<float> x = new([1, 9, 9, 2, 1, float.NaN, 5, float.NaN]), largest = new(2);
        using KernelBuffer<long> where = new(2);
        Reduce.MaxRows<float>(x, largest, where, 2, 4);
        Assert.Equal([9, float.NaN], largest.ToArray());
        Assert.Equal([1, 1], where.ToArray());
    }

    [Fact]
    public void Columns()
    {
        KernelShapes.ForAllMatrices((rows, columns, seed) =>
        {
            float[] values = KernelData.Normal<float>(rows * columns, seed, 1, 0.5);
            using KernelBuffer<float> x = new(values), y = new(columns);
            double[] expected = ReduceReference.SumColumns<float>(x, rows, columns);
            ColumnSum.Run<float>(x, y, rows, columns, accumulate: false);
            KernelData.Close<float>(y.Span, expected, 1e-6, scale: Math.Sqrt(rows * columns));
            ColumnSum.Run<float>(x, y, rows, columns, accumulate: true);
            KernelData.Close<float>(y.Span, [.. expected.Select(e => 2 * e)], 1e-6, scale: Math.Sqrt(rows * columns));
        });
    }

    [Fact]
    public void Same_bits_on_any_thread_count()
    {
        const int Rows = 1500, Columns = 201;
        float[] values = KernelData.Normal<float>(Rows * Columns, 5);
        KernelData.SameBitsOnAnyThreadCount(() =>
        {
            using KernelBuffer<float> x = new(values), y = new(Columns);
            ColumnSum.Run<float>(x, y, Rows, Columns, accumulate: false);
            return (double[])[Reduce.Sum<float>(x, values.Length), Reduce.SumSquares<float>(x, values.Length), .. KernelData.ToDouble(y.ToArray())];
        });
    }
}
