using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// What a thread does to its sums of warpgroup products, 16 rows a warp: register i is of row lane / 4, and 8 below if bit 1 of i is set, and of column 8 (i / 4) + 2 (lane mod 4) +
/// i mod 2, see <see cref="Wgmma"/>.
/// </summary>
internal static class WarpgroupScores
{
    /// <summary>Scores of keys that a query does not see become −∞.</summary>
    public static void HideKeys<TN>(ref Registers<float, TN> scores, int firstQuery, int firstKey, int length, int offset, bool causal)
        where TN : struct, ICount
    {
        int row = firstQuery + (Warp.Lane >> 2) + offset, column = firstKey + ((Warp.Lane & 3) * 2);
        int upper = (causal ? Math.Min(length, row + 1) : length) - column, lower = (causal ? Math.Min(length, row + 9) : length) - column;
        for (int i = 0; i < TN.Value; i++)
        {
            scores[i] = (8 * (i >> 2)) + (i & 1) < ((i & 2) == 0 ? upper : lower) ? scores[i] : float.NegativeInfinity;
        }
    }

    /// <summary>Elements whose bit is 0 become 0.</summary>
    /// <param name="bits">Of the warp's rows, a bit a column, 64 a word: see <see cref="DropoutBits"/>.</param>
    public static void Drop<TN>(ref Registers<float, TN> block, Shared<UInt2> bits)
        where TN : struct, ICount
    {
        const int Word = 64;
        int segments = 2 * TN.Value / Word, row = (Warp.Lane >> 2) * segments, shift = (Warp.Lane & 3) * 2;
        for (int s = 0; s < segments; s++)
        {
            UInt2 upper = bits[row + s], lower = bits[row + (8 * segments) + s];
            for (int i = 0; i < Word / 2; i++)
            {
                UInt2 word = (i & 2) == 0 ? upper : lower;
                uint half = i < Word / 4 ? word.X : word.Y;
                int at = (s * Word / 2) + i;
                block[at] = ((half >> shift) & (1u << ((8 * ((i >> 2) & 3)) + (i & 1)))) != 0 ? block[at] : 0;
            }
        }
    }

    /// <summary>The same as <see cref="HideKeys"/> where rows are keys and columns are queries.</summary>
    public static void HideKeyRows<TN>(ref Registers<float, TN> scores, int firstKey, int firstQuery, int length, int offset, bool causal)
        where TN : struct, ICount
    {
        int key = firstKey + (Warp.Lane >> 2), column = firstQuery + ((Warp.Lane & 3) * 2) + offset;
        int upper = First(key, column, length, causal), lower = First(key + 8, column, length, causal);
        for (int i = 0; i < TN.Value; i++)
        {
            scores[i] = (8 * (i >> 2)) + (i & 1) >= ((i & 2) == 0 ? upper : lower) ? scores[i] : float.NegativeInfinity;
        }
    }

    /// <summary>The same as <see cref="Drop"/> where rows are the 64 keys of a warpgroup and columns are queries.</summary>
    /// <param name="bits">Of the keys, a word a query; from a multiple of 16 bytes on.</param>
    public static void DropKeyRows<TN>(ref Registers<float, TN> block, Shared<UInt2> bits)
        where TN : struct, ICount
    {
        int warp = Warp.Index & 3, shift = (16 * (warp & 1)) + (Warp.Lane >> 2);
        Shared<UInt4> words = bits.As<UInt4>().From(Warp.Lane & 3);
        for (int i = 0; i < TN.Value; i += 4)
        {
            UInt4 word = words[i];
            uint left = (warp < 2 ? word.X : word.Y) >> shift, right = (warp < 2 ? word.Z : word.W) >> shift;
            block[i] = (left & 1) != 0 ? block[i] : 0;
            block[i + 1] = (right & 1) != 0 ? block[i + 1] : 0;
            block[i + 2] = (left & 0x100) != 0 ? block[i + 2] : 0;
            block[i + 3] = (right & 0x100) != 0 ? block[i + 3] : 0;
        }
    }

    /// <summary>Multiplies the two rows.</summary>
    public static void Scale<TD>(ref Registers<float, TD> sums, float upper, float lower)
        where TD : struct, ICount
    {
        for (int i = 0; i < TD.Value; i++)
        {
            sums[i] *= (i & 2) == 0 ? upper : lower;
        }
    }

    /// <summary>The sums as a left operand of the next products, 16 columns an element.</summary>
    public static void Pack<TOperand, TN>(ref Registers<float, TN> sums, ref Registers<UInt4, Eighth<TN>> packed)
        where TOperand : struct, IWarpgroupOperand
        where TN : struct, ICount
    {
        for (int i = 0; i < TN.Value; i += 8)
        {
            packed[i / 8] = new UInt4(
                TOperand.Pack(sums[i], sums[i + 1]), TOperand.Pack(sums[i + 2], sums[i + 3]), TOperand.Pack(sums[i + 4], sums[i + 5]), TOperand.Pack(sums[i + 6], sums[i + 7]));
        }
    }

    // first of the thread's columns, counted from its first one, that sees the key
    private static int First(int key, int column, int length, bool causal) => key >= length ? int.MaxValue : causal ? key - column : 0;

    /// <summary>Writes rows below <paramref name="validRows"/>, columns below <paramref name="columns"/>, an even number.</summary>
    /// <param name="target">From the warp's first row on.</param>
    /// <param name="stride">Elements of a row in device memory, even.</param>
    public static void Store<TOperand, TD>(ref Registers<float, TD> sums, View<ushort> target, int stride, int validRows, int columns)
        where TOperand : struct, IWarpgroupOperand
        where TD : struct, ICount
    {
        int row = Warp.Lane >> 2, pair = Warp.Lane & 3;
        View<uint> upper = target.As<uint>().From((row * stride / 2) + pair), lower = upper.From(4 * stride);
        for (int i = 0; i < TD.Value; i += 4)
        {
            if ((2 * i) + (2 * pair) < columns)
            {
                if (row < validRows)
                {
                    upper[i] = TOperand.Pack(sums[i], sums[i + 1]);
                }

                if (row + 8 < validRows)
                {
                    lower[i] = TOperand.Pack(sums[i + 2], sums[i + 3]);
                }
            }
        }
    }
}
