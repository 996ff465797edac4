using LinearCald.Gpu;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>How a pass of the scan of Mamba-2 is dealt out to groups of threads. The same for equal sizes on equal devices: results depend on it by rounding.</summary>
/// <param name="Columns">Features of a group.</param>
/// <param name="Blocks">Groups that share the columns of a head.</param>
/// <param name="Segments">Parts of a row that are worked on at the same time, at the price of a first pass for what they hand on.</param>
internal readonly record struct SsdPlan(int Columns, int Blocks, int Segments)
{
    /// <summary>What a first pass and summing up what was handed on cost is some chunks: segments shorter than this do not pay.</summary>
    private const int ShortestSegment = 6;

    /// <summary>Numbers that the segments hand on, in whole 16 bytes: per group and segment a state and a decay.</summary>
    public long CarryElements(in SsdShape shape, int batches) => (long)(Segments - 1) * Slots(in shape, batches) * (StateElements(in shape) + 4);

    /// <summary>The views of what is handed on.</summary>
    /// <param name="room">As many as <see cref="CarryElements"/> says.</param>
    public SsdCarry Carry(View<float> room, in SsdShape shape, int batches)
    {
        long slots = (long)(Segments - 1) * Slots(in shape, batches), states = slots * StateElements(in shape);
        return Segments == 1 ? default : new SsdCarry { States = room.Slice(0, states), Decays = room.Slice(states, slots) };
    }

    /// <param name="shape">The sizes.</param>
    /// <param name="is16Bit">Whether the data are; then two groups share a multiprocessor, else one has it for itself.</param>
    /// <param name="multiprocessors">Of the device.</param>
    /// <param name="forced">Segments, or 0 to choose.</param>
    public static SsdPlan Forward(in SsdShape shape, bool is16Bit, int multiprocessors, int forced)
    {
        long pairs = (long)shape.Batch * shape.Heads;
        int narrow = ColumnsOf(in shape, 32), wide = ColumnsOf(in shape, 64);
        int segments = SegmentsOf(in shape, pairs * BlocksOf(in shape, narrow), pairs * BlocksOf(in shape, wide), is16Bit, multiprocessors, forced);

        // two narrow blocks compute C Bᵀ twice: that pays only where wide ones would leave multiprocessors without work
        int columns = segments > 1 || pairs * BlocksOf(in shape, narrow) > Room(is16Bit, multiprocessors) ? wide : narrow;
        return new SsdPlan(columns, BlocksOf(in shape, columns), segments);
    }

    /// <param name="batches">Rows of the batch of one launch.</param>
    public static SsdPlan Backward(in SsdShape shape, int batches, bool is16Bit, int multiprocessors, int forced)
    {
        int columns = ColumnsOf(in shape, 64), blocks = BlocksOf(in shape, columns);
        long groups = (long)batches * shape.Heads * blocks;
        return new SsdPlan(columns, blocks, SegmentsOf(in shape, groups, groups, is16Bit, multiprocessors, forced));
    }

    private static int SegmentsOf(in SsdShape shape, long uncutGroups, long groups, bool is16Bit, int multiprocessors, int forced)
    {
        int chunks = SsdSizes.ChunksOf(shape.Length);
        if (forced > 0 || groups == 0)
        {
            return Math.Max(1, Math.Min(forced, chunks + 1));
        }

        long room = Room(is16Bit, multiprocessors), segments = Math.Min(room / groups, chunks / ShortestSegment);
        return 2 * uncutGroups <= room && segments > 1 ? (int)segments : 1;
    }

    // groups that run at once
    private static long Room(bool is16Bit, int multiprocessors) => multiprocessors * (is16Bit ? 2L : 1L);

    private static int ColumnsOf(in SsdShape shape, int most) => shape.HeadSize <= 16 ? 16 : shape.HeadSize <= 32 ? 32 : most;

    private static int BlocksOf(in SsdShape shape, int columns) => (shape.HeadSize + columns - 1) / columns;

    private long Slots(in SsdShape shape, int batches) => (long)batches * shape.Heads * Blocks;

    private int StateElements(in SsdShape shape) => (shape.StateSize + 63) / 64 * 64 * Columns;
}
