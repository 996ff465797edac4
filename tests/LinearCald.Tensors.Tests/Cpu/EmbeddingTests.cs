using FsCheck.Fluent;
using LinearCald.Tensors.Cpu;

namespace LinearCald.Tensors.Tests.Cpu;

[Collection("CPU kernels")]
public unsafe class EmbeddingTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Forward_and_gradient_are_the_reference_bit_for_bit(bool accumulate)
    {
        ForAllTables<float>(accumulate);
        ForAllTables<double>(accumulate);
    }

    [Theory]
    [InlineData(8192, 128, 2048, 8192)]
    [InlineData(2, 128, 2048, 1)] // a table of token types: one id has every occurrence
    [InlineData(514, 100, 4096, 3)]
    [InlineData(3, 33, 5000, 3)]
    public void Large_and_lopsided_ones_are_the_reference_on_any_thread_count(int rows, int d, int count, int used)
    {
        int[] list = Ids(count, used, 4);
        float[] gradient = KernelData.Normal<float>(count * d, 5);
        using KernelBuffer<float> gy = new(gradient), expected = new((long)rows * d);
        using KernelBuffer<int> ids = new(list);
        EmbeddingReference.Gradient<float>(ids, count, gy, rows, d, -1, false, expected);
        KernelData.SameBitsOnAnyThreadCount(() =>
        {
            using KernelBuffer<float> gtable = new((long)rows * d);
            EmbeddingKernel.Gradient<float>(ids, count, gy, rows, d, -1, false, gtable);
            Assert.Equal(expected.ToArray(), gtable.ToArray());
            return gtable.ToArray();
        });
    }

    [Theory]
    [InlineData(5)]
    [InlineData(-1)]
    [InlineData(int.MinValue)]
    public void An_id_outside_the_table_is_named_with_its_position(int id)
    {
        using KernelBuffer<float> table = new(new float[10]), y = new(8), gtable = new(10);
        using KernelBuffer<int> ids = new([0, 4, id, 1]);
        foreach (Action act in (Action[])[
            () => EmbeddingKernel.Forward<float>(table, 5, 2, ids, 4, y),
            () => EmbeddingKernel.Gradient<float>(ids, 4, y, 5, 2, -1, false, gtable)])
        {
            string message = Assert.Throws<CaldException>(act).Message;
            Assert.Contains($"id {id} at position 2 is outside the table of 5 rows", message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Golden_values()
    {
        GoldenOps golden = GoldenOps.Load("ops");
        using KernelBuffer<float> w = new(golden.Float("embedding.w")), gy = new(golden.Float("embedding.grad_out"));
        using KernelBuffer<int> ids = new(Array.ConvertAll(golden.Long("embedding.i"), i => (int)i));
        using KernelBuffer<float> y = new(36 * 6), gw = new(17 * 6);
        EmbeddingKernel.Forward<float>(w, 17, 6, ids, 36, y);
        EmbeddingKernel.Gradient<float>(ids, 36, gy, 17, 6, -1, false, gw);
        KernelData.Close<float>(y.Span, golden.Double("embedding.out"), 1e-7);
        KernelData.Close<float>(gw.Span, golden.Double("embedding.grad.w"), 1e-6);
    }

    private static void ForAllTables<T>(bool accumulate)
        where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T> =>
        Prop.ForAll(
            Arb.From(from rows in Gen.Choose(1, 40) from d in Gen.Choose(0, 70) select (rows, d)),
            Arb.From(Gen.Frequency((4, Gen.Choose(0, 60)), (1, Gen.Choose(400, 900)))),
            Arb.From(Gen.Choose(0, 1_000_000)),
            (shape, count, seed) =>
            {
                (int rows, int d) = shape;
                int padding = seed % 3 == 0 ? seed % rows : -1;
                using KernelBuffer<int> ids = new(Ids(count, 1 + (seed % rows), seed));
                using KernelBuffer<T> table = new(KernelData.Normal<T>(rows * d, seed)), gy = new(KernelData.Normal<T>(count * d, seed + 1));
                using KernelBuffer<T> y = new(count * d), expected = new(count * d);
                EmbeddingKernel.Forward<T>(table, rows, d, ids, count, y);
                EmbeddingReference.Forward<T>(table, d, ids, count, expected);
                Assert.Equal(expected.ToArray(), y.ToArray());

                T[] before = KernelData.Normal<T>(rows * d, seed + 2);
                using KernelBuffer<T> gtable = accumulate ? new(before) : new(rows * d), reference = accumulate ? new(before) : new(rows * d);
                EmbeddingKernel.Gradient<T>(ids, count, gy, rows, d, padding, accumulate, gtable);
                EmbeddingReference.Gradient<T>(ids, count, gy, rows, d, padding, accumulate, reference);
                Assert.Equal(reference.ToArray(), gtable.ToArray());
            }).Holds(60);

    private static int[] Ids(int count, int below, int seed)
    {
        Random random = new(seed);
        int[] ids = new int[count];
        for (int i = 0; i < count; i++)
        {
            ids[i] = random.Next(below);
        }

        return ids;
    }
}
