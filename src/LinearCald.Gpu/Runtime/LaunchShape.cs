namespace LinearCald.Gpu;

/// <summary>How many groups a launch has and how many threads each.</summary>
/// <param name="Grid">Groups along x, y, z.</param>
/// <param name="Group">Threads of a group along x, y, z; a constant to the compiler.</param>
public readonly record struct LaunchShape(Index3 Grid, Index3 Group)
{
    /// <summary>Groups along x that run as one cluster on neighbouring multiprocessors (sm_90); 1 for none.</summary>
    public int Cluster { get; init; } = 1;

    /// <summary>Enough groups of <paramref name="group"/> threads for one thread an item.</summary>
    /// <exception cref="CaldException">More groups than a grid can have.</exception>
    public static LaunchShape For(long items, int group = 256)
    {
        long groups = Math.Max(1, (items + group - 1) / group);
        if (groups > int.MaxValue)
        {
            throw new CaldException($"a launch over {items:N0} items in groups of {group} needs {groups:N0} groups; the most is {int.MaxValue:N0}: let each thread do several items");
        }

        return new LaunchShape((int)groups, group);
    }
}
