using System.Numerics;
using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// A stable sort of ids with their positions, by counting eight bits at a time from the lowest. A pass: every group counts the digits of its chunk; one
/// group turns counts into places; every group moves its chunk, each element to the place that elements of smaller digits, of earlier chunks and of
/// earlier threads leave it. Stable, so the result does not depend on which thread came first. A pass reads and writes 16 bytes an id, all of it in the cache.
/// </summary>
internal static class IdOrderKernels
{
    /// <summary>Threads of a group of counting and moving: one a digit.</summary>
    public const int Threads = 256;

    /// <summary>Values of a digit.</summary>
    public const int Digits = 256;

    /// <summary>Ids of a chunk.</summary>
    public const int Chunk = 2048;

    /// <summary>Threads of the one group that scans.</summary>
    public const int ScanThreads = 1024;

    private const int Warps = Threads / Warp.Size;

    /// <summary>keys[i] = ids[i], or <paramref name="rows"/> for those to leave out; positions[i] = i.</summary>
    [Kernel(Name = "ids_start")]
    public static void Start(ReadOnlyView<int> ids, View<int> keys, View<int> positions, int count, int rows, int padding)
    {
        int i = Grid.ThreadX;
        if (i < count)
        {
            int id = ids[i];
            keys[i] = (uint)id < (uint)rows && id != padding ? id : rows;
            positions[i] = i;
        }
    }

    /// <summary>counts[digit · chunks + chunk] = how often the chunk has the digit.</summary>
    [Kernel(Name = "ids_count")]
    public static void Count(ReadOnlyView<int> keys, View<int> counts, int count, int shift)
    {
        Shared<int> digits = Shared.Allocate<int>(Digits);
        digits[Group.IndexX] = 0;
        Group.Barrier();
        int first = Grid.IndexX * Chunk;
        for (int i = first + Group.IndexX; i < first + Chunk && i < count; i += Threads)
        {
            Atomic.Add(digits, (keys[i] >> shift) & (Digits - 1), 1);
        }

        Group.Barrier();
        counts[(Group.IndexX * Grid.SizeX) + Grid.IndexX] = digits[Group.IndexX];
    }

    /// <summary>counts[i] = Σ of those before i. One group.</summary>
    [Kernel(Name = "ids_scan")]
    public static void Scan(View<int> counts, int count)
    {
        Shared<int> warps = Shared.Allocate<int>(2 * ScanThreads / Warp.Size);
        int carry = 0, half = 0;
        for (int first = 0; first < count; first += ScanThreads)
        {
            int i = first + Group.IndexX;
            int value = i < count ? counts[i] : 0;
            int sum = value;
            for (int delta = 1; delta < Warp.Size; delta <<= 1)
            {
                int below = Warp.ShuffleUp(sum, delta);
                sum += Warp.Lane >= delta ? below : 0;
            }

            // Halves of the buffer take turns, so that one barrier a round is enough.
            if (Warp.Lane == Warp.Size - 1)
            {
                warps[half + Warp.Index] = sum;
            }

            Group.Barrier();
            int others = warps[half + Warp.Lane];
            int before = Warp.ReduceAdd(Warp.Lane < Warp.Index ? others : 0);
            int all = Warp.ReduceAdd(others);
            if (i < count)
            {
                counts[i] = carry + before + sum - value;
            }

            carry += all;
            half = (ScanThreads / Warp.Size) - half;
        }
    }

    /// <summary>Moves the chunk's keys and positions to the places in <paramref name="counts"/>.</summary>
    [Kernel(Name = "ids_move")]
    public static void Move(
        ReadOnlyView<int> keys, ReadOnlyView<int> positions, ReadOnlyView<int> counts, View<int> sortedKeys, View<int> sortedPositions, int count, int shift)
    {
        Shared<int> places = Shared.Allocate<int>(Digits);
        Shared<int> warpCounts = Shared.Allocate<int>(Warps * Digits);
        places[Group.IndexX] = counts[(Group.IndexX * Grid.SizeX) + Grid.IndexX];
        int first = Grid.IndexX * Chunk;
        uint below = (1u << Warp.Lane) - 1u;
        for (int round = 0; round < Chunk && first + round < count; round += Threads)
        {
            Loop.Keep();
            for (int w = 0; w < Warps; w++)
            {
                warpCounts[(w * Digits) + Group.IndexX] = 0;
            }

            Group.Barrier();
            int i = first + round + Group.IndexX;
            bool inside = i < count;
            int key = inside ? keys[i] : 0;
            int digit = (key >> shift) & (Digits - 1);

            // Lanes of the warp with the same digit: those that agree in all eight bits.
            uint peers = Warp.Ballot(inside);
            for (int bit = 0; bit < 8; bit++)
            {
                bool one = ((digit >> bit) & 1) != 0;
                uint ones = Warp.Ballot(one);
                peers &= one ? ones : ~ones;
            }

            int rank = BitOperations.PopCount(peers & below);
            if (inside && rank == 0)
            {
                warpCounts[(Warp.Index * Digits) + digit] = BitOperations.PopCount(peers);
            }

            Group.Barrier();

            // Thread d: places of digit d in each warp; then the next round's.
            int place = places[Group.IndexX];
            for (int w = 0; w < Warps; w++)
            {
                int own = warpCounts[(w * Digits) + Group.IndexX];
                warpCounts[(w * Digits) + Group.IndexX] = place;
                place += own;
            }

            places[Group.IndexX] = place;
            Group.Barrier();
            if (inside)
            {
                int target = warpCounts[(Warp.Index * Digits) + digit] + rank;
                sortedKeys[target] = key;
                sortedPositions[target] = positions[i];
            }

            Group.Barrier();
        }
    }
}
