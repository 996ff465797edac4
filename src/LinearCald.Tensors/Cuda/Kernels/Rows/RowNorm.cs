using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>Mean and 1/√(variance + ε) of rows by two sweeps, the second around the mean: exact where a sum of squares would cancel.</summary>
internal static class RowNorm<TWord, TFormat, TTeam, TCount>
    where TWord : unmanaged
    where TFormat : struct, IElementFormat<TWord>
    where TTeam : struct, IRowTeam
    where TCount : struct, ICount
{
    /// <summary>Σ of a thread's registers; what lies beyond the row was filled with 0.</summary>
    public static float Sum(ref Registers<float, TCount> x)
    {
        float sum = 0f;
        for (int i = 0; i < TCount.Value; i++)
        {
            sum += x[i];
        }

        return sum;
    }

    /// <summary>Σ (x − mean)² of a thread's registers within the row.</summary>
    public static float SquaredDeviations(ref Registers<float, TCount> x, float mean, int first, int columns, RowAccess access)
    {
        float sum = 0f;
        for (int i = 0; i < TCount.Value; i++)
        {
            float d = RowTile<TWord, TFormat, TTeam, TCount>.Inside(first, i, columns, access) ? x[i] - mean : 0f;
            sum = GpuMath.Fma(d, d, sum);
        }

        return sum;
    }

    /// <summary>1/√(variance + ε).</summary>
    public static float Reciprocal(float squares, int columns, float epsilon) => 1f / MathF.Sqrt((squares / columns) + epsilon);
}
