using System.Runtime.Intrinsics;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// out[b, q, :] = patch(b, q) · op(B) for q = 0 … Rows − 1, where the patch is the Taps · Channels numbers of the input rows q · Stride + Offset … + Taps − 1, zeros
/// where there is no such row.
/// </summary>
internal unsafe struct PatchProduct<T>
    where T : unmanaged
{
    public int Batch;

    /// <summary>The first channel of row 0 of sample 0; samples lie InputRows rows apart.</summary>
    public T* Input;
    public int InputRows;

    /// <summary>Elements from row to row of the input: more than Channels where a group is a part of them.</summary>
    public int InputPitch;
    public int Channels;
    public int Taps;
    public int Stride;
    public int Offset;

    /// <summary>op(B) is [Taps · Channels, Columns]; with TransB it lies as Columns rows of Taps · Channels, else as it is; without gaps.</summary>
    public T* B;
    public bool TransB;
    public int Columns;

    public T* Output;
    public int Rows;
    public nint OutputPitch;

    /// <summary>Elements from a sample's first output to the next one's.</summary>
    public long OutputSample;

    /// <summary>Where the columns lie in the whole of the output, for the epilogue.</summary>
    public int FirstColumn;

    /// <summary>Elements of a patch.</summary>
    public readonly int Depth => Taps * Channels;

    /// <summary>
    /// The patches of some rows, as a matrix whose rows of Depth elements begin Stride · Channels elements apart and so overlap: the input itself, or a copy in
    /// <paramref name="scratch"/> where it lacks rows or has other channels in between.
    /// </summary>
    /// <param name="scratch">Room for <see cref="CopiedElements"/> elements.</param>
    public readonly T* Patches(int sample, int row, int rows, T* scratch)
    {
        long first = ((long)row * Stride) + Offset, count = InputRowsOf(rows);
        T* input = Input + ((long)sample * InputRows * InputPitch);
        if (LiesInInput(row, rows))
        {
            return input + (first * InputPitch);
        }

        long from = Math.Clamp(-first, 0, count), to = Math.Clamp(InputRows - first, from, count);
        new Span<T>(scratch, checked((int)(from * Channels))).Clear();
        if (Channels == InputPitch)
        {
            new ReadOnlySpan<T>(input + ((first + from) * InputPitch), checked((int)((to - from) * Channels))).CopyTo(new Span<T>(scratch + (from * Channels), checked((int)((to - from) * Channels))));
        }
        else
        {
            for (long r = from; r < to; r++)
            {
                new ReadOnlySpan<T>(input + ((first + r) * InputPitch), Channels).CopyTo(new Span<T>(scratch + (r * Channels), Channels));
            }
        }

        new Span<T>(scratch + (to * Channels), checked((int)((count - to) * Channels))).Clear();
        return scratch;
    }

    /// <summary>Elements that <see cref="Patches"/> copies.</summary>
    public readonly long CopiedElements(int row, int rows) => LiesInInput(row, rows) ? 0 : InputRowsOf(rows) * Channels;

    private readonly long InputRowsOf(int rows) => ((rows - 1L) * Stride) + Taps;

    private readonly bool LiesInInput(int row, int rows)
    {
        long first = ((long)row * Stride) + Offset;
        return Channels == InputPitch && first >= 0 && first + InputRowsOf(rows) <= InputRows;
    }
}

/// <summary>
/// Runs a <see cref="PatchProduct{T}"/>: B is packed once, blocks of rows of all samples are independent tasks, and patches are read where they lie, so no matrix of
/// patches is ever made. An element's sum does not depend on the block it lies in: the same bits for any number of threads.
/// </summary>
internal static unsafe class PatchProducts
{
    /// <summary>On all threads, finishing each tile with <paramref name="epilogue"/>; its rows are counted over all samples, Rows a sample.</summary>
    public static void Run<T, TEpilogue>(in PatchProduct<T> p, in TEpilogue epilogue)
        where T : unmanaged
        where TEpilogue : struct, IEpilogue<T>
    {
        if (p.Batch == 0 || p.Rows <= 0 || p.Columns == 0)
        {
            return;
        }

        if (Lanes512<T>.IsSupported)
        {
            OnLanes<T, Vector512<T>, Lanes512<T>, TEpilogue>.Run(in p, in epilogue);
        }
        else if (Lanes256<T>.IsSupported)
        {
            OnLanes<T, Vector256<T>, Lanes256<T>, TEpilogue>.Run(in p, in epilogue);
        }
        else if (Lanes128<T>.IsSupported)
        {
            OnLanes<T, Vector128<T>, Lanes128<T>, TEpilogue>.Run(in p, in epilogue);
        }
        else
        {
            OnLanes<T, T, LanesScalar<T>, TEpilogue>.Run(in p, in epilogue);
        }
    }

