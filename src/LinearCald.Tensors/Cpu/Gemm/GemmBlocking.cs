namespace LinearCald.Tensors.Cpu;

/// <summary>
/// How a product is blocked for the caches, from its shape, element size and vector width. The packed block of A
/// (mc × kc) lives in the second-level cache, one panel of B (kc × two vectors) is used against all of it, and C is touched once a kc.
/// </summary>
internal static class GemmBlocking
{
    /// <summary>Bytes of k in a panel row: 4 KiB is 1,024 floats, so that a tile pays for its C traffic over 1,024 steps; panels come from the second-level cache as fast as from
    /// the first. Half of it for the narrow tiles, which read more of A and B for each product.</summary>
    private const int BlockKBytes = 4096;

    /// <summary>Bytes of packed A where C is large: then panels of B come from memory, and more rows keep them from passing by more often.</summary>
    private const int LargeBlockABytes = 512 << 10;

    /// <summary>Bytes of C from which on it is larger than what the caches keep for it: whole tiles are then written past them.</summary>
    private const long LargeBytes = 8 << 20;

    /// <summary>Bytes after which the sets of a first-level cache repeat.</summary>
    private const int PageBytes = 4096;

    /// <summary>
    /// Bytes of packed A, which stays in the second-level cache while panels of B and tiles of C pass by. Less than a mebibyte of cache would hold: 42 rows of 1,024 are 3 % faster there
    /// than 63; in two mebibytes 126 are 7 % faster than 42.
    /// </summary>
    private static readonly int s_blockABytes = SecondLevelCache.Bytes >= 2 << 20 ? LargeBlockABytes : 176 << 10;

    /// <summary>Whether a C of so many bytes is large.</summary>
    public static bool IsLarge(long bytes) => bytes >= LargeBytes;

    /// <summary>k of one block: the fewest blocks of at most <see cref="BlockKBytes"/>, of nearly equal length.</summary>
    public static int BlockK(int k, int elementSize, int tileRows)
    {
        int most = (tileRows > 6 ? BlockKBytes : BlockKBytes / 2) / elementSize;
        int blocks = Math.Max(1, (k + most - 1) / most);
        return Even(k, blocks, 4);
    }

    /// <summary>Rows of A packed at a time: as many whole tiles as fit.</summary>
    public static int RowBlock(int m, int blockK, int elementSize, int tileRows, bool isLarge)
    {
        int tiles = Math.Max(2, (isLarge ? LargeBlockABytes : s_blockABytes) / (blockK * elementSize * tileRows));
        return m <= tiles * tileRows ? m : Even(m, (m + (tiles * tileRows) - 1) / (tiles * tileRows), tileRows);
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
    /// Whether A is copied into panels: when there are very many columns to repay it. With fewer a tile reads rows of A as fast where they lie, unless A is transposed, so that each
    /// k is another row, or the rows of a tall tile are whole pages apart, so that all fall into one set of the first-level cache (0.55 of the peak then, not 0.85).
    /// </summary>
    public static bool PacksA(bool transA, long rowBytes, int n, int panelB, int tileRows)
    {
        bool meet = tileRows > 6 && rowBytes % PageBytes == 0;
        return n > (transA || meet ? 2 : 32) * panelB;
    }
}
