using LinearCald.Gpu;
using LinearCald.Tensors.Cpu;

namespace LinearCald.Tensors.Cuda.Tests.Elementwise;

/// <summary>Test bodies for embeddings.</summary>
internal static unsafe class EmbeddingChecks
{
    public static void Forward(Accelerator accelerator, DType type, int rows, int width, int count, int offset)
    {
        int[] ids = Ids(rows, count, 11);
        double[] table = ElementwiseChecks.Normal(type, rows * width, 1), expected = new double[count * width];
        fixed (double* t = table, y = expected)
        fixed (int* i = ids)
        {
            EmbeddingReference.Forward(t, width, i, count, y);
        }

        using DeviceArray deviceTable = DeviceArray.Of(accelerator, type, table, offset), result = new(accelerator, type, count * width, offset);
        using DeviceBuffer<int> deviceIds = accelerator.Allocate<int>(ids);
        Kernels.Embedding.Forward(accelerator, type, deviceTable.Address, rows, width, deviceIds.Address, count, result.Address);
        Assert.Equal(expected, result.Read());
    }

    /// <summary>Ids outside of the table: rows of NaN, and no gradient.</summary>
    public static void Outside(Accelerator accelerator)
    {
        int[] ids = [1, 5, 0, -1];
        using DeviceArray table = DeviceArray.Of(accelerator, DType.Float32, ElementwiseChecks.Normal(DType.Float32, 40, 1)), y = new(accelerator, DType.Float32, 32);
        using DeviceBuffer<int> deviceIds = accelerator.Allocate<int>(ids);
        Kernels.Embedding.Forward(accelerator, DType.Float32, table.Address, 5, 8, deviceIds.Address, 4, y.Address);
        float[] values = y.ToArray<float>();
        for (int i = 0; i < 32; i++)
        {
            Assert.Equal(i / 8 % 2 == 1, float.IsNaN(values[i]));
        }

        using DeviceArray gy = DeviceArray.Of(accelerator, DType.Float32, [.. Enumerable.Repeat(1.0, 32)]), gtable = new(accelerator, DType.Float32, 40);
        Kernels.Embedding.Gradient(accelerator, DType.Float32, deviceIds.Address, 4, gy.Address, gtable.Address, 5, 8, -1, accumulate: false);
        Assert.Equal(Enumerable.Range(0, 40).Select(i => i < 16 ? 1f : 0f), gtable.ToArray<float>());
    }

    /// <param name="frequent">Share of ids, in percent, that are one and the same.</param>
    public static float[] Gradient(Accelerator accelerator, DType type, int rows, int width, int count, int frequent, int padding, bool accumulate, int offset)
    {
        int[] ids = Ids(rows, count, 5);
        Random random = new(6);
        for (int i = 0; i < count; i++)
        {
            ids[i] = random.Next(100) < frequent ? rows / 2 : ids[i];
        }

        double[] gy = ElementwiseChecks.Normal(type, count * width, 7), before = ElementwiseChecks.Normal(DType.Float32, rows * width, 8);
        double[] expected = [.. before];
        fixed (double* g = gy, t = expected)
        fixed (int* i = ids)
        {
            EmbeddingReference.Gradient(i, count, g, rows, width, padding, accumulate, t);
        }

        using DeviceArray deviceGy = DeviceArray.Of(accelerator, type, gy, offset);
        using DeviceArray table = accumulate ? DeviceArray.Of(accelerator, DType.Float32, before, offset) : new(accelerator, DType.Float32, rows * width, offset);
        using DeviceBuffer<int> deviceIds = accelerator.Allocate<int>(ids);
        Kernels.Embedding.Gradient(accelerator, type, deviceIds.Address, count, deviceGy.Address, table.Address, rows, width, padding, accumulate);
        Errors.Close(expected, table.Read(), 5e-7, $"embedding gradient {rows} × {width}, {count} ids of which {frequent} % are one");
        return table.ToArray<float>();
    }

    /// <summary>Ids in order, stable, for counts around chunks and vocabularies around digits.</summary>
    public static void Order(Accelerator accelerator, int rows, int count)
    {
        int[] ids = Ids(rows, count, count);
        using DeviceBuffer<int> deviceIds = accelerator.Allocate<int>(ids);
        using Kernels.IdOrder order = new(accelerator, deviceIds.Address, count, rows, padding: 1);
        int[] positions = new int[count], sorted = new int[count];
        accelerator.CopyToHost((nint)order.Positions.Address, System.Runtime.InteropServices.MemoryMarshal.AsBytes(positions.AsSpan()));
        accelerator.CopyToHost((nint)order.Ids.Address, System.Runtime.InteropServices.MemoryMarshal.AsBytes(sorted.AsSpan()));
        int[] expected = [.. Enumerable.Range(0, count).OrderBy(i => ids[i] == 1 ? rows : ids[i])];
        Assert.Equal(expected, positions);
        Assert.Equal(expected.Select(i => ids[i] == 1 ? rows : ids[i]), sorted);
    }

    private static int[] Ids(int rows, int count, int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(rows))];
    }
}
