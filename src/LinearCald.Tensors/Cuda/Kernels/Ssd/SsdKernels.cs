using System.Collections.Concurrent;
using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>The kernels of the scan for one precision, one size of the state and one width of a block of features.</summary>
internal sealed record SsdKernels
{
    private static readonly ConcurrentDictionary<(GemmPrecision Precision, int StateBlocks, int FeatureBlocks), SsdKernels> s_all = [];

    /// <summary>Sums by head, of any precision.</summary>
    public static Kernel SumHeads { get; } = Kernel.Of(SsdSumKernels.Heads);

    public required Kernel Forward { get; init; }

    public required Kernel Backward { get; init; }

    public required Kernel Ends { get; init; }

    public required Kernel Step { get; init; }

    /// <param name="stateSize">1 … 128.</param>
    /// <param name="columns">Most features of a group: 16, 32 or 64.</param>
    /// <exception cref="CaldException">A larger state.</exception>
    public static SsdKernels For(GemmPrecision precision, int stateSize, int columns)
    {
        int blocks = stateSize switch
        {
            <= 64 => 1,
            <= 128 => 2,
            _ => throw new CaldException($"SsdScan: states of {stateSize} numbers a feature; the GPU kernels take up to 128. Use a smaller state, or --device cpu."),
        };
        return s_all.GetOrAdd((precision, blocks, columns / 8), static key => Make(key.Precision, key.StateBlocks, key.FeatureBlocks));
    }

    private static SsdKernels Make(GemmPrecision precision, int stateBlocks, int featureBlocks) => precision switch
    {
        GemmPrecision.Float32 or GemmPrecision.TensorFloat32 => Make<FmaProduct, float>(stateBlocks, featureBlocks), // the products are not what takes the time
        GemmPrecision.BFloat16 => Make<PairProduct<BFloat16Pairs>, ushort>(stateBlocks, featureBlocks),
        _ => Make<PairProduct<HalfPairs>, ushort>(stateBlocks, featureBlocks),
    };

    private static SsdKernels Make<TProduct, T>(int stateBlocks, int featureBlocks)
        where TProduct : struct, ITileProduct<T>
        where T : unmanaged => (stateBlocks, featureBlocks) switch
        {
            (1, 2) => Make<TProduct, T, N1, N2>(),
            (1, 4) => Make<TProduct, T, N1, N4>(),
            (1, _) => Make<TProduct, T, N1, N8>(),
            (_, 2) => Make<TProduct, T, N2, N2>(),
            (_, 4) => Make<TProduct, T, N2, N4>(),
            _ => Make<TProduct, T, N2, N8>(),
        };

    private static SsdKernels Make<TProduct, T, TS, TP>()
        where TProduct : struct, ITileProduct<T>
        where T : unmanaged
        where TS : struct, ICount
        where TP : struct, ICount => new()
        {
            Forward = Kernel.Of(SsdForwardKernel.Run<TProduct, T, TS, TP>),
            Backward = Kernel.Of(SsdBackwardKernel.Run<TProduct, T, TS, TP>),
            Ends = Kernel.Of(SsdEndsKernel.Run<TProduct, T, TS, TP>),
            Step = Kernel.Of(SsdStepKernel.Run<TProduct, T>),
        };
}
