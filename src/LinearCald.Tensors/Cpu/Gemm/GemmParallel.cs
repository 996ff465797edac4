namespace LinearCald.Tensors.Cpu;

/// <summary>
/// The product on a <see cref="WorkerPool"/>: B is packed once by all threads, then blocks of C are independent tasks. Where C is small and k
/// long (weight gradients) k is cut too, into chunks fixed by the shape, and their partial sums are added in order; so the bits never
/// depend on the number of threads (<see cref="GemmCut"/>).
/// </summary>
internal static unsafe class GemmParallel<T, TVector, TLanes, TEpilogue>
    where T : unmanaged
    where TVector : struct
    where TLanes : struct, IGemmLanes<T, TVector>
    where TEpilogue : struct, IEpilogue<T>
{
    /// <summary>Elements of B packed at a time (16 MiB of floats: a part of the last-level cache).</summary>
    private const long PackedLimit = 4 << 20;

    private static int PanelB => 2 * TLanes.Count;

    public static void Run(WorkerPool pool, in GemmProblem<T> g, in TEpilogue epilogue)
    {
        GemmCut cut = GemmCut.Of(g.M, g.N, g.K, TLanes.TileRows, PanelB, pool.Threads, g.IsLarge);
        if (cut.IsSerial)
        {
            GemmSerial<T, TVector, TLanes, TEpilogue>.Run(in g, null, 0, 0, in epilogue, 0, 0);
            return;
        }

        if (cut.Chunks > 1)
        {
            RunSplit(pool, in g, in epilogue, in cut);
            return;
        }

        if (g.IsDots || !GemmBlocking.PacksB(g.TransB, g.M))
        {
            RunBlocks(pool, in g, null, in epilogue, 0, in cut);
            return;
        }

        int most = (int)Math.Clamp(PackedLimit / g.K / PanelB * PanelB, 4 * PanelB, int.MaxValue / 2);
        int step = g.N <= most ? g.N : GemmBlocking.Even(g.N, (g.N + most - 1) / most, PanelB);
        for (int j = 0; j < g.N; j += step)
        {
            GemmProblem<T> part = g.Block(0, g.M, j, Math.Min(step, g.N - j));
            GemmCut partCut = GemmCut.Of(part.M, part.N, part.K, TLanes.TileRows, PanelB, pool.Threads, g.IsLarge);
            T* packed = ThreadScratch<GemmScratchUse>.Get<T>(GemmScratchUse.Shared, GemmSerial<T, TVector, TLanes, TEpilogue>.PackedSize(part.N, part.K));
            int panels = (part.N + PanelB - 1) / PanelB;
            int group = Math.Max(1, (int)(PackBody.Elements / ((long)PanelB * part.K)));
            pool.For((panels + group - 1) / group, new PackBody { G = part, Packed = packed, Group = group });
            RunBlocks(pool, in part, packed, in epilogue, j, in partCut);
        }
    }

    /// <summary>
    /// <paramref name="batch"/> products of one shape, operand i at i·stride; every product is cut like a single one, on one list of tasks.
    /// </summary>
    public static void RunBatched(WorkerPool pool, int batch, in GemmProblem<T> g, long strideA, long strideB, long strideC)
    {
        int rows = g.M;
        if (batch < 64 && (long)g.M * g.N * g.K > 8 * GemmCut.TaskProducts)
        {
            rows = GemmBlocking.Even(g.M, (g.M + (6 * TLanes.TileRows) - 1) / (6 * TLanes.TileRows), TLanes.TileRows);
        }

        int blocks = rows > 0 ? (g.M + rows - 1) / rows : 0;
        int group = 1;
        if (blocks == 1)
        {
            group = (int)Math.Clamp(GemmCut.TaskProducts / 2 / Math.Max(1, (long)g.M * g.N * g.K), 1, batch);
        }

        BatchBody body = new() { G = g, StrideA = strideA, StrideB = strideB, StrideC = strideC, Rows = rows, Blocks = blocks, Batch = batch, Group = group };
        pool.For((batch + group - 1) / group * blocks, in body);
    }

    private static void RunBlocks(WorkerPool pool, in GemmProblem<T> g, T* packed, in TEpilogue epilogue, int column, in GemmCut cut)
    {
        BlockBody body = new() { G = g, Packed = packed, Epilogue = epilogue, Column = column, Cut = cut };
        pool.For(cut.Tasks, in body);
    }

    private static void RunSplit(WorkerPool pool, in GemmProblem<T> g, in TEpilogue epilogue, in GemmCut cut)
    {
        T* partial = ThreadScratch<GemmScratchUse>.Get<T>(GemmScratchUse.Shared, (long)cut.Chunks * g.M * g.N);
        pool.For(cut.Tasks, new ChunkBody { G = g, Partial = partial, Cut = cut });
        int rows = Math.Max(1, (1 << 14) / Math.Max(1, g.N));
        pool.For((g.M + rows - 1) / rows, new SumBody { G = g, Partial = partial, Chunks = cut.Chunks, Rows = rows, Epilogue = epilogue });
    }

    /// <summary>Packs a group of panels of B.</summary>
    private struct PackBody : IParallelBody
    {
        /// <summary>Elements a task copies: some 20 µs.</summary>
        public const int Elements = 1 << 16;

        public GemmProblem<T> G;
        public T* Packed;
        public int Group;

        public readonly void Execute(int index) => GemmSerial<T, TVector, TLanes, TEpilogue>.PackB(in G, index * Group, Group, Packed);
    }

    /// <summary>One block of C; neighbours in the list share columns of B.</summary>
    private struct BlockBody : IParallelBody
    {
        public GemmProblem<T> G;
        public T* Packed;
        public TEpilogue Epilogue;
        public int Column;
        public GemmCut Cut;

        public readonly void Execute(int index)
        {
            int row = index % Cut.RowBlocks * Cut.Rows;
            int column = index / Cut.RowBlocks * Cut.Columns;
            int panels = (G.N + PanelB - 1) / PanelB;
            GemmProblem<T> block = G.Block(row, Math.Min(Cut.Rows, G.M - row), column, Math.Min(Cut.Columns, G.N - column));
            GemmSerial<T, TVector, TLanes, TEpilogue>.Run(in block, Packed, column, panels * PanelB, in Epilogue, row, Column + column);
        }
    }

    /// <summary>One block of C over one chunk of k, into that chunk's own m × n of partial sums.</summary>
    private struct ChunkBody : IParallelBody
    {
        public GemmProblem<T> G;
        public T* Partial;
        public GemmCut Cut;

        public readonly void Execute(int index)
        {
            int blocks = Cut.RowBlocks * Cut.ColumnBlocks;
            int chunk = index / blocks;
            int row = index % blocks % Cut.RowBlocks * Cut.Rows;
            int column = index % blocks / Cut.RowBlocks * Cut.Columns;
            int first = chunk * Cut.ChunkK;
            GemmProblem<T> part = G;
            part.K = Math.Min(Cut.ChunkK, G.K - first);
            part.A = G.AtA(0, first);
            part.B = G.AtB(first, 0);
            part.C = Partial + ((nint)chunk * G.M * G.N);
            part.LdC = G.N;
            part.Beta = default;
            part = part.Block(row, Math.Min(Cut.Rows, G.M - row), column, Math.Min(Cut.Columns, G.N - column));
            GemmSerial<T, TVector, TLanes, NoEpilogue<T>>.Run(in part, null, 0, 0, default, 0, 0);
        }
    }

    /// <summary>Adds the chunks of a group of rows in order, and finishes them.</summary>
    private struct SumBody : IParallelBody
    {
        public GemmProblem<T> G;
        public T* Partial;
        public int Chunks;
        public int Rows;
        public TEpilogue Epilogue;

        public readonly void Execute(int index)
        {
            int first = index * Rows;
            int rows = Math.Min(Rows, G.M - first);
            for (int i = first; i < first + rows; i++)
            {
                PartialSums<T, TVector, TLanes>.AddRow(Partial + ((nint)i * G.N), (nint)G.M * G.N, Chunks, G.N, G.AtC(i, 0), G.Beta);
            }

            Epilogue.Apply(G.AtC(first, 0), G.LdC, first, 0, rows, G.N);
        }
    }

    /// <summary>One block of rows of one product, or several whole small products.</summary>
    private struct BatchBody : IParallelBody
    {
        public GemmProblem<T> G;
        public long StrideA;
        public long StrideB;
        public long StrideC;
        public int Rows;
        public int Blocks;
        public int Batch;
        public int Group;

        public readonly void Execute(int index)
        {
            int row = index % Blocks * Rows;
            int first = index / Blocks * Group;
            GemmProblem<T> block = G.Block(row, Math.Min(Rows, G.M - row), 0, G.N);
            for (int i = first; i < Math.Min(Batch, first + Group); i++)
            {
                GemmProblem<T> one = block;
                one.A += (nint)(i * StrideA);
                one.B += (nint)(i * StrideB);
                one.C += (nint)(i * StrideC);
                GemmSerial<T, TVector, TLanes, NoEpilogue<T>>.Run(in one, null, 0, 0, default, 0, 0);
            }
        }
    }
}
