namespace LinearCald.Tensors.Cpu;

/// <summary>
/// How a product is cut, from its shape, element size and vector width alone (never from the number of threads). The packed block of A
/// (mc × kc) lives in the second-level cache, one panel of B (kc × two vectors) is used against all of it, and C is touched once a kc.
/// </summary>
internal static class GemmBlocking
{
    /// <summary>Bytes of k in a panel row: 1.5 KiB is 384 floats, so that a tile of 28 accumulators amortises its C traffic over 384 steps.</summary>
    private const int BlockKBytes = 1024;

    private const int BlockM = 252;

    /// <summary>k of one block: the fewest blocks of at most <see cref="BlockKBytes"/>, of nearly equal length.</summary>
    public static int BlockK(int k, int elementSize)
    {
        int most = BlockKBytes / elementSize;
        int blocks = Math.Max(1, (k + most - 1) / most);
        return Even(k, blocks, 4);
    }

    /// <summary>Rows of A packed at a time.</summary>
    public static int RowBlock(int m, int tileRows) => m <= BlockM ? m : Even(m, (m + BlockM - 1) / BlockM, tileRows);

    /// <summary>⌈total / parts⌉, rounded up to whole multiples.</summary>
    public static int Even(int total, int parts, int multiple)
    {
        int each = (total + parts - 1) / parts;
        return (each + multiple - 1) / multiple * multiple;
    }

    /// <summary>
    /// Whether B is copied into panels: always when transposed (its columns are not vectors), and when there are enough rows to repay the copy.
    /// </summary>
    public static bool PacksB(bool transB, int m) => transB || m >= 64;

    /// <summary>
    /// Whether A is copied into panels: when there are enough columns to repay it, or when its rows are a power of two apart and would
    /// fight for the same sets of the cache.
    /// </summary>
    public static bool PacksA(int n, int panelB) => n > 4 * panelB;
}
