namespace LinearCald.Tensors.Cpu;

/// <summary>
/// How a product is blocked for the caches, from its shape, element size and vector width. The packed block of A
/// (mc × kc) lives in the second-level cache, one panel of B (kc × two vectors) is used against all of it, and C is touched once a kc.
/// </summary>
internal static class GemmBlocking
{
    /// <summary>Bytes of k in a panel row: 2 KiB is 512 floats, so that a tile pays for its C traffic over 512 steps; panels come from the second-level cache as fast as from
    /// the first. Half of it for the narrow tiles, which read more of A and B for each product. Results depend on it in their last bits: 4 KiB are some 2 % faster at
    /// 1024³, but the results of trainings that are written down would no longer be reproduced to the digit.</summary>
    private const int BlockKBytes = 2048;

    /// <summary>Bytes of packed A, which stays in the second-level cache while a panel of B and the tiles of C pass by.</summary>
    private const int BlockABytes = 256 << 10;

    /// <summary>Bytes of C from which on it is larger than what the caches keep for it: blocks of k are then twice as long, more rows of A at a time keep panels of B from passing by more often, and
    /// whole tiles are written past the caches.</summary>
    private const long LargeBytes = 8 << 20;

    /// <summary>Whether a C of so many bytes is large.</summary>
    public static bool IsLarge(long bytes) => bytes >= LargeBytes;

    /// <summary>k of one block: the fewest blocks of at most <see cref="BlockKBytes"/>, of nearly equal length.</summary>
    public static int BlockK(int k, int elementSize, int tileRows, bool isLarge)
    {
        int most = (tileRows > 6 ? BlockKBytes : BlockKBytes / 2) * (isLarge ? 2 : 1) / elementSize;
        int blocks = Math.Max(1, (k + most - 1) / most);
        return Even(k, blocks, 4);
    }

    /// <summary>Rows of A packed at a time.</summary>
    public static int RowBlock(int m, int blockK, int elementSize, int tileRows, bool isLarge)
    {
        int most = Math.Max(4 * tileRows, BlockABytes * (isLarge ? 2 : 1) / (blockK * elementSize));
        return m <= most ? m : Even(m, (m + most - 1) / most, tileRows);
    }

    /// <summary>⌈total / parts⌉, rounded up to whole multiples.</summary>
    public static int Even(int total, int parts, int multiple)
    {
        int each = (total + parts - 1) / parts;
        return (each + multiple - 1) / multiple * multiple;
    }

    /// <summary>Whether the product is a few rows against a transposed B, which is not worth panels.</summary>
    public static bool IsDots(bool transA, bool transB, int m) => transB && !transA && m <= 4;

    /// <summary>
    /// Whether B is copied into panels: always when transposed (its columns are not vectors), and when there are enough rows to repay the copy.
    /// </summary>
    public static bool PacksB(bool transB, int m) => transB || m >= 64;

    /// <summary>
    /// Whether A is copied into panels: when there are enough columns to repay it; sooner when transposed, since a tile then reads a few
    /// elements of each of many far-apart rows.
    /// </summary>
    public static bool PacksA(bool transA, int n, int panelB) => n > (transA ? 2 : 4) * panelB;
}
