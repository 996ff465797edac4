using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// <see cref="Philox"/> in kernels: the same words for the same seed, stream and index. Word i of a stream is word (i mod 64) / 16 of block
/// 16 · (i / 64) + i mod 16, so whoever wants neighbouring words of one quarter of a group makes neighbouring blocks.
/// </summary>
internal static class DevicePhilox
{
    private const int Rounds = 10;

    /// <summary>The four words of a block.</summary>
    public static UInt4 Block(ulong seed, ulong stream, ulong block)
    {
        uint c0 = (uint)block, c1 = (uint)(block >> 32), c2 = (uint)stream, c3 = (uint)(stream >> 32);
        uint k0 = (uint)seed, k1 = (uint)(seed >> 32);
        for (int round = 0; round < Rounds; round++)
        {
            ulong p0 = (ulong)0xD2511F53u * c0;
            ulong p1 = (ulong)0xCD9E8D57u * c2;
            c0 = (uint)(p1 >> 32) ^ c1 ^ k0;
            c1 = (uint)p1;
            c2 = (uint)(p0 >> 32) ^ c3 ^ k1;
            c3 = (uint)p0;
            k0 += 0x9E3779B9u;
            k1 += 0xBB67AE85u;
        }

        return new UInt4(c0, c1, c2, c3);
    }

    /// <summary>Word <paramref name="index"/> of a stream, made alone: a whole block's work.</summary>
    public static uint Word(ulong seed, ulong stream, ulong index)
    {
        UInt4 words = Block(seed, stream, ((index >> 6) << 4) | (index & 15));
        uint quarter = (uint)(index >> 4) & 3;
        uint low = quarter == 0 ? words.X : words.Y;
        uint high = quarter == 2 ? words.Z : words.W;
        return quarter < 2 ? low : high;
    }
}
