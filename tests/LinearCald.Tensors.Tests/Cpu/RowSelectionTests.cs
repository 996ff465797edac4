using System.Numerics;
using LinearCald.Tensors.Cpu;

namespace LinearCald.Tensors.Tests.Cpu;

[Collection("CPU kernels")]
public unsafe class RowSelectionTests
{
    [Fact]
    public void Agrees_with_the_reference() => KernelShapes.ForAllMatrices((rows, columns, seed) =>
    {
        Check<float>(1 + (seed % 3), rows, columns, seed, 2e-6);
        Check<double>(1 + (seed % 3), rows, columns, seed, 1e-14);
    });

    private static void Check<T>(int batch, int rows, int columns, int seed, double budget)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        System.Random random = new(seed);
        int count = batch * rows * columns;
        int[] masked = [.. Enumerable.Range(0, batch * rows).Select(_ => random.Next(-1, 2))], clipped = [.. Enumerable.Range(0, batch * columns).Select(_ => random.Next(2) * 7)];
        int[] valid = [.. Enumerable.Range(0, batch).Select(_ => random.Next(-1, rows + 3))];
        using KernelBuffer<int> mask = new(masked), features = new(clipped), lengths = new(valid);
        using KernelBuffer<T> x = new(KernelData.Normal<T>(count, seed)), row = new(KernelData.Normal<T>(columns, seed + 1)), y = new(count), sum = new(columns), mean = new(batch * columns);
        double[] input = KernelData.ToDouble(x.ToArray());
        RowSelection.Replace<T>(batch * rows, columns, x, mask, row, y);
        KernelData.Close<T>(y.Span, RowSelectionReference.Replace(columns, input, masked, KernelData.ToDouble(row.ToArray())), 0, "replaced");
        RowSelection.Replace<T>(batch * rows, columns, x, mask, null, y);
        KernelData.Close<T>(y.Span, RowSelectionReference.Replace(columns, input, masked, new double[columns]), 0, "cleared");
        RowSelection.ReplacedSum<T>(batch * rows, columns, x, mask, sum, false);
        RowSelection.ReplacedSum<T>(batch * rows, columns, x, mask, sum, true);
        KernelData.Close<T>(sum.Span, [.. RowSelectionReference.ReplacedSum(columns, input, masked).Select(v => 2 * v)], budget, "sum of replaced rows", Math.Sqrt(count));
        RowSelection.KeepFeatures<T>(batch, rows, columns, x, features, y);
        KernelData.Close<T>(y.Span, RowSelectionReference.KeepFeatures(rows, columns, input, clipped), 0, "features");

        // what lies behind a length reaches nothing, not even as NaN
        for (int i = 0; i < count; i++)
        {
            x.Span[i] = i / columns % rows < valid[i / columns / rows] ? x.Span[i] : T.NaN;
        }

        RowSelection.Keep<T>(batch, rows, columns, x, lengths, y);
        KernelData.Close<T>(y.Span, RowSelectionReference.Keep(rows, columns, input, valid), 0, "rows");
        double[] expected = RowSelectionReference.Mean(rows, columns, input, valid);
        RowSelection.Mean<T>(batch, rows, columns, x, lengths, mean);
        KernelData.Close<T>(mean.Span, expected, budget, "mean", Math.Sqrt(batch * columns));

        // the gradient is the adjoint: ⟨mean(x), g⟩ = ⟨x, dx⟩
        using KernelBuffer<T> given = new(KernelData.Normal<T>(batch * columns, seed + 2));
        RowSelection.MeanGradient<T>(batch, rows, columns, given, lengths, y);
        double left = expected.Zip(KernelData.ToDouble(given.ToArray()), (a, b) => a * b).Sum(), right = input.Zip(KernelData.ToDouble(y.ToArray()), (a, b) => a * b).Sum();
        Assert.True(Math.Abs(left - right) <= budget * (1 + Math.Sqrt(count)), $"{left} and {right}");
        Assert.All(Enumerable.Range(0, count), i => Assert.True(i / columns % rows < valid[i / columns / rows] || y.Span[i] == T.Zero));
    }
}
