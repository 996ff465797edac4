using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>What the attention kernels are told at launch. q, y and their gradients are [B, QueryLength, Width], k, v and theirs [B, KeyLength, Width].</summary>
internal struct AttentionSizes
{
    public int Heads;
    public int QueryLength;
    public int KeyLength;

    /// <summary>Heads · HeadSize.</summary>
    public int Width;

    /// <summary>Factor of the scores; above 0.</summary>
    public float Scale;

    /// <summary>Scale · log₂ e.</summary>
    public float Scale2;

    /// <summary>Random words below it drop their probability.</summary>
    public uint Threshold;

    /// <summary>Factor of kept probabilities; 1 without dropout.</summary>
    public float Kept;

    /// <summary>Names the dropout mask; with dropout only.</summary>
    public DeviceRandomKey Key;

    /// <summary>Keys before the first query's own: query i sees keys up to i + this where causal.</summary>
    public readonly int Offset => KeyLength - QueryLength;

    /// <summary>First element of a head's row in a tensor of <paramref name="length"/> rows a sample.</summary>
    public readonly long Origin(int batchHead, int length, int row, int headSize) =>
        ((((long)(batchHead / Heads) * length) + row) * Width) + (batchHead % Heads * headSize);
}

/// <summary>What the attention kernels are compiled for.</summary>
/// <param name="HeadSize">Columns of a head.</param>
/// <param name="Causal">Whether query i sees keys up to i + KeyLength − QueryLength only.</param>
/// <param name="HasLengths">Whether samples have their own numbers of keys.</param>
/// <param name="Dropout">Whether probabilities are dropped.</param>
/// <param name="Vectors">Whether heads start at, and are multiples of, 16 bytes in every tensor.</param>
/// <param name="Pairs">Whether heads start at, and are multiples of, two elements in every tensor.</param>
/// <param name="Whole">Whether every query sees every key of every block of keys, so that nothing has to be hidden.</param>
/// <param name="HasRest">Whether what rounding takes from y is written, and read by <see cref="FlashRowDots"/>.</param>
internal readonly record struct AttentionTraits(int HeadSize, bool Causal, bool HasLengths, bool Dropout, bool Vectors, bool Pairs, bool HasRest = false, bool Whole = false)
{
    /// <summary>Visible keys of a sample, before causal order.</summary>
    public int KeysOf(ReadOnlyView<int> lengths, int sample, int keyLength) => HasLengths ? Math.Clamp(lengths[sample], 0, keyLength) : keyLength;
}

/// <summary>Constants of the softmax in powers of two.</summary>
internal static class Base2
{
    /// <summary>log₂ e.</summary>
    public const float Log2E = 1.44269504088896341f;

    /// <summary>ln 2.</summary>
    public const float Ln2 = 0.693147180559945309f;
}
