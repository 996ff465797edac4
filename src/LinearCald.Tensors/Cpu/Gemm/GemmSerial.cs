using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// The blocked product on one thread: for each block of k, for each block of rows, every tile of C. Operands are copied into panels
/// where that pays (<see cref="GemmBlocking"/>) and used as they lie where not. Each element of C is a sum in the same order wherever its
/// tile lies, so cutting C into blocks never changes its bits.
/// </summary>
internal static unsafe class GemmSerial<T, TVector, TLanes, TEpilogue>
    where T : unmanaged
    where TVector : struct
    where TLanes : struct, IGemmLanes<T, TVector>
    where TEpilogue : struct, IEpilogue<T>
{
    private static int PanelB => 2 * TLanes.Count;

    /// <param name="g">The product.</param>
    /// <param name="packedB">B from <see cref="PackB"/>, or null.</param>
    /// <param name="packedFirst">Where the columns of <paramref name="g"/> start in <paramref name="packedB"/>; a multiple of a panel.</param>
    /// <param name="packedWidth">All columns of <paramref name="packedB"/>, padding included.</param>
    /// <param name="row">Where g.C lies in the whole C, for the epilogue.</param>
    public static void Run(in GemmProblem<T> g, T* packedB, int packedFirst, int packedWidth, in TEpilogue epilogue, int row, int column)
    {
        if (g.M <= 0 || g.N <= 0)
        {
            return;
        }

        if (g.K <= 0)
        {
            Scale(in g);
            epilogue.Apply(g.C, g.LdC, row, column, g.M, g.N);
            return;
        }

        if (g.IsDots)
        {
            GemmDots<T, TVector, TLanes>.Run(in g);
            epilogue.Apply(g.C, g.LdC, row, column, g.M, g.N);
            return;
        }

        int blockK = GemmBlocking.BlockK(g.K, sizeof(T), TLanes.TileRows);
        int blockM = GemmBlocking.RowBlock(g.M, blockK, sizeof(T), TLanes.TileRows, g.IsLarge);
        bool packA = GemmBlocking.PacksA(g.TransA, (long)g.LdA * sizeof(T), g.N, PanelB, TLanes.TileRows);
        bool packHere = packedB == null && GemmBlocking.PacksB(g.TransB, g.M);
        T* scratchA = packA ? ThreadScratch<GemmScratchUse>.Get<T>(GemmScratchUse.PackedA, (long)Padded(blockM, TLanes.TileRows) * blockK) : null;
        T* scratchB = packedB == null ? ThreadScratch<GemmScratchUse>.Get<T>(GemmScratchUse.PackedB, (long)(packHere ? Padded(g.N, PanelB) : PanelB) * blockK) : null;

        for (int p = 0; p < g.K; p += blockK)
        {
            Stage stage = default;
            stage.K = Math.Min(blockK, g.K - p);
            stage.Beta = p == 0 ? g.Beta : GemmScalar.From<T>(1);
            stage.IsLast = p + stage.K == g.K;
            stage.Streams = CanStream(in g) && p == 0 && stage.IsLast;
            int whole = g.N / PanelB * PanelB;
            if (packedB != null)
            {
                stage.SetPacked(packedB + ((nint)p * packedWidth) + ((nint)packedFirst * stage.K));
            }
            else if (packHere)
            {
                PanelPacking.Pack(g.AtB(p, 0), g.LdB, g.TransB, g.N, stage.K, PanelB, scratchB);
                stage.SetPacked(scratchB);
            }
            else
            {
                stage.B = g.AtB(p, 0);
                stage.StrideB = g.LdB;
                stage.PanelStepB = PanelB;
                stage.TailB = scratchB;
                if (whole < g.N)
                {
                    PanelPacking.Pack(g.AtB(p, whole), g.LdB, g.TransB, g.N - whole, stage.K, PanelB, scratchB);
                }
            }

            for (int i = 0; i < g.M; i += blockM)
            {
                int rows = Math.Min(blockM, g.M - i);
                stage.A = g.AtA(i, p);
                stage.IsStridedA = !packA && !g.TransA;
                stage.StrideA = packA ? TLanes.TileRows : g.LdA;
                if (packA)
                {
                    PanelPacking.Pack(stage.A, g.LdA, !g.TransA, rows, stage.K, TLanes.TileRows, scratchA);
                    stage.A = scratchA;
                }

                stage.PanelStepA = packA ? (nint)TLanes.TileRows * stage.K : g.TransA ? TLanes.TileRows : TLanes.TileRows * g.LdA;
                Tiles(in g, in stage, in epilogue, i, rows, row + i, column);
            }

            if (stage.Streams && Sse.IsSupported)
            {
                Sse.StoreFence(); // what went past the caches is seen by the other threads before the task counts as done
            }
        }
    }

    /// <summary>Elements that <see cref="PackB"/> writes.</summary>
    public static long PackedSize(int n, int k) => (long)Padded(n, PanelB) * k;

    /// <summary>Copies the panels firstPanel … of every block of k of op(B) to where <see cref="Run"/> expects them.</summary>
    /// <param name="packed"><see cref="PackedSize"/> elements.</param>
    public static void PackB(in GemmProblem<T> g, int firstPanel, int panels, T* packed)
    {
        int blockK = GemmBlocking.BlockK(g.K, sizeof(T), TLanes.TileRows);
        int first = firstPanel * PanelB;
        int columns = Math.Min(g.N - first, panels * PanelB);
        for (int p = 0; p < g.K; p += blockK)
        {
            int depth = Math.Min(blockK, g.K - p);
            T* at = packed + ((nint)p * Padded(g.N, PanelB)) + ((nint)first * depth);
            PanelPacking.Pack(g.AtB(p, first), g.LdB, g.TransB, columns, depth, PanelB, at);
        }
    }

    /// <summary>Whether whole tiles may be written past the caches: C is large, never read, not touched again by an epilogue, and its tiles' rows are aligned vectors.</summary>
    private static bool CanStream(in GemmProblem<T> g) =>
        g.IsLarge && TEpilogue.IsNone && GemmScalar.IsZero(g.Beta) && (nint)g.C % (TLanes.Count * sizeof(T)) == 0 && g.LdC % TLanes.Count == 0;

    private static int Padded(int width, int panel) => (width + panel - 1) / panel * panel;

    private static void Tiles(in GemmProblem<T> g, in Stage stage, in TEpilogue epilogue, int firstRow, int rows, int row, int column)
    {
        T* edge = null;
        T* panelB = stage.B;
        for (int j = 0; j < g.N; j += PanelB)
        {
            int columns = Math.Min(PanelB, g.N - j);
            nint strideB = stage.StrideB;
            if (columns < PanelB && stage.TailB != null)
            {
                panelB = stage.TailB;
                strideB = PanelB;
            }

            T* panelA = stage.A;
            T* c = g.AtC(firstRow, j);
            bool isEdge = columns != PanelB && columns != TLanes.Count;
            if (isEdge && edge == null)
            {
                edge = ThreadScratch<GemmScratchUse>.Get<T>(GemmScratchUse.EdgeTile, TLanes.TileRows * PanelB);
            }

            for (int i = 0; i < rows; i += TLanes.TileRows)
            {
                int height = Math.Min(TLanes.TileRows, rows - i);
                T* target = isEdge ? edge : c;
                nint pitch = isEdge ? PanelB : g.LdC;
                T beta = isEdge ? default : stage.Beta;
                bool streams = stage.Streams && !isEdge;
                if (columns > TLanes.Count)
                {
                    Tile<DoubleWidth>(height, in stage, panelA, panelB, strideB, target, pitch, g.Alpha, beta, streams);
                }
                else
                {
                    Tile<SingleWidth>(height, in stage, panelA, panelB, strideB, target, pitch, g.Alpha, beta, streams);
                }

                if (isEdge)
                {
                    Merge(edge, height, columns, c, g.LdC, stage.Beta);
                }

                if (!TEpilogue.IsNone && stage.IsLast)
                {
                    epilogue.Apply(c, g.LdC, row + i, column + j, height, columns);
                }

                panelA += stage.PanelStepA;
                c += TLanes.TileRows * g.LdC;
            }

            panelB += stage.PanelStepB;
        }
    }

    /// <summary>A tile of up to <c>TileRows</c> rows: whole, or as the few smaller kernels that add up to it.</summary>
    private static void Tile<TWidth>(int height, in Stage stage, T* a, T* b, nint strideB, T* c, nint strideC, T alpha, T beta, bool streams)
        where TWidth : struct, ITileWidth
    {
        nint rowStepA = stage.IsStridedA ? stage.StrideA : 1;
        while (height > 0)
        {
            int done;
            if (TLanes.TileRows == 14 && height >= 14)
            {
                done = Kernel<Rows14, TWidth>(in stage, a, b, strideB, c, strideC, alpha, beta, streams);
            }
            else if (TLanes.TileRows == 14 && height >= 8)
            {
                done = Kernel<Rows8, TWidth>(in stage, a, b, strideB, c, strideC, alpha, beta, streams);
            }
            else if (TLanes.TileRows == 6 && height >= 6)
            {
                done = Kernel<Rows6, TWidth>(in stage, a, b, strideB, c, strideC, alpha, beta, streams);
            }
            else if (height >= 4)
            {
                done = Kernel<Rows4, TWidth>(in stage, a, b, strideB, c, strideC, alpha, beta, streams);
            }
            else if (height >= 2)
            {
                done = Kernel<Rows2, TWidth>(in stage, a, b, strideB, c, strideC, alpha, beta, streams);
            }
            else
            {
                done = Kernel<Rows1, TWidth>(in stage, a, b, strideB, c, strideC, alpha, beta, streams);
            }

            height -= done;
            a += done * rowStepA;
            c += done * strideC;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Kernel<TRows, TWidth>(in Stage stage, T* a, T* b, nint strideB, T* c, nint strideC, T alpha, T beta, bool streams)
        where TRows : struct, ITileRows
        where TWidth : struct, ITileWidth
    {
        if (stage.IsStridedA)
        {
            MicroKernel<T, TVector, TLanes, TRows, TWidth, StridedA>.Run(stage.K, a, stage.StrideA, b, strideB, c, strideC, alpha, beta, streams);
        }
        else
        {
            MicroKernel<T, TVector, TLanes, TRows, TWidth, AdjacentA>.Run(stage.K, a, stage.StrideA, b, strideB, c, strideC, alpha, beta, streams);
        }

        return TRows.Count;
    }

    private static void Merge(T* tile, int rows, int columns, T* c, nint strideC, T beta)
    {
        bool overwrite = GemmScalar.IsZero(beta);
        for (int r = 0; r < rows; r++, c += strideC, tile += PanelB)
        {
            for (int j = 0; j < columns; j++)
            {
                c[j] = overwrite ? tile[j] : GemmScalar.Add(tile[j], GemmScalar.Multiply(beta, c[j]));
            }
        }
    }

    private static void Scale(in GemmProblem<T> g)
    {
        bool overwrite = GemmScalar.IsZero(g.Beta);
        for (int i = 0; i < g.M; i++)
        {
            T* c = g.AtC(i, 0);
            for (int j = 0; j < g.N; j++)
            {
                c[j] = overwrite ? default : GemmScalar.Multiply(g.Beta, c[j]);
            }
        }
    }

    /// <summary>Where the operands of one block of k (and of rows) lie, packed or not.</summary>
    private struct Stage
    {
        public int K;
        public T Beta;
        public bool IsLast;

        /// <summary>C is written past the caches.</summary>
        public bool Streams;

        public T* A;
        public nint StrideA;
        public nint PanelStepA;
        public bool IsStridedA;
        public T* B;
        public nint StrideB;
        public nint PanelStepB;

        /// <summary>The last, narrower panel of an unpacked B, whose whole vectors would reach beyond its rows.</summary>
        public T* TailB;

        public void SetPacked(T* packed)
        {
            B = packed;
            StrideB = PanelB;
            PanelStepB = (nint)PanelB * K;
            TailB = null;
        }
    }
}
