using LinearCald.Gpu.Debug;

namespace LinearCald.Gpu;

/// <summary>
/// The threads that share a multiprocessor, its shared memory and barriers (CUDA's block, ILGPU's group). Its size is known when the kernel
/// is compiled.
/// </summary>
public static class Group
{
    /// <summary>This thread's index along x.</summary>
    public static int IndexX
    {
        [Intrinsic]
        get => Lane.Current.GroupIndex.X;
    }

    /// <summary>This thread's index along y.</summary>
    public static int IndexY
    {
        [Intrinsic]
        get => Lane.Current.GroupIndex.Y;
    }

    /// <summary>This thread's index along z.</summary>
    public static int IndexZ
    {
        [Intrinsic]
        get => Lane.Current.GroupIndex.Z;
    }

    /// <summary>Threads along x; a constant to the compiler.</summary>
    public static int SizeX
    {
        [Intrinsic]
        get => Lane.Current.GroupSize.X;
    }

    /// <summary>Threads along y; a constant to the compiler.</summary>
    public static int SizeY
    {
        [Intrinsic]
        get => Lane.Current.GroupSize.Y;
    }

    /// <summary>Threads along z; a constant to the compiler.</summary>
    public static int SizeZ
    {
        [Intrinsic]
        get => Lane.Current.GroupSize.Z;
    }

    /// <summary>All threads of the group.</summary>
    public static int Size => SizeX * SizeY * SizeZ;

    /// <summary>This thread's number in the group, x fastest.</summary>
    public static int Thread
    {
        [Intrinsic]
        get => Lane.Current.Thread;
    }

    /// <summary>Waits until every thread of the group is here; what they wrote to shared and global memory is then visible to all of the group.</summary>
    [Intrinsic]
    public static void Barrier() => Lane.Current.Barrier(0, 0);

    /// <summary>Waits until <paramref name="threads"/> threads are at barrier <paramref name="id"/> (1 … 15; both known to the compiler, threads a multiple of 32).</summary>
    [Intrinsic]
    public static void Barrier(int id, int threads) => Lane.Current.Barrier(id, threads);

    /// <summary>Counts this thread at a named barrier without waiting.</summary>
    [Intrinsic]
    public static void Arrive(int id, int threads) => Lane.Current.Arrive(id, threads);

    /// <summary>A barrier that returns whether the condition held on any thread.</summary>
    [Intrinsic]
    public static bool BarrierOr(bool condition) => Lane.Current.BarrierCount(condition) > 0;

    /// <summary>A barrier that returns whether the condition held on every thread.</summary>
    [Intrinsic]
    public static bool BarrierAnd(bool condition) => Lane.Current.BarrierCount(!condition) == 0;

    /// <summary>A barrier that returns on how many threads the condition held.</summary>
    [Intrinsic]
    public static int BarrierCount(bool condition) => Lane.Current.BarrierCount(condition);

    /// <summary>Makes this thread's writes to global memory visible to the whole device before its later ones.</summary>
    [Intrinsic]
    public static void FenceDevice() => Lane.Fence();

    /// <summary>Makes this thread's writes visible to its group before its later ones.</summary>
    [Intrinsic]
    public static void FenceGroup() => Lane.Fence();

    /// <summary>
    /// Makes this thread's writes to shared memory visible to the copy engine and to <see cref="Wgmma"/> (<c>fence.proxy.async</c>): every writer calls it, then a barrier.
    /// </summary>
    [Intrinsic]
    public static void FenceProxyAsync() => Lane.Fence();
}
