using System.Numerics;
using LinearCald.Gpu.Debug;

namespace LinearCald.Gpu;

/// <summary>
/// Thirty-two threads that run together. Thread t of the group is lane t mod 32 of warp t / 32. Every operation here needs all lanes of the warp
/// to reach it together: put none under a condition that differs between lanes.
/// </summary>
public static class Warp
{
    /// <summary>Lanes of a warp.</summary>
    public const int Size = 32;

    /// <summary>This thread's lane, 0 … 31.</summary>
    public static int Lane
    {
        [Intrinsic]
        get => Debug.Lane.Current.Thread & 31;
    }

    /// <summary>The number of this warp in its group.</summary>
    public static int Index
    {
        [Intrinsic]
        get => Debug.Lane.Current.Thread >> 5;
    }

    /// <summary>The value of lane (own lane ^ mask). T is 4 or 8 bytes.</summary>
    [Intrinsic]
    public static T ShuffleXor<T>(T value, int mask)
        where T : unmanaged => Debug.Lane.Current.Shuffle(value, Lane ^ mask, ShuffleKind.Xor);

    /// <summary>The value of the lane <paramref name="delta"/> below; lanes with none below keep their own.</summary>
    [Intrinsic]
    public static T ShuffleUp<T>(T value, int delta)
        where T : unmanaged => Debug.Lane.Current.Shuffle(value, Lane < delta ? Lane : Lane - delta, ShuffleKind.Up);

    /// <summary>The value of the lane <paramref name="delta"/> above; lanes with none above keep their own.</summary>
    [Intrinsic]
    public static T ShuffleDown<T>(T value, int delta)
        where T : unmanaged => Debug.Lane.Current.Shuffle(value, Lane + delta > 31 ? Lane : Lane + delta, ShuffleKind.Down);

    /// <summary>The value of lane <paramref name="lane"/> mod 32.</summary>
    [Intrinsic]
    public static T Shuffle<T>(T value, int lane)
        where T : unmanaged => Debug.Lane.Current.Shuffle(value, lane & 31, ShuffleKind.Index);

    /// <summary>Bit i is the condition on lane i.</summary>
    [Intrinsic]
    public static uint Ballot(bool condition) => Debug.Lane.Current.Ballot(condition);

    /// <summary>Whether the condition holds on any lane.</summary>
    [Intrinsic]
    public static bool Any(bool condition) => Debug.Lane.Current.Ballot(condition) != 0;

    /// <summary>Whether the condition holds on every lane.</summary>
    [Intrinsic]
    public static bool All(bool condition) => Debug.Lane.Current.Ballot(!condition) == 0;

    /// <summary>Waits until all lanes are here; their shared-memory writes are then visible to each other.</summary>
    [Intrinsic]
    public static void Barrier() => Debug.Lane.Current.WarpBarrier();

    /// <summary>The sum over all lanes, on every lane (<c>redux.sync</c>).</summary>
    [Intrinsic]
    public static int ReduceAdd(int value) => Debug.Lane.Current.Reduce(value, static (a, b) => a + b);

    /// <summary>The smallest over all lanes, on every lane (<c>redux.sync</c>).</summary>
    [Intrinsic]
    public static int ReduceMin(int value) => Debug.Lane.Current.Reduce(value, Math.Min);

    /// <summary>The largest over all lanes, on every lane (<c>redux.sync</c>).</summary>
    [Intrinsic]
    public static int ReduceMax(int value) => Debug.Lane.Current.Reduce(value, Math.Max);

    /// <summary>The sum over the warp in a fixed tree of five exchanges; the same bits on every lane.</summary>
    public static T Sum<T>(T value)
        where T : unmanaged, IAdditionOperators<T, T, T>
    {
        for (int mask = 16; mask > 0; mask >>= 1)
            value += ShuffleXor(value, mask);

        return value;
    }

    /// <summary>The largest over the warp; NaN wins.</summary>
    public static float Max(float value)
    {
        for (int mask = 16; mask > 0; mask >>= 1)
            value = MathF.Max(value, ShuffleXor(value, mask));

        return value;
    }
}
