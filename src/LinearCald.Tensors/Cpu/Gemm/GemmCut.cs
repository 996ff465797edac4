namespace LinearCald.Tensors.Cpu;

/// <summary>
/// How one product is cut into tasks. Blocks of C may follow the number of threads, since an element's sum is the same in whatever block it
/// lies; chunks of k (for a small C with a long k, as weight gradients are) change the sum and so follow the shape alone.
/// </summary>
internal readonly struct GemmCut
{
    /// <summary>Multiply-adds that are worth a task of their own (some 10 µs).</summary>
    public const long TaskProducts = 1 << 19;

    /// <summary>Elements of C up to which a long k is cut: there, blocks of C are too few or too small to keep the threads busy.</summary>
    private const long SmallC = 1 << 17;

    /// <summary>Shortest chunk of k: its products must outweigh writing and re-reading its partial sums.</summary>
    private const int ChunkLength = 512;

    private const int MostChunks = 16;

    /// <summary>The product is too small to be worth other threads.</summary>
    public bool IsSerial { get; private init; }

    public int Rows { get; private init; }

    public int RowBlocks { get; private init; }

    public int Columns { get; private init; }

    public int ColumnBlocks { get; private init; }

    public int ChunkK { get; private init; }

    public int Chunks { get; private init; }

    public int Tasks => Chunks * RowBlocks * ColumnBlocks;

    /// <param name="isLarge">C is larger than what the caches keep for it (<see cref="GemmBlocking.IsLarge"/>).</param>
    public static GemmCut Of(int m, int n, int k, int tileRows, int panelB, int threads, bool isLarge)
    {
        long products = (long)m * n * k;
        bool isSerial = products < 2 * TaskProducts;
        long area = (long)m * n;
        int length = area <= SmallC / 8 ? ChunkLength : 2 * ChunkLength;
        int chunks = isSerial || area > SmallC ? 1 : Math.Clamp(k / length, 1, MostChunks);
        int chunkK = GemmBlocking.Even(k, chunks, 4);
        (int rowBlocks, int columnBlocks) = isSerial || threads == 1 ? (1, 1) : Blocks(m, n, products, chunks, tileRows, panelB, threads, isLarge);
        int rows = GemmBlocking.Even(m, rowBlocks, tileRows);
        int columns = GemmBlocking.Even(n, columnBlocks, panelB);
        return new GemmCut
        {
            IsSerial = isSerial,
            Rows = rows,
            RowBlocks = Parts(m, rows),
            Columns = columns,
            ColumnBlocks = Parts(n, columns),
            ChunkK = chunkK,
            Chunks = Math.Max(1, Parts(k, chunkK)),
        };
    }

    /// <summary>
    /// Rows first, since B is packed once for all of them, in blocks of a few tiles, so that a thread that was held up leaves more of them to the others; twice as many tiles where C is
    /// large and more rows are packed at a time; columns, which pack A again, while threads would be idle, or wait long for the one with the last task.
    /// </summary>
    private static (int Rows, int Columns) Blocks(int m, int n, long products, int chunks, int tileRows, int panelB, int threads, bool isLarge)
    {
        long most = Math.Max(1, Math.Min((isLarge ? 8L : 16L) * threads, products / TaskProducts) / chunks);
        long enough = Math.Max(1, Math.Min(most, 3L * threads / chunks));
        int rows = (int)Math.Clamp(m / ((isLarge ? 8 : 4) * tileRows), 1, most);
        int columns = 1;
        while ((long)rows * columns < enough)
        {
            if (n / (columns + 1) >= 8 * panelB)
            {
                columns++;
            }
            else if (m / (rows + 1) >= 4 * tileRows)
            {
                rows++;
            }
            else if (n / (columns + 1) >= 2 * panelB)
            {
                columns++;
            }
            else
            {
                break;
            }
        }

        while (chunks == 1 && Longest(m, rows, columns, tileRows, threads) > 1.02
            && n / (columns + 1) >= 8 * panelB && products / ((long)rows * (columns + 1)) >= 4 * TaskProducts)
        {
            columns++;
        }

        return (rows, columns);
    }

    /// <summary>The work of the thread that has most, of blocks of equal height and a lower last one, over the average.</summary>
    private static double Longest(int m, int rowBlocks, int columns, int tileRows, int threads)
    {
        int rows = GemmBlocking.Even(m, rowBlocks, tileRows);
        long whole = (long)(m / rows) * columns;
        long longest = ((whole + threads - 1) / threads * rows) + (whole % threads == 0 ? m % rows : 0);
        return (double)longest * threads / ((long)m * columns);
    }

    private static int Parts(int total, int each) => each == 0 ? 0 : (total + each - 1) / each;
}
