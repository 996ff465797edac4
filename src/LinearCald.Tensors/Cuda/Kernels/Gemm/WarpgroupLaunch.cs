using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>What launching <see cref="WarpgroupGemm"/> takes: its kernel, and the maps of the operands.</summary>
internal static class WarpgroupLaunch
{
    /// <summary>What the copy engine asks of addresses and of rows, in bytes.</summary>
    private const int Alignment = 16;

    /// <summary>Launches one product of the stack; <paramref name="variant"/>'s tile is one of <see cref="GemmPlan.WarpgroupTiles"/>.</summary>
    public static void Run<TWord, TFormat>(Accelerator accelerator, in GemmProblem problem, nint a, nint b, int parts, GemmArguments<TWord> arguments, GemmVariant variant)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        GemmTile tile = variant.Tile;
        TensorMap mapA = Map(accelerator, problem, "A", a, problem.M, problem.LeadingA, problem.TransposeA, tile.M);
        TensorMap mapB = Map(accelerator, problem, "B", b, problem.N, problem.LeadingB, !problem.TransposeB, tile.N);
        bool isHalf = problem.Precision == GemmPrecision.Half;
        Kernel kernel = tile.N switch
        {
            256 => isHalf ? Kernels<HalfWarpgroup, N128, TWord, TFormat>.Value : Kernels<BFloat16Warpgroup, N128, TWord, TFormat>.Value,
            128 => isHalf ? Kernels<HalfWarpgroup, N64, TWord, TFormat>.Value : Kernels<BFloat16Warpgroup, N64, TWord, TFormat>.Value,
            _ => throw new CaldException($"matrix product: blocks of {tile} are not known to warpgroups; use one of {string.Join(", ", GemmPlan.WarpgroupTiles)}"),
        };
        accelerator.Launch(kernel, new LaunchShape(new Index3(arguments.TilesM * arguments.TilesN, parts, 1), WarpgroupGemm.Threads), mapA, mapB, arguments, variant);
    }

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

    private static class Kernels<TOperand, TCount, TWord, TFormat>
        where TOperand : struct, IWarpgroupOperand
        where TCount : struct, ICount
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        public static readonly Kernel Value = Kernel.Of(WarpgroupGemm.Run<TOperand, TCount, TWord, TFormat>);
    }
}