    private static class OnLanes<T, TVector, TLanes, TEpilogue>
        where T : unmanaged
        where TVector : struct
        where TLanes : struct, IGemmLanes<T, TVector>
        where TEpilogue : struct, IEpilogue<T>
    {
        /// <summary>Elements of B packed at a time.</summary>
        private const long PackedLimit = 4 << 20;

        /// <summary>Bytes of output, or of input, of one task: they stay in the second-level cache.</summary>
        private const int BlockBytes = 256 << 10;

        /// <summary>Elements of B that one task packs.</summary>
        private const int PackedAtOnce = 1 << 16;

        private static int PanelB => 2 * TLanes.Count;

        public static void Run(in PatchProduct<T> p, in TEpilogue epilogue)
        {
            int most = (int)Math.Clamp(PackedLimit / Math.Max(1, p.Depth) / PanelB * PanelB, 4 * PanelB, int.MaxValue / 2);
            int step = p.Columns <= most ? p.Columns : GemmBlocking.Even(p.Columns, (p.Columns + most - 1) / most, PanelB);
            int rows = BlockRows(in p, WorkerPool.Shared.Threads);
            int blocks = (p.Rows + rows - 1) / rows;
            for (int j = 0; j < p.Columns; j += step)
            {
                GemmProblem<T> g = new() { TransB = p.TransB, N = p.Columns, K = p.Depth, B = p.B, LdB = p.TransB ? p.Depth : p.Columns };
                g = g.Block(0, 0, j, Math.Min(step, p.Columns - j));
                T* packed = ThreadScratch<GemmScratchUse>.Get<T>(GemmScratchUse.Shared, GemmSerial<T, TVector, TLanes, TEpilogue>.PackedSize(g.N, g.K));
                int panels = (g.N + PanelB - 1) / PanelB;
                int group = Math.Max(1, (int)(PackedAtOnce / Math.Max(1, (long)PanelB * g.K)));
                WorkerPool.Shared.For((panels + group - 1) / group, new PackBody(g, group, packed));
                BlockBody body = new(p, j, g.N, packed, panels * PanelB, rows, blocks, epilogue);
                int tasks = checked(p.Batch * blocks);
                if ((long)p.Batch * p.Rows * g.N * g.K >= 2 * GemmCut.TaskProducts)
                {
                    WorkerPool.Shared.For(tasks, in body);
                    continue;
                }

                for (int i = 0; i < tasks; i++)
                {
                    body.Execute(i); // too little to be worth other threads
                }
            }
        }

        private static int BlockRows(in PatchProduct<T> p, int threads)
        {
            long bytes = Math.Max((long)p.Columns, (long)p.Stride * p.Channels) * sizeof(T);
            long fair = (((long)p.Batch * p.Rows) + (4L * threads) - 1) / (4L * threads);
            long most = Math.Max(4 * TLanes.TileRows, Math.Min(BlockBytes / bytes, fair));
            return p.Rows <= most ? p.Rows : GemmBlocking.Even(p.Rows, (int)((p.Rows + most - 1) / most), TLanes.TileRows);
        }

        private readonly struct PackBody(GemmProblem<T> g, int group, T* packed) : IParallelBody
        {
            public void Execute(int index) => GemmSerial<T, TVector, TLanes, TEpilogue>.PackB(in g, index * group, group, packed);
        }

        private readonly struct BlockBody(PatchProduct<T> p, int column, int columns, T* packed, int packedWidth, int blockRows, int blocks, TEpilogue epilogue) : IParallelBody
        {
            public void Execute(int index)
            {
                int sample = index / blocks, row = index % blocks * blockRows, rows = Math.Min(blockRows, p.Rows - row);
                using Scratch<T> copy = new(p.CopiedElements(row, rows));
                GemmProblem<T> g = new()
                {
                    M = rows,
                    N = columns,
                    K = p.Depth,
                    Alpha = GemmScalar.From<T>(1),
                    A = p.Patches(sample, row, rows, copy.Pointer),
                    LdA = (nint)p.Stride * p.Channels,
                    C = p.Output + (sample * p.OutputSample) + (row * p.OutputPitch) + column,
                    LdC = p.OutputPitch,
                };
                GemmSerial<T, TVector, TLanes, TEpilogue>.Run(in g, packed, 0, packedWidth, in epilogue, (sample * p.Rows) + row, p.FirstColumn + column);
            }
        }
    }
}
