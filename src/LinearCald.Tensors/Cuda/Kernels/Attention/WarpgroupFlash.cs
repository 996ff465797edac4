using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>Launches attention on warpgroups, forward and backward: which problems are computed that way, by which kernels, and the maps of the tensors.</summary>
internal static unsafe class WarpgroupFlash
{
    private const int Hopper = 90;

    /// <summary>What the copy engine asks of addresses and of rows, in bytes.</summary>
    private const int Alignment = 16;

    /// <summary>Heads of fewer columns leave half of a box empty, and fewer queries or keys most of a block.</summary>
    private const int FewestColumns = 33;
    private const int FewestRows = 64;
    private const int MostColumns = 128;

    /// <summary>Keys from which on fewer, larger groups are faster.</summary>
    private const int ManyKeys = 2048;

    /// <summary>Warpgroups of a group of the gradients' kernels, as many as registers are left for, and rows of the blocks that they walk over.</summary>
    private const int QueryWarpgroups = 3;
    private const int KeyWarpgroups = 2;
    private const int GradientRows = 64;

    /// <summary>The tile of a problem that is faster this way than by <see cref="FlashForward"/>; null for others.</summary>
    /// <param name="addresses">The addresses of all tensors of data, or-ed together.</param>
    public static WarpgroupFlashTile? TileOf(in AttentionProblem problem, DeviceLimits limits, nint addresses) =>
        WarpgroupLaunch.IsOn && limits.Capability == Hopper && CanTake(problem, addresses) && problem.HeadSize >= FewestColumns && Math.Min(problem.QueryLength, problem.KeyLength) >= FewestRows
            ? Choose(problem)
            : null;

    /// <summary>Whether the kernel can compute the problem at all.</summary>
    public static bool CanTake(in AttentionProblem problem, nint addresses) =>
        problem.Precision is GemmPrecision.BFloat16 or GemmPrecision.Half && problem.HeadSize <= MostColumns && ((addresses | ((nint)problem.HeadSize * sizeof(ushort))) & (Alignment - 1)) == 0;

    /// <summary>Launches the forward pass; arguments as for <see cref="AttentionLauncher.Forward"/>.</summary>
    public static void Forward(
        Accelerator accelerator, in AttentionProblem problem, WarpgroupFlashTile tile, ReadOnlyView<ushort> q, ReadOnlyView<ushort> k, ReadOnlyView<ushort> v, ReadOnlyView<int>? lengths,
        View<ushort> y, View<float> lse, View<ushort>? rest)
    {
        LaunchShape shape = ShapeOf(problem, problem.QueryLength, tile.Warpgroups);
        if (shape.Grid.X == 0)
        {
            return;
        }

        TensorMap mapQ = Map(accelerator, problem, q, problem.QueryLength, RowsOf(tile.Warpgroups)), mapK = Map(accelerator, problem, k, problem.KeyLength, tile.Keys);
        TensorMap mapV = Map(accelerator, problem, v, problem.KeyLength, tile.Keys);
        Kernel kernel = problem.Precision == GemmPrecision.Half ? KernelOf<HalfWarpgroup>(problem, tile) : KernelOf<BFloat16Warpgroup>(problem, tile);
        AttentionTraits traits = problem.Traits(lengths.HasValue, 0) with { HasRest = rest.HasValue, Whole = IsWhole(problem, lengths.HasValue, tile.Keys) };
        accelerator.Launch(kernel, shape, mapQ, mapK, mapV, lengths ?? default, y, rest ?? default, lse, problem.Sizes, traits);
    }

    /// <summary>Whether <see cref="Backward"/> computes a problem that is computed forward this way: the accumulators of two boxes of columns do not fit.</summary>
    public static bool CanTakeBackward(in AttentionProblem problem) => problem.HeadSize <= WarpgroupRing.BoxColumns;

    /// <summary>Launches the gradients of queries, keys and values; arguments as for <see cref="AttentionLauncher.Backward"/>.</summary>
    /// <param name="dots">From <see cref="FlashRowDots"/>.</param>
    public static void Backward(
        Accelerator accelerator, in AttentionProblem problem, ReadOnlyView<ushort> q, ReadOnlyView<ushort> k, ReadOnlyView<ushort> v, ReadOnlyView<int>? lengths, ReadOnlyView<float> lse,
        ReadOnlyView<float> dots, ReadOnlyView<ushort> gy, View<ushort> gq, View<ushort> gk, View<ushort> gv)
    {
        int heads = problem.Batch * problem.Heads;
        if (heads == 0)
        {
            return;
        }

        AttentionTraits traits = problem.Traits(lengths.HasValue, 0) with { Whole = IsWhole(problem, lengths.HasValue, GradientRows) };
        if (problem.QueryLength == 0)
        {
            accelerator.Fill((nint)gk.Address, gk.Length * sizeof(ushort), 0);
            accelerator.Fill((nint)gv.Address, gv.Length * sizeof(ushort), 0);
            return;
        }

        // rows of statistics begin at multiples of 16 bytes
        int pitch = (problem.QueryLength + 1) & ~1;
        using DeviceBuffer<Float2> statistics = accelerator.Allocate<Float2>((long)heads * pitch, "attention's statistics of queries");
        int queries = RowsOf(QueryWarpgroups), keys = RowsOf(KeyWarpgroups);
        Gradients kernels = problem.Precision == GemmPrecision.Half ? GradientsOf<HalfWarpgroup>.Value : GradientsOf<BFloat16Warpgroup>.Value;
        accelerator.Launch(
            kernels.OfQueries,
            ShapeOf(problem, problem.QueryLength, QueryWarpgroups),
            Map(accelerator, problem, q, problem.QueryLength, queries),
            Map(accelerator, problem, k, problem.KeyLength, GradientRows),
            Map(accelerator, problem, v, problem.KeyLength, GradientRows),
            Map(accelerator, problem, gy, problem.QueryLength, queries),
            lengths ?? default,
            lse,
            dots,
            statistics.View,
            gq,
            pitch,
            problem.Sizes,
            traits);
        accelerator.Launch(
            kernels.OfKeys,
            ShapeOf(problem, problem.KeyLength, KeyWarpgroups),
            Map(accelerator, problem, q, problem.QueryLength, GradientRows),
            Map(accelerator, problem, k, problem.KeyLength, keys),
            Map(accelerator, problem, v, problem.KeyLength, keys),
            Map(accelerator, problem, gy, problem.QueryLength, GradientRows),
            TensorMap.Create(
                accelerator, statistics.Address, TensorElement.Float32, [2L * problem.QueryLength, heads], [(long)pitch * sizeof(Float2)], [2 * GradientRows, 1], TensorSwizzle.None),
            lengths ?? default,
            gk,
            gv,
            problem.Sizes,
            traits);
    }

