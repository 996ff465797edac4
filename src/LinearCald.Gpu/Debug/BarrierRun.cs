namespace LinearCald.Gpu.Debug;

/// <summary>One of a group's sixteen barriers: who has come, for which call, and what the comers know of each other's accesses.</summary>
internal sealed class BarrierRun(int id)
{
    private readonly CallSite[] _sites = new CallSite[32];
    private readonly uint[] _gathered = new uint[32];
    private readonly List<Lane> _waiting = [];
    private uint _warps;
    private int _arrived;
    private int _expected;
    private int _count;
    private string? _operation;

    /// <summary>On how many lanes the condition of the last complete counting barrier held.</summary>
    public int Result { get; private set; }

    public void Reset()
    {
        _waiting.Clear();
        Array.Clear(_gathered);
        _warps = 0;
        _arrived = 0;
        _count = 0;
        _operation = null;
    }

    /// <summary>Counts a lane that will wait. True if it was the last: then all others have been released.</summary>
    public bool Come(Lane lane, string operation, int expected, bool condition)
    {
        Open(operation, expected);
        WarpRun warp = lane.WarpRun;
        bool first = (_warps & (1u << warp.Index)) == 0;
        if (lane.Group.Accelerator.Options.CompareCallSites)
        {
            Compare(lane, first);
        }

        if (first)
        {
            _warps |= 1u << warp.Index;
            warp.Give(_gathered);
        }

        _count += condition ? 1 : 0;
        _waiting.Add(lane);
        return Add(1, lane);
    }

    /// <summary>Counts all lanes of a warp, which go on at once.</summary>
    public void Arrive(Lane lane, int expected)
    {
        Open($"Group.Barrier({id}, {expected})", expected);
        lane.WarpRun.Give(_gathered);
        lane.WarpRun.Advance();
        Add(lane.WarpRun.Size, null);
    }

    private void Open(string operation, int expected)
    {
        if (_operation is null)
        {
            _operation = operation;
            _expected = expected;
        }
        else if (operation != _operation)
        {
            throw new CaldException($"this lane comes to {operation} while others wait at {_operation}: all must call the same");
        }
    }

    private void Compare(Lane lane, bool first)
    {
        CallSite site = SourceLine.CallSite();
        if (first)
        {
            _sites[lane.WarpRun.Index] = site;
        }
        else if (site.Differs(_sites[lane.WarpRun.Index]))
        {
            throw new CaldException($"this lane comes to another call of {_operation} than the lanes of its warp before it; all lanes of a warp must reach the same call");
        }
    }

    private bool Add(int lanes, Lane? self)
    {
        _arrived += lanes;
        if (_arrived > _expected)
        {
            throw new CaldException($"{_operation} was reached by {_arrived} lanes");
        }

        if (_arrived < _expected)
        {
            return false;
        }

        Complete(self);
        return true;
    }

    private void Complete(Lane? self)
    {
        foreach (IGrouping<WarpRun, Lane> warp in _waiting.GroupBy(l => l.WarpRun))
        {
            if (warp.Count() != warp.Key.Size)
            {
                throw new CaldException($"{_operation} was reached by {warp.Count()} of the {warp.Key.Size} lanes of warp {warp.Key.Index}; whole warps must come");
            }

            warp.Key.Take(_gathered);
        }

        foreach (Lane lane in _waiting)
        {
            if (lane != self)
            {
                lane.Group.Release(lane);
            }
        }

        Result = _count;
        Reset();
    }
}
