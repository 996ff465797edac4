using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>The mask of <see cref="Cpu.DropoutMask{T}"/>: element i is dropped when word i of the <see cref="Philox"/> stream is below the threshold.</summary>
/// <param name="Key">Names the stream.</param>
/// <param name="Threshold">p · 2³², rounded.</param>
/// <param name="Kept">1 / (1 − p), the factor of what is kept.</param>
internal readonly record struct RowDropout(DeviceRandomKey Key, uint Threshold, float Kept)
{
    /// <summary>The mask of a probability and a key.</summary>
    public static RowDropout For(double p, DeviceRandomKey key) =>
        new(key, (uint)Math.Min(uint.MaxValue, Math.Round(p * 4294967296.0)), (float)(1 / (1 - p)));
}

/// <summary>
/// Applies a mask to a tile. One Philox call makes the words l, l + 16, l + 32, l + 48 of a group of 64 elements; a thread that holds neighbours needs one
/// of each. So each half of a warp makes the words of one group, and votes hand the bits to all: as many calls as the warp has elements, over 4.
/// </summary>
internal static class RowDropoutMask<TWord, TFormat, TTeam, TCount>
    where TWord : unmanaged
    where TFormat : struct, IElementFormat<TWord>
    where TTeam : struct, IRowTeam
    where TCount : struct, ICount
{
    private const int GroupSize = 64;

    /// <summary>x ← x · factor.</summary>
    /// <param name="stream">The key's stream, read once.</param>
    /// <param name="start">The index of the row's first element in the whole matrix.</param>
    /// <param name="wholeGroups">Every row starts at a multiple of 64 elements; known to the compiler.</param>
    public static void Apply(RowDropout dropout, ulong stream, long start, int first, RowAccess access, bool wholeGroups, ref Registers<float, TCount> x)
    {
        if (access == RowAccess.Scalar)
        {
            for (int i = 0; i < TCount.Value; i++)
            {
                ulong element = (ulong)(start + RowTile<TWord, TFormat, TTeam, TCount>.ColumnOf(first, i, access));
                x[i] *= DevicePhilox.Word(dropout.Key.Seed, stream, element) >= dropout.Threshold ? dropout.Kept : 0f;
            }
        }
        else
        {
            for (int v = 0; v < TCount.Value / TFormat.Lanes; v++)
            {
                uint kept = KeptOfVector(dropout, stream, start + RowTile<TWord, TFormat, TTeam, TCount>.ColumnOf(first, v * TFormat.Lanes, access), wholeGroups);
                for (int l = 0; l < TFormat.Lanes; l++)
                {
                    x[(v * TFormat.Lanes) + l] *= (kept & (1u << l)) != 0 ? dropout.Kept : 0f;
                }
            }
        }
    }

    // The bits of this thread's vector. The warp's 32 vectors follow one another; none straddles two groups, as groups start at multiples of a vector.
    private static uint KeptOfVector(RowDropout dropout, ulong stream, long element, bool wholeGroups)
    {
        long warpFirst = element - (Warp.Lane * TFormat.Lanes);
        ulong group = (ulong)warpFirst / GroupSize;
        int offset = (int)(element - (long)(group * GroupSize));
        uint result = 0;
        int calls = (TFormat.Lanes / 4) + (wholeGroups ? 0 : 1);
        for (int call = 0; call < calls; call++)
        {
            uint half = (uint)Warp.Lane >> 4;
            ulong block = ((group + (2 * (uint)call) + half) * 16) + ((uint)Warp.Lane & 15);
            UInt4 words = DevicePhilox.Block(dropout.Key.Seed, stream, block);
            uint v0 = Warp.Ballot(words.X >= dropout.Threshold);
            uint v1 = Warp.Ballot(words.Y >= dropout.Threshold);
            uint v2 = Warp.Ballot(words.Z >= dropout.Threshold);
            uint v3 = Warp.Ballot(words.W >= dropout.Threshold);

            // Bits of vote k: elements 16 k … 16 k + 15 of the first group, then of the second.
            int within = offset - (2 * GroupSize * call);
            int quarter = (within >> 4) & 3;
            uint vote = quarter == 0 ? v0 : quarter == 1 ? v1 : quarter == 2 ? v2 : v3;
            int shift = (within & 15) + ((within >> 6) << 4);
            result = within >= 0 && within < 2 * GroupSize ? vote >> (shift & 31) : result;
        }

        return result;
    }
}
