using System.Collections.Concurrent;
using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>The attention kernels for one precision and one size of heads, and how many rows a group of each owns.</summary>
internal sealed record FlashKernels
{
    /// <summary>Threads of a group of every kernel here but <see cref="RowDots"/>.</summary>
    public const int Threads = 128;

    private static readonly ConcurrentDictionary<(GemmPrecision Precision, int Blocks), FlashKernels> s_all = [];

    public required Kernel Forward { get; init; }

    public required int ForwardQueries { get; init; }

    public required Kernel QueryGradient { get; init; }

    public required int QueryGradientQueries { get; init; }

    public required Kernel KeyGradient { get; init; }

    public required int KeyGradientKeys { get; init; }

    /// <summary>Whether the gradients of keys and values need a launch each, since the accumulators of both do not fit.</summary>
    public required bool PartByPart { get; init; }

    public required Kernel RowDots { get; init; }

    /// <summary>The kernels for heads of 1 … 256 columns.</summary>
    /// <exception cref="CaldException">Larger heads.</exception>
    public static FlashKernels For(GemmPrecision precision, int headSize)
    {
        int blocks = headSize switch
        {
            <= 16 => 2,
            <= 32 => 4,
            <= 64 => 8,
            <= 96 => 12,
            <= 128 => 16,
            <= 256 => 32,
            _ => throw new CaldException($"Attention: heads of {headSize} columns; the GPU kernels take up to 256. Use more heads."),
        };
        return s_all.GetOrAdd((precision, blocks), static key => Make(key.Precision, key.Blocks));
    }

    private static FlashKernels Make(GemmPrecision precision, int blocks) => precision switch
    {
        GemmPrecision.Float32 => MakeWide<FmaProduct>(blocks),
        GemmPrecision.TensorFloat32 => MakeWide<TensorFloat32Product>(blocks),
        GemmPrecision.BFloat16 => MakeNarrow<PairProduct<BFloat16Pairs>>(blocks),
        GemmPrecision.Half => MakeNarrow<PairProduct<HalfPairs>>(blocks),
        _ => throw new CaldException($"Attention: the GPU has no kernels for {precision}; use Float32, TensorFloat32, BFloat16 or Half."),
    };

    // block counts are bounded by 255 registers a thread and, for float32, by 227 KiB of shared memory
    private static FlashKernels MakeWide<TProduct>(int blocks)
        where TProduct : struct, ITileProduct<float> => blocks switch
        {
            2 => Make<TProduct, float, N2, N4, N1, N4, N2, N4, N2>(),
            4 => Make<TProduct, float, N2, N4, N1, N4, N2, N4, N4>(),
            8 => Make<TProduct, float, N2, N4, N1, N4, N2, N4, N8>(),
            12 => Make<TProduct, float, N2, N4, N1, N4, N1, N4, N12>(),
            16 => Make<TProduct, float, N1, N4, N1, N4, N1, N4, N16>(),
            _ => Make<TProduct, float, N1, N4, N1, N2, N1, N2, N32>(true),
        };

    private static FlashKernels MakeNarrow<TProduct>(int blocks)
        where TProduct : struct, ITileProduct<ushort> => blocks switch
        {
            2 => Make<TProduct, ushort, N2, N8, N2, N4, N2, N4, N2>(),
            4 => Make<TProduct, ushort, N2, N8, N2, N4, N2, N4, N4>(),
            8 => Make<TProduct, ushort, N2, N8, N2, N4, N2, N4, N8>(),
            12 => Make<TProduct, ushort, N2, N8, N1, N4, N2, N4, N12>(),
            16 => Make<TProduct, ushort, N2, N4, N1, N4, N1, N4, N16>(),
            _ => Make<TProduct, ushort, N1, N8, N1, N4, N1, N4, N32>(true),
        };

    private static FlashKernels Make<TProduct, T, TForwardM, TForwardN, TKeyM, TKeyN, TQueryM, TQueryN, TD>(bool partByPart = false)
        where TProduct : struct, ITileProduct<T>
        where T : unmanaged
        where TForwardM : struct, ICount
        where TForwardN : struct, ICount
        where TKeyM : struct, ICount
        where TKeyN : struct, ICount
        where TQueryM : struct, ICount
        where TQueryN : struct, ICount
        where TD : struct, ICount => new()
        {
            Forward = Kernel.Of(FlashForward.Run<TProduct, T, TForwardM, TForwardN, TD>),
            ForwardQueries = 64 * TForwardM.Value,
            KeyGradient = Kernel.Of(FlashKeyGradient.Run<TProduct, T, TKeyM, TKeyN, TD>),
            KeyGradientKeys = 64 * TKeyM.Value,
            QueryGradient = Kernel.Of(FlashQueryGradient.Run<TProduct, T, TQueryM, TQueryN, TD>),
            QueryGradientQueries = 64 * TQueryM.Value,
            RowDots = Kernel.Of(FlashRowDots.Run<TProduct, T>),
            PartByPart = partByPart,
        };
}

/// <summary>1.</summary>
internal readonly struct N1 : ICount
{
    public static int Value => 1;
}

/// <summary>12.</summary>
internal readonly struct N12 : ICount
{
    public static int Value => 12;
}
