using System.Numerics;
using System.Runtime.Intrinsics;

namespace LinearCald.Tensors.Cpu;

/// <summary>What a scan does to neighbouring channels of one sample.</summary>
internal interface IChannelBlock<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <param name="channel">The first of registers · TV.Width channels.</param>
    /// <param name="first">Whether these are the first channels of their block: what a block sums over channels starts here.</param>
    void Execute<TV>(int sample, int channel, int registers, bool first)
        where TV : unmanaged, ISimd<TV, T>;
}

/// <summary>
/// The selective scan of Mamba on the CPU: <see cref="SelectiveScanForward{T}"/>, <see cref="SelectiveScanBackward{T}"/> and, for a single position,
/// <see cref="SelectiveScanStep{T}"/>. <see cref="SelectiveScanReference"/> says what they compute.
/// </summary>
internal static unsafe class SelectiveScanKernel
{
    /// <summary>Positions from one saved state to the next; the gradient recomputes the states between, which then lie in the second-level cache.</summary>
    public const int ChunkSteps = 32;

    private const int WidestBlock = 256;
    private const int NarrowestBlock = 16;

    /// <summary>Tasks of a backward pass; a number of its own, since what a block sums over channels depends on the cut.</summary>
    private const int BackwardTasks = 8;
    private const int TasksPerThread = 2;

    /// <summary>Saved states of a sample.</summary>
    public static int Chunks(int length) => (length + ChunkSteps - 1) / ChunkSteps;

    /// <summary>The first number of a saved state [N, D] in [chunks, B, N, D].</summary>
    public static nint EntryAt<T>(in SelectiveScanProblem<T> p, int chunk, int sample)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => (((nint)chunk * p.Batch) + sample) * p.States * p.Channels;

    /// <summary>y [B·L, D]; finalState [B, D, N] unless null; entries [chunks, B, N, D] unless null.</summary>
    public static void Forward<T>(in SelectiveScanProblem<T> p, T* y, T* finalState, T* entries)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (p.Length == 1 && entries is null)
        {
            SelectiveScanStep<T>.Run(p, y, finalState);
            return;
        }

        // No channel depends on another, so that this cut may depend on the number of threads.
        ForBlocks<T, SelectiveScanForward<T>>(p, BlockChannels(p, TasksPerThread * WorkerPool.Shared.Threads), new(p, y, finalState, entries));
    }

    /// <summary>All gradients from the states that <see cref="Forward"/> saved.</summary>
    public static void Backward<T>(in SelectiveScanProblem<T> p, T* entries, in SelectiveScanGradient<T> g)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int size = BlockChannels(p, BackwardTasks), blocks = Cut.Pieces(p.Channels, size);
        nint rows = (nint)p.Batch * p.Length * p.States, parameters = (nint)p.States * p.Channels;
        using Scratch<T> scratch = new((2 * blocks * rows) + (p.Batch * (parameters + (2 * p.Channels))));
        T* b = scratch.Pointer, c = b + (blocks * rows), a = c + (blocks * rows), d = a + (p.Batch * parameters), bias = d + (p.Batch * p.Channels);
        ForBlocks<T, SelectiveScanBackward<T>>(p, size, new(p, g, entries, size, new(a, b, c, d, bias)));
        ColumnSum.AddPartials(b, g.B, blocks, rows, accumulate: false);
        ColumnSum.AddPartials(c, g.C, blocks, rows, accumulate: false);
        ColumnSum.AddPartials(a, a, p.Batch, p.Batch == 0 ? 0 : parameters, accumulate: false);
        for (int channel = 0; channel < p.Channels; channel++)
        {
            for (int n = 0; n < p.States; n++)
            {
                g.A[(channel * p.States) + n] = p.Batch == 0 ? T.Zero : a[((nint)n * p.Channels) + channel];
            }
        }

        if (g.D is not null)
        {
            ColumnSum.AddPartials(d, g.D, p.Batch, p.Channels, accumulate: false);
        }

        if (g.DeltaBias is not null)
        {
            ColumnSum.AddPartials(bias, g.DeltaBias, p.Batch, p.Channels, accumulate: false);
        }
    }

    /// <summary>
    /// Channels of one task: many, so that a page of memory that holds rows of them is met few times (address translations are what long scans wait for) and few partial sums of
    /// dB and dC are written, unless that leaves too few tasks.
    /// </summary>
    private static int BlockChannels<T>(in SelectiveScanProblem<T> p, int tasks)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int block = WidestBlock;
        while (block > NarrowestBlock && p.Batch * Cut.Pieces(p.Channels, block) < tasks)
        {
            block /= 2;
        }

        return block;
    }

    private static void ForBlocks<T, TBody>(in SelectiveScanProblem<T> p, int size, TBody body)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TBody : struct, IChannelBlock<T>
    {
        int blocks = Cut.Pieces(p.Channels, size);
        WorkerPool.Shared.For(p.Batch * blocks, new BlockPiece<T, TBody>(body, blocks, size, p.Channels));
    }

    /// <summary>One block: as many of its channels as fit into the widest registers, then narrower ones, then single lanes.</summary>
    private readonly struct BlockPiece<T, TBody>(TBody body, int blocks, int size, int channels) : IParallelBody
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TBody : struct, IChannelBlock<T>
    {
        public void Execute(int index)
        {
            (int sample, int block) = Math.DivRem(index, blocks);
            int begin = block * size, end = Math.Min(begin + size, channels), at = begin;
            if (Vector512.IsHardwareAccelerated)
            {
                Strip<Wide512<T>>(sample, begin, end, ref at);
            }

            if (Vector256.IsHardwareAccelerated)
            {
                Strip<Wide256<T>>(sample, begin, end, ref at);
            }

            if (Vector128.IsHardwareAccelerated)
            {
                Strip<Wide128<T>>(sample, begin, end, ref at);
            }

            Strip<Lane<T>>(sample, begin, end, ref at);
        }

        private void Strip<TV>(int sample, int begin, int end, ref int at)
            where TV : unmanaged, ISimd<TV, T>
        {
            int registers = (end - at) / TV.Width;
            if (registers > 0)
            {
                body.Execute<TV>(sample, at, registers, at == begin);
                at += registers * TV.Width;
            }
        }
    }
}
