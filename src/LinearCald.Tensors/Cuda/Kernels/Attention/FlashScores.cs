using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>A warp's block of scores or probabilities, 16·M queries × 8·N keys, as <see cref="ITileProduct{T}"/> lays it out.</summary>
internal static class FlashScores
{
    /// <summary>exp2(score · scale2 + shift).</summary>
    public static float Probability(float score, float scale2, float shift) => GpuMath.Exp2Approximate(GpuMath.Fma(score, scale2, shift));

    /// <summary>Scores of keys that a query does not see become −∞.</summary>
    public static void HideKeys<TM, TN>(ref Registers<Float4, Times<TM, TN>> scores, int firstQuery, int firstKey, int length, int offset, bool causal)
        where TM : struct, ICount
        where TN : struct, ICount
    {
        int column = firstKey + ((Warp.Lane & 3) * 2), row = firstQuery + (Warp.Lane >> 2) + offset;
        for (int m = 0; m < TM.Value; m++)
        {
            int upper = causal ? Math.Min(length, row + (16 * m) + 1) : length, lower = causal ? Math.Min(length, row + (16 * m) + 9) : length;
            for (int n = 0; n < TN.Value; n++)
            {
                int key = column + (8 * n), at = (m * TN.Value) + n;
                Float4 s = scores[at];
                scores[at] = new Float4(
                    key < upper ? s.X : float.NegativeInfinity,
                    key + 1 < upper ? s.Y : float.NegativeInfinity,
                    key < lower ? s.Z : float.NegativeInfinity,
                    key + 1 < lower ? s.W : float.NegativeInfinity);
            }
        }
    }

    /// <summary>The same where rows are keys and columns are queries.</summary>
    public static void HideKeyRows<TM, TN>(ref Registers<Float4, Times<TM, TN>> scores, int firstKey, int firstQuery, int length, int offset, bool causal)
        where TM : struct, ICount
        where TN : struct, ICount
    {
        int row = firstKey + (Warp.Lane >> 2), column = firstQuery + ((Warp.Lane & 3) * 2) + offset;
        for (int m = 0; m < TM.Value; m++)
        {
            int upper = row + (16 * m), lower = upper + 8;
            for (int n = 0; n < TN.Value; n++)
            {
                int last = column + (8 * n), at = (m * TN.Value) + n;
                int left = causal ? Math.Min(length, last + 1) : length, right = causal ? Math.Min(length, last + 2) : length;
                Float4 s = scores[at];
                scores[at] = new Float4(
                    upper < left ? s.X : float.NegativeInfinity,
                    upper < right ? s.Y : float.NegativeInfinity,
                    lower < left ? s.Z : float.NegativeInfinity,
                    lower < right ? s.W : float.NegativeInfinity);
            }
        }
    }

    /// <summary>Elements whose bit is 0 become 0.</summary>
    /// <param name="bits">64 keys a query, from the warp's first query and the block's first key on, see <see cref="DropoutBits"/>.</param>
    public static void Drop<TM, TN>(ref Registers<Float4, Times<TM, TN>> block, Shared<UInt2> bits)
        where TM : struct, ICount
        where TN : struct, ICount
    {
        int row = Warp.Lane >> 2, column = (Warp.Lane & 3) * 2;
        for (int m = 0; m < TM.Value; m++)
        {
            UInt2 upper = bits[(16 * m) + row], lower = bits[(16 * m) + 8 + row];
            for (int n = 0; n < TN.Value; n++)
            {
                uint u = (n < 4 ? upper.X : upper.Y) >> (column + (8 * (n & 3))), l = (n < 4 ? lower.X : lower.Y) >> (column + (8 * (n & 3)));
                Float4 p = block[(m * TN.Value) + n];
                block[(m * TN.Value) + n] = new Float4((u & 1) != 0 ? p.X : 0, (u & 2) != 0 ? p.Y : 0, (l & 1) != 0 ? p.Z : 0, (l & 2) != 0 ? p.W : 0);
            }
        }
    }
}
