using System.Runtime.CompilerServices;

namespace LinearCald.Gpu.Debug;

internal sealed partial class Lane
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    public void Barrier(int id, int threads)
    {
        if (id == 0 && threads == 0)
        {
            Come(group.Barriers[0], "Group.Barrier", group.Count, false);
        }
        else
        {
            Come(Named(id, threads), $"Group.Barrier({id}, {threads})", threads, false);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public int BarrierCount(bool condition)
    {
        Come(group.Barriers[0], "a counting Group.Barrier", group.Count, condition);
        return group.Barriers[0].Result;
    }

    /// <summary>Counts at a named barrier. The warp's lanes come together, as the hardware's aligned form demands.</summary>
    public void Arrive(int id, int threads)
    {
        BarrierRun barrier = Named(id, threads);
        if (Meet("Group.Arrive"))
        {
            barrier.Arrive(this, threads);
        }
    }

    public void WarpBarrier()
    {
        if (Meet("Warp.Barrier"))
        {
            WarpRun.Advance();
        }
    }

    private void Come(BarrierRun barrier, string operation, int expected, bool condition)
    {
        if (!barrier.Come(this, operation, expected, condition))
        {
            group.Wait(this, operation);
        }
    }

    private BarrierRun Named(int id, int threads)
    {
        if (id is < 1 or > 15 || threads < Warp.Size || threads % Warp.Size != 0 || threads > group.Count)
        {
            throw new CaldException($"named barrier {id} for {threads} threads: ids are 1 … 15, threads a multiple of {Warp.Size} up to the group's {group.Count}");
        }

        return group.Barriers[id];
    }

    /// <summary>Waits for the other lanes of the warp. True on the lane that came last, which goes on at once.</summary>
    private bool Meet(string operation)
    {
        WarpRun warp = WarpRun;
        if (warp.Arrived > 0 && warp.Operation != operation)
        {
            throw new CaldException($"this lane comes to {operation} while others of its warp wait at {warp.Operation}; all lanes of a warp must reach the same operation");
        }

        warp.Operation = operation;
        if (++warp.Arrived < warp.Size)
        {
            group.Wait(this, operation);
            return false;
        }

        warp.Arrived = 0;
        for (int i = 0; i < warp.Size; i++)
        {
            Lane other = group.LaneAt((warp.Index * Warp.Size) + i);
            if (other != this)
            {
                group.Release(other);
            }
        }

        return true;
    }
}
