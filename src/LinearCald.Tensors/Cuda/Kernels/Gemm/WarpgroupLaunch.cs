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

    /// <summary>Elements of an operand that are copied for a product at most: 4 GiB. Recordings of hours should not need twice their memory.</summary>
    private const long MostCopied = 1L << 30;

    private const int Hopper = 90;

    /// <summary>Whether <see cref="Switch"/> leaves warpgroups on.</summary>
    public static bool IsOn { get; } = Environment.GetEnvironmentVariable(Switch) != "0";

    /// <summary>Whether the table may choose warpgroups for a product whose operands' addresses are multiples of 16.</summary>
    public static bool Takes(in GemmProblem problem, DeviceLimits limits) =>
        IsOn
        && limits.Capability == Hopper
        && (problem.Precision is GemmPrecision.BFloat16 or GemmPrecision.Half or GemmPrecision.TensorFloat32 || (problem.Precision == GemmPrecision.TwoBFloat16 && TakesTerms(problem)))
        && problem.Inner == 1
        && !CopiesTooMuch(problem)
        && (long)problem.M * problem.N * problem.K >= Fewest
        && IsAligned((uint)problem.LeadingA | (uint)problem.LeadingB | (problem.Batch > 1 ? problem.StrideA | problem.StrideB : 0), problem.Precision);

    /// <summary>Whether the copy engine can read the operands where they are.</summary>
    public static bool Takes(in GemmOperands operands) => (((long)operands.A | operands.B) & (Alignment - 1)) == 0;

    /// <summary>
    /// Whether <see cref="TermSplit"/> can split the operands as they lie, in one go each: what follows each other along k in rows, or rows in products, does so in whole
    /// multiples of its runs. Only sums of single products of operands that both lie across k may end within a run.
    /// </summary>
    public static bool TakesTerms(in GemmProblem problem) =>
        (problem.K % TermSplit.Run == 0 || (problem.TransposeA && !problem.TransposeB && problem.Batch == 1))
        && (problem.TransposeA ? LieAcross(problem, problem.M, problem.LeadingA, problem.StrideA) : LieAlong(problem.LeadingA, problem.StrideA))
        && (problem.TransposeB ? LieAlong(problem.LeadingB, problem.StrideB) : LieAcross(problem, problem.N, problem.LeadingB, problem.StrideB));

    /// <summary>Elements of A from the first to the last.</summary>
    public static long ElementsA(in GemmProblem problem) =>
        ((problem.Batch - 1) * problem.StrideA) + (((problem.TransposeA ? problem.K : problem.M) - 1L) * problem.LeadingA) + (problem.TransposeA ? problem.M : problem.K);

    /// <summary>The same of B.</summary>
    public static long ElementsB(in GemmProblem problem) =>
        ((problem.Batch - 1) * problem.StrideB) + (((problem.TransposeB ? problem.N : problem.K) - 1L) * problem.LeadingB) + (problem.TransposeB ? problem.K : problem.N);

    /// <summary>Whether A is copied along k before the product: warpgroups read tf32 in no other way.</summary>
    public static bool TurnsA(in GemmProblem problem) => problem.Precision == GemmPrecision.TensorFloat32 && problem.TransposeA;

    /// <summary>The same for B.</summary>
    public static bool TurnsB(in GemmProblem problem) => problem.Precision == GemmPrecision.TensorFloat32 && !problem.TransposeB;

    /// <summary>
    /// Copies matrices of K × <paramref name="extent"/> floats into such of extent × K, one after the other, whose rows are <see cref="TurnedLeading"/> long, in device memory that the
    /// caller frees. One if all products have the same.
    /// </summary>
    public static nint Turn(Accelerator accelerator, nint source, int extent, int k, int leading, int products, long stride)
    {
        int turned = TurnedLeading(k), count = stride == 0 ? 1 : products;
        nint copy = accelerator.Allocate((long)count * extent * turned * sizeof(float), "operands of matrix products, turned");
        Strides from = default, to = default;
        (from[0], from[1], from[2]) = (stride, 1, leading);
        (to[0], to[1], to[2]) = ((long)extent * turned, turned, 1);
        Copy.Run(accelerator, source, DType.Float32, from, copy, DType.Float32, to, new Shape(count, extent, k));
        return copy;
    }

    /// <summary>Elements from row to row of a turned operand.</summary>
    public static int TurnedLeading(int k) => (k + 3) & ~3;

    /// <summary>Launches the products of a stack; <paramref name="variant"/>'s tile is one of <see cref="GemmPlan.WarpgroupTiles"/>.</summary>
    /// <param name="groups">Groups at most.</param>
    public static void Run<TWord, TFormat>(Accelerator accelerator, in GemmProblem problem, nint a, nint b, int groups, GemmArguments<TWord> arguments, GemmVariant variant)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        GemmTile tile = variant.Tile;
        TensorMap mapA = Map(accelerator, problem, "A", a, problem.M, problem.LeadingA, problem.TransposeA, tile.M, variant.Output.Stacked, arguments.Products, problem.StrideA);
        TensorMap mapB = Map(accelerator, problem, "B", b, problem.N, problem.LeadingB, !problem.TransposeB, tile.N, variant.Output.Stacked, arguments.Products, problem.StrideB);
        Kernel kernel = problem.Precision switch
        {
            GemmPrecision.Half => Choose<HalfWarpgroup, TWord, TFormat>(tile),
            GemmPrecision.TensorFloat32 => Choose<TensorFloat32Warpgroup, TWord, TFormat>(tile),
            _ => Choose<BFloat16Warpgroup, TWord, TFormat>(tile),
        };
        int items = checked(arguments.TilesM * arguments.TilesN * arguments.Parts * arguments.Products);
        accelerator.Launch(kernel, new LaunchShape(Math.Min(items, groups), WarpgroupGemm.Threads), mapA, mapB, arguments, variant);
    }

    private static Kernel Choose<TOperand, TWord, TFormat>(GemmTile tile)
        where TOperand : struct, IWarpgroupElement
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord> => tile.N switch
        {
            256 => Kernels<TOperand, N128, TWord, TFormat>.Value,
            192 => Kernels<TOperand, N96, TWord, TFormat>.Value,
            128 => Kernels<TOperand, N64, TWord, TFormat>.Value,
            _ => throw new CaldException($"matrix product: blocks of {tile} are not known to warpgroups; use one of {string.Join(", ", GemmPlan.WarpgroupTiles)}"),
        };

    /// <summary>An operand of <paramref name="extent"/> × K elements, or K × <paramref name="extent"/>.</summary>
    private static TensorMap Map(
        Accelerator accelerator, in GemmProblem problem, string name, nint address, int extent, int leading, bool isTransposed, int block, bool isStacked, int products, long productStride)
    {
        GemmPrecision precision = problem.Precision;
        int bytes = precision.ElementBytes(), k = problem.K;
        long stride = (long)leading * bytes;
        TensorElement element = precision switch
        {
            GemmPrecision.BFloat16 => TensorElement.BFloat16,
            GemmPrecision.Half => TensorElement.Half,
            GemmPrecision.TensorFloat32 when !isTransposed => TensorElement.TensorFloat32,
            _ => throw Unfit(),
        };
        if (problem.K < 1 || address % Alignment != 0 || stride % Alignment != 0 || (isStacked && productStride * bytes % Alignment != 0))
        {
            throw Unfit();
        }

        ReadOnlySpan<int> box = isTransposed ? [WarpgroupGemm.BoxExtent, WarpgroupGemm.BoxExtent, 1] : [WarpgroupGemm.DepthBytes / bytes, block, 1];
        (long inner, long outer) = isTransposed ? (extent, k) : (k, extent);

        // One operand of all products is a stack of one.
        ReadOnlySpan<long> extents = [inner, outer, productStride == 0 ? 1 : products], strides = [stride, productStride == 0 ? Alignment : productStride * bytes];
        int rank = isStacked ? 3 : 2;
        return TensorMap.Create(accelerator, address, element, extents[..rank], strides[..(rank - 1)], box[..rank], TensorSwizzle.Bytes128);

        CaldException Unfit() => new(
            $"matrix product: operand {name} of {precision} at address {address:x} with rows of {stride} bytes{(isTransposed ? ", transposed" : string.Empty)}, sums of {k}; warpgroups multiply BFloat16, Half and TensorFloat32 that is not transposed, addresses and rows are multiples of {Alignment} bytes, sums not empty");
    }

    private static bool CopiesTooMuch(in GemmProblem problem) => problem.Precision == GemmPrecision.TwoBFloat16
        ? Math.Max(ElementsA(problem), ElementsB(problem)) > MostCopied
        : (TurnsA(problem) && (double)problem.M * problem.K * problem.Batch > MostCopied) || (TurnsB(problem) && (double)problem.N * problem.K * problem.Batch > MostCopied);

    private static bool LieAlong(int leading, long stride) => leading % TermSplit.Run == 0 && stride % TermSplit.Run == 0;

    private static bool LieAcross(in GemmProblem problem, int extent, int leading, long stride) =>
        extent % 8 == 0 && leading % 8 == 0 && leading >= extent && leading <= int.MaxValue / TermSplit.Run && (problem.Batch == 1 || stride == 0 || stride == (long)problem.K * leading);

    private static bool IsAligned(long elements, GemmPrecision precision) => elements * precision.ElementBytes() % Alignment == 0;

    private static class Kernels<TOperand, TCount, TWord, TFormat>
        where TOperand : struct, IWarpgroupElement
        where TCount : struct, ICount
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        public static readonly Kernel Value = Kernel.Of(WarpgroupGemm.Run<TOperand, TCount, TWord, TFormat>);
    }
}
