using System.Numerics;

namespace LinearCald.Tensors.Cpu;

/// <summary>The plain twin of <see cref="EmbeddingKernel"/>; sums in the order in which ids occur.</summary>
internal static unsafe class EmbeddingReference
{
    /// <inheritdoc cref="EmbeddingKernel.Forward"/>
    public static void Forward<T>(T* table, int d, int* ids, long count, T* y)
        where T : unmanaged
    {
        for (long i = 0; i < count; i++)
        {
            for (int j = 0; j < d; j++)
            {
                y[(i * d) + j] = table[((long)ids[i] * d) + j];
            }
        }
    }

    /// <inheritdoc cref="EmbeddingKernel.Gradient"/>
    public static void Gradient<T>(int* ids, long count, T* gy, int rows, int d, int padding, bool accumulate, T* gtable)
        where T : unmanaged, INumberBase<T>
    {
        for (long j = 0; j < (accumulate ? 0 : (long)rows * d); j++)
        {
            gtable[j] = T.Zero;
        }

        for (long i = 0; i < count; i++)
        {
            for (int j = 0; j < (ids[i] == padding ? 0 : d); j++)
            {
                gtable[((long)ids[i] * d) + j] += gy[(i * d) + j];
            }
        }
    }
}
