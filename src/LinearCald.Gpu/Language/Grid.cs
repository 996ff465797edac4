using LinearCald.Gpu.Debug;

namespace LinearCald.Gpu;

/// <summary>Where the running group lies in the grid of groups that one launch makes.</summary>
public static class Grid
{
    /// <summary>This group's index along x.</summary>
    public static int IndexX
    {
        [Intrinsic]
        get => Lane.Current.GridIndex.X;
    }

    /// <summary>This group's index along y.</summary>
    public static int IndexY
    {
        [Intrinsic]
        get => Lane.Current.GridIndex.Y;
    }

    /// <summary>This group's index along z.</summary>
    public static int IndexZ
    {
        [Intrinsic]
        get => Lane.Current.GridIndex.Z;
    }

    /// <summary>Groups along x.</summary>
    public static int SizeX
    {
        [Intrinsic]
        get => Lane.Current.GridSize.X;
    }

    /// <summary>Groups along y.</summary>
    public static int SizeY
    {
        [Intrinsic]
        get => Lane.Current.GridSize.Y;
    }

    /// <summary>Groups along z.</summary>
    public static int SizeZ
    {
        [Intrinsic]
        get => Lane.Current.GridSize.Z;
    }

    /// <summary>The thread's index along x in the whole grid.</summary>
    public static int ThreadX => (IndexX * Group.SizeX) + Group.IndexX;

    /// <summary>Threads along x in the whole grid: the stride of a loop that covers any length.</summary>
    public static int ThreadsX => SizeX * Group.SizeX;
}