    private static int RowsOf(int warpgroups) => warpgroups * WarpgroupTiles.WarpgroupRows;

    /// <summary>Groups that own all <paramref name="length"/> rows of all heads.</summary>
    private static LaunchShape ShapeOf(in AttentionProblem problem, int length, int warpgroups)
    {
        int rows = RowsOf(warpgroups);
        return new LaunchShape(checked(problem.Batch * problem.Heads * ((length + rows - 1) / rows)), warpgroups * WarpgroupTiles.WarpgroupThreads);
    }

    private static bool IsWhole(in AttentionProblem problem, bool hasLengths, int keys) => !hasLengths && !problem.Causal && problem.KeyLength % keys == 0;

    // As measured on an H100: two groups of two a multiprocessor hide each other's beginnings and ends, which with many keys matter less than that each block is read by 192 queries.
    private static WarpgroupFlashTile Choose(in AttentionProblem problem) =>
        problem.HeadSize <= WarpgroupRing.BoxColumns && problem.KeyLength >= ManyKeys ? new WarpgroupFlashTile(3, 128) : new WarpgroupFlashTile(2, 64);

    private static Kernel KernelOf<TOperand>(in AttentionProblem problem, WarpgroupFlashTile tile)
        where TOperand : struct, IWarpgroupOperand => (problem.HeadSize > WarpgroupRing.BoxColumns, tile.Keys) switch
        {
            (false, 128) => KernelOf<TOperand, N64, N32>(false),
            (false, 64) => KernelOf<TOperand, N32, N32>(tile.Warpgroups == 2),
            (true, 64) => KernelOf<TOperand, N32, N64>(false),
            _ => throw new CaldException($"Attention: blocks of {tile.Keys} keys are not known to warpgroups; use 64, or 128 for heads of up to {WarpgroupRing.BoxColumns} columns"),
        };

    private static Kernel KernelOf<TOperand, TN, TD>(bool two)
        where TOperand : struct, IWarpgroupOperand
        where TN : struct, ICount
        where TD : struct, ICount => two ? Kernels<TOperand, TN, TD>.Pair : Kernels<TOperand, TN, TD>.Single;

    // columns of a head, heads, rows of a sample, samples
    private static TensorMap Map(Accelerator accelerator, in AttentionProblem problem, ReadOnlyView<ushort> tensor, int length, int rows)
    {
        long row = (long)problem.Width * sizeof(ushort);
        return TensorMap.Create(
            accelerator,
            (nint)tensor.Address,
            problem.Precision == GemmPrecision.Half ? TensorElement.Half : TensorElement.BFloat16,
            [problem.HeadSize, problem.Heads, length, problem.Batch],
            [problem.HeadSize * sizeof(ushort), row, row * length],
            [WarpgroupRing.BoxColumns, 1, rows, 1],
            TensorSwizzle.Bytes128);
    }

    private static class Kernels<TOperand, TN, TD>
        where TOperand : struct, IWarpgroupOperand
        where TN : struct, ICount
        where TD : struct, ICount
    {
        public static readonly Kernel Single = Kernel.Of(WarpgroupFlashForward.Run<TOperand, TN, TD>);
        public static readonly Kernel Pair = Kernel.Of(WarpgroupFlashForward.RunPair<TOperand, TN, TD>);
    }

    private sealed record Gradients(Kernel OfQueries, Kernel OfKeys);

    private static class GradientsOf<TOperand>
        where TOperand : struct, IWarpgroupOperand
    {
        public static readonly Gradients Value = new(
            Kernel.Of(WarpgroupFlashQueryGradient.Run<TOperand, N32, N32>), Kernel.Of(WarpgroupFlashKeyGradient.Run<TOperand, N32, N32>));
    }
}

/// <summary>How a group of <see cref="WarpgroupFlashForward"/> walks over the scores of a head.</summary>
/// <param name="Warpgroups">Warpgroups, of 64 queries each; at most four.</param>
/// <param name="Keys">Keys of a block, 64 or 128.</param>
internal readonly record struct WarpgroupFlashTile(int Warpgroups, int Keys);
