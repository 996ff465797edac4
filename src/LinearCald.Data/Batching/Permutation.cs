using LinearCald.Tensors;

namespace LinearCald.Data.Batching;

/// <summary>
/// Random orders that are pure functions of (seed, epoch, purpose): Fisher–Yates, whose draw number i is 64 bits of the Philox block at
/// counter (i, purpose, epoch, tag) under the key seed, brought to 0 … i by a multiplication (bias below 2⁻³²).
/// </summary>
internal static class Permutation
{
    /// <summary>What an order is for; each has its own numbers.</summary>
    public enum Purpose : uint
    {
        Examples,
        Batches,
        Sample,
        EasyExamples,
        EasyBatches,
    }

    // The upper half of a Philox stream number. Other users of the generator count their streams from 0 and do not come here.
    private const uint Tag = 0x4F524452;

    /// <summary>Puts <paramref name="items"/> into a random order, in place.</summary>
    public static void Shuffle<T>(Span<T> items, ulong seed, int epoch, Purpose purpose)
    {
        for (int i = items.Length - 1; i > 0; i--)
        {
            (uint low, uint high, _, _) = Philox.Block(((uint)i, (uint)purpose, (uint)epoch, Tag), ((uint)seed, (uint)(seed >> 32)));
            int j = (int)Math.BigMul(((ulong)high << 32) | low, (ulong)i + 1, out _);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }
}
