using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// The dropout mask of a tile of probabilities as bits in shared memory: bit j of a row is 1 where the key at <c>firstKey</c> + j is kept. Element
/// ((b · Heads + h) · QueryLength + i) · KeyLength + j is kept when that word of the <see cref="Philox"/> stream is at least the threshold.
/// </summary>
/// <remarks>
/// One Philox call makes the words at l, l + 16, l + 32, l + 48 of a group of 64, so half a warp makes a group and votes turn it into bits: no word is made
/// twice or thrown away. A row that does not start at a multiple of 64 needs two groups for 64 keys.
/// </remarks>
internal static class DropoutBits
{
    /// <summary>Fills <paramref name="rows"/> rows (even) of 64 · <paramref name="segments"/> bits by all warps of the group; a barrier must follow.</summary>
    /// <param name="bits">Row r's segment s at r · segments + s; X has the lower 32 bits.</param>
    public static void Make(Shared<UInt2> bits, int rows, int segments, int batchHead, int firstQuery, int firstKey, AttentionSizes sizes, ulong stream) =>
        Make(bits, rows, segments, batchHead, firstQuery, firstKey, sizes, stream, Warp.Index, Group.Size / Warp.Size);

    /// <summary>The same by some warps.</summary>
    /// <param name="warp">This one, 0 … <paramref name="warps"/> − 1.</param>
    public static void Make(
        Shared<UInt2> bits, int rows, int segments, int batchHead, int firstQuery, int firstKey, AttentionSizes sizes, ulong stream, int warp, int warps)
    {
        int half = Warp.Lane >> 4;
        uint lane = (uint)Warp.Lane & 15;
        ulong head = (ulong)batchHead * (ulong)sizes.QueryLength;
        for (int pair = warp; pair < rows * segments / 2; pair += warps)
        {
            Loop.Keep();
            int item = (2 * pair) + half, row = item / segments, segment = item % segments;
            ulong first = ((head + (ulong)(firstQuery + row)) * (ulong)sizes.KeyLength) + (ulong)(firstKey + (64 * segment));
            ulong group = first >> 6;
            int shift = (int)first & 63;
            ulong low = Votes(group, lane, half, sizes, stream), kept = low;
            if (Warp.Any(shift != 0))
            {
                ulong high = Votes(group + 1, lane, half, sizes, stream);
                kept = shift == 0 ? low : (low >> shift) | (high << (64 - shift));
            }

            if (lane == 0)
            {
                bits[item] = new UInt2((uint)kept, (uint)(kept >> 32));
            }
        }
    }

    private static ulong Votes(ulong group, uint lane, int half, AttentionSizes sizes, ulong stream)
    {
        ulong block = (group << 4) + lane;
        UInt4 words = DevicePhilox.Block(sizes.Key.Seed, stream, block);
        uint v0 = Warp.Ballot(words.X >= sizes.Threshold), v1 = Warp.Ballot(words.Y >= sizes.Threshold);
        uint v2 = Warp.Ballot(words.Z >= sizes.Threshold), v3 = Warp.Ballot(words.W >= sizes.Threshold);
        uint lower = half == 0 ? (v0 & 0xFFFF) | (v1 << 16) : (v0 >> 16) | (v1 & 0xFFFF0000);
        uint upper = half == 0 ? (v2 & 0xFFFF) | (v3 << 16) : (v2 >> 16) | (v3 & 0xFFFF0000);
        return lower | ((ulong)upper << 32);
    }
}
