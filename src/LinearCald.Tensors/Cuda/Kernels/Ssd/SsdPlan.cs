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

    private const int ManyGroups = 264; // two for each multiprocessor of an H100: then blocks may be wide

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
        int narrow = ColumnsOf(in shape, 32), wide = ColumnsOf(in shape, 64), columns = is16Bit && pairs * BlocksOf(in shape, wide) >= ManyGroups ? wide : narrow;

        // narrow blocks are more groups for more work: where rows are cut there is no need of them
        int segments = SegmentsOf(in shape, pairs * BlocksOf(in shape, columns), pairs * BlocksOf(in shape, wide), is16Bit, multiprocessors, forced);
        columns = segments > 1 ? wide : columns;
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

        // as many groups as run at once
        long room = multiprocessors * (is16Bit ? 2L : 1L), segments = Math.Min(room / groups, chunks / ShortestSegment);
        return 2 * uncutGroups <= room && segments > 1 ? (int)segments : 1;
    }

    private static int ColumnsOf(in SsdShape shape, int most) => shape.HeadSize <= 16 ? 16 : shape.HeadSize <= 32 ? 32 : most;

    private static int BlocksOf(in SsdShape shape, int columns) => (shape.HeadSize + columns - 1) / columns;

    private long Slots(in SsdShape shape, int batches) => (long)batches * shape.Heads * Blocks;

    private int StateElements(in SsdShape shape) => (shape.StateSize + 63) / 64 * 64 * Columns;
}
