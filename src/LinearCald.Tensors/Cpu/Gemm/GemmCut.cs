namespace LinearCald.Tensors.Cpu;

/// <summary>How one product is cut into tasks: blocks of C, and for a small C with a long k also chunks of k. A function of the shape only.</summary>
internal readonly struct GemmCut
{
    /// <summary>Multiply-adds that are worth a task of their own (some 20 µs).</summary>
    public const long TaskProducts = 1 << 20;

    /// <summary>Tasks aimed at where the shape allows: enough for a machine of many cores, few enough to repay packing A in each.</summary>
    private const int WantedTasks = 48;

    private const int MostRows = 252;
    private const int MostColumns = 1024;
    private const int ChunkLength = 512;
    private const int MostChunks = 16;

    public bool IsSerial { get; private init; }

    public int Rows { get; private init; }

    public int RowBlocks { get; private init; }

    public int Columns { get; private init; }

    public int ColumnBlocks { get; private init; }

    public int ChunkK { get; private init; }

    public int Chunks { get; private init; }

    public static GemmCut Of(int m, int n, int k, int tileRows, int panelB)
    {
        long products = (long)m * n * k;
        if (products < 2 * TaskProducts)
        {
            return new GemmCut { IsSerial = true, Rows = m, RowBlocks = 1, Columns = n, ColumnBlocks = 1, ChunkK = k, Chunks = 1 };
        }

        int wanted = (int)Math.Min(WantedTasks, products / TaskProducts);
        int rowBlocks = (m + MostRows - 1) / MostRows;
        int columnBlocks = (n + MostColumns - 1) / MostColumns;
        while (rowBlocks * columnBlocks < wanted)
        {
            bool canRows = m / (rowBlocks + 1) >= 4 * tileRows;
            bool canColumns = n / (columnBlocks + 1) >= 4 * panelB;
            if (canColumns && (!canRows || n / columnBlocks > 2 * (m / rowBlocks)))
            {
                columnBlocks++;
            }
            else if (canRows)
            {
                rowBlocks++;
            }
            else
            {
                break;
            }
        }

        int chunks = 1;
        if (rowBlocks * columnBlocks < 16 && k >= 2 * ChunkLength)
        {
            chunks = Math.Min(MostChunks, k / ChunkLength);
            rowBlocks = (m + MostRows - 1) / MostRows;
            columnBlocks = (n + MostColumns - 1) / MostColumns;
        }

        int rows = GemmBlocking.Even(m, rowBlocks, tileRows);
        int columns = GemmBlocking.Even(n, columnBlocks, panelB);
        int chunkK = GemmBlocking.Even(k, chunks, 4);
        return new GemmCut
        {
            Rows = rows,
            RowBlocks = (m + rows - 1) / rows,
            Columns = columns,
            ColumnBlocks = (n + columns - 1) / columns,
            ChunkK = chunkK,
            Chunks = (k + chunkK - 1) / chunkK,
        };
    }
}
