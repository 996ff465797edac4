using LinearCald.Testing.Ptx.Memory;

namespace LinearCald.Testing.Ptx.Execution;

/// <summary>A group of threads as it runs.</summary>
internal sealed class ThreadGroup
{
    /// <param name="launch">It belongs to.</param>
    /// <param name="number">See <see cref="Number"/>.</param>
    /// <param name="spare">Shared memory of a group that has ended.</param>
    public ThreadGroup(PtxRun launch, long number, SharedMemory? spare)
    {
        Launch = launch;
        Number = number;
        Id = launch.GroupAt(number);
        int threads = (int)launch.Shape.Group.Count;
        Clocks = new Clocks((threads + 31) / 32 * 32);
        Shared = new SharedMemory(launch.Code.Shared, launch.Code.SharedGranule, Clocks, spare);
        Warps = new Warp[(threads + 31) / 32];
        for (int i = 0; i < Warps.Length; i++)
        {
            Warps[i] = new Warp(this, i, threads - (i * 32));
        }

        for (int i = 0; i < Barriers.Length; i++)
        {
            Barriers[i] = new GroupBarrier();
        }
    }

    public PtxRun Launch { get; }

    /// <summary>Counted with x fastest.</summary>
    public long Number { get; }

    public Index3 Id { get; }

    public Warp[] Warps { get; }

    public Clocks Clocks { get; }

    public SharedMemory Shared { get; }

    /// <summary>mbarrier objects by their address.</summary>
    public Dictionary<ulong, TransactionBarrier> TransactionBarriers { get; } = [];

    public GroupBarrier[] Barriers { get; } = new GroupBarrier[16];

    /// <summary>Runs every warp for a turn; returns true when all threads have ended.</summary>
    public bool Turn()
    {
        bool hasRun = false;
        bool isDone = true;
        foreach (int index in Launch.WarpOrder(Warps.Length))
        {
            Warp warp = Warps[index];
            if (warp.CanRun)
            {
                hasRun = true;
                warp.Run(Launch.WarpSlice());
            }
        }

        foreach (Warp warp in Warps)
        {
            isDone &= warp.Live == 0;
        }

        if (!hasRun && !isDone)
        {
            throw new CaldException($"{Launch.Code.Entry.Name}, {this}: deadlock, no thread can go on: {string.Join("; ", Warps.SelectMany(static w => w.Waiting()))}");
        }

        return isDone;
    }

    /// <summary>Threads have ended: barriers of the whole group wait for fewer now.</summary>
    public void Ended() => Check();

    public void Check()
    {
        int live = 0;
        foreach (Warp warp in Warps)
        {
            live += warp.Live != 0 ? 32 : 0;
        }

        foreach (GroupBarrier barrier in Barriers)
        {
            barrier.Check(live);
        }
    }

    public string Thread(int thread)
    {
        Index3 group = Launch.Shape.Group;
        return $"thread ({thread % group.X}, {thread / group.X % group.Y}, {thread / group.X / group.Y})";
    }

    public override string ToString() => $"group ({Id.X}, {Id.Y}, {Id.Z})";

    public string Describe(int instruction)
    {
        Instruction found = Launch.Code.Instructions[instruction];
        return $"line {found.Source.Line} `{found.Source.Text}`";
    }
}
