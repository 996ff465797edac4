using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>What launching <see cref="WarpgroupGemm"/> takes: which products it can compute, its kernel, and the maps of the operands.</summary>
internal static class WarpgroupLaunch
{
    /// <summary>Environment variable that, set to 0, leaves all products to <see cref="TensorCoreGemm"/> and attention to <see cref="FlashForward"/>, so that both can be measured. Read once.</summary>
    public const string Switch = "LINEARCALD_WARPGROUPS";

    /// <summary>What the copy engine asks of addresses and of rows, in bytes.</summary>
    private const int Alignment = 16;

    /// <summary>Multiply-adds of one product below which a launch takes longer than the product on any path.</summary>
    private const long Fewest = 1 << 24;

    private const int Hopper = 90;

    /// <summary>Whether <see cref="Switch"/> leaves warpgroups on.</summary>
    public static bool IsOn { get; } = Environment.GetEnvironmentVariable(Switch) != "0";

    /// <summary>
    /// Whether the table may choose warpgroups for a product whose operands' addresses are multiples of 16. Not for the overlapping patches of convolutions: an H100 takes maps of such
    /// rows and computes the same from them, but whole convolutions were not yet measured that way.
    /// </summary>
    public static bool Takes(in GemmProblem problem, DeviceLimits limits) =>
        IsOn
        && limits.Capability == Hopper
        && problem.Precision is GemmPrecision.BFloat16 or GemmPrecision.Half
        && !problem.Overlapping
        && problem.Inner == 1
        && (long)problem.M * problem.N * problem.K >= Fewest
        && IsAligned((uint)problem.LeadingA | (uint)problem.LeadingB | (problem.Batch > 1 ? problem.StrideA | problem.StrideB : 0), problem.Precision);

    /// <summary>Whether the copy engine can read the operands where they are.</summary>
    public static bool Takes(in GemmOperands operands) => (((long)operands.A | operands.B) & (Alignment - 1)) == 0;

    /// <summary>Launches one product of the stack; <paramref name="variant"/>'s tile is one of <see cref="GemmPlan.WarpgroupTiles"/>.</summary>
    /// <param name="groups">Groups at most.</param>
    public static void Run<TWord, TFormat>(Accelerator accelerator, in GemmProblem problem, nint a, nint b, int groups, GemmArguments<TWord> arguments, GemmVariant variant)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        GemmTile tile = variant.Tile;
        TensorMap mapA = Map(accelerator, problem, "A", a, problem.M, problem.LeadingA, problem.TransposeA, tile.M);
        TensorMap mapB = Map(accelerator, problem, "B", b, problem.N, problem.LeadingB, !problem.TransposeB, tile.N);
        Kernel kernel = problem.Precision == GemmPrecision.Half ? Choose<HalfWarpgroup, TWord, TFormat>(tile) : Choose<BFloat16Warpgroup, TWord, TFormat>(tile);
        int items = checked(arguments.TilesM * arguments.TilesN * arguments.Parts);
        accelerator.Launch(kernel, new LaunchShape(Math.Min(items, groups), WarpgroupGemm.Threads), mapA, mapB, arguments, variant);
    }

    private static Kernel Choose<TOperand, TWord, TFormat>(GemmTile tile)
        where TOperand : struct, IWarpgroupOperand
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord> => tile.N switch
        {
            256 => Kernels<TOperand, N128, TWord, TFormat>.Value,
            192 => Kernels<TOperand, N96, TWord, TFormat>.Value,
            128 => Kernels<TOperand, N64, TWord, TFormat>.Value,
            _ => throw new CaldException($"matrix product: blocks of {tile} are not known to warpgroups; use one of {string.Join(", ", GemmPlan.WarpgroupTiles)}"),
        };

    /// <summary>An operand of <paramref name="extent"/> × K elements, or K × <paramref name="extent"/>.</summary>
    private static TensorMap Map(Accelerator accelerator, in GemmProblem problem, string name, nint address, int extent, int leading, bool isTransposed, int block)
    {
        long stride = (long)leading * problem.Precision.ElementBytes();
        if (problem.Precision is not (GemmPrecision.BFloat16 or GemmPrecision.Half) || problem.K < 1 || address % Alignment != 0 || stride % Alignment != 0)
        {
            throw new CaldException($"matrix product: operand {name} of {problem.Precision} at address {address:x} with rows of {stride} bytes, sums of {problem.K}; warpgroups multiply BFloat16 and Half, addresses and rows are multiples of {Alignment} bytes, sums not empty");
        }

        TensorElement element = problem.Precision == GemmPrecision.Half ? TensorElement.Half : TensorElement.BFloat16;
        return isTransposed
            ? TensorMap.Create(accelerator, address, element, [extent, problem.K], [stride], [WarpgroupGemm.Depth, WarpgroupGemm.Depth], TensorSwizzle.Bytes128)
            : TensorMap.Create(accelerator, address, element, [problem.K, extent], [stride], [WarpgroupGemm.Depth, block], TensorSwizzle.Bytes128);
    }

    private static bool IsAligned(long elements, GemmPrecision precision) => elements * precision.ElementBytes() % Alignment == 0;

    private static class Kernels<TOperand, TCount, TWord, TFormat>
        where TOperand : struct, IWarpgroupOperand
        where TCount : struct, ICount
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        public static readonly Kernel Value = Kernel.Of(WarpgroupGemm.Run<TOperand, TCount, TWord, TFormat>);
    }
}
