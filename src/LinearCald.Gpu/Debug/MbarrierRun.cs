namespace LinearCald.Gpu.Debug;

/// <summary>A barrier object in shared memory: its phase, what it still waits for, who waits for it, and what those come to know who have waited.</summary>
internal sealed class MbarrierRun
{
    private const int Warps = 32;

    private readonly Queue<BoxCopy> _copies = [];
    private readonly List<Lane> _waiting = [];
    private readonly int _arrivals;
    private uint[] _gathering = new uint[Warps];
    private uint[] _gathered = new uint[Warps];
    private int _pending;
    private long _bytes;
    private int _phase;

    /// <param name="arrivals">Arrivals that end a phase.</param>
    public MbarrierRun(int arrivals)
    {
        _arrivals = arrivals;
        _pending = arrivals;
    }

    /// <summary>Counts an arrival.</summary>
    public void Arrive(Lane lane, int bytes)
    {
        lane.WarpRun.Release(_gathering);
        _bytes += bytes;
        if (--_pending < 0)
        {
            throw new CaldException($"an arrival more than the {_arrivals} that the mbarrier counts in a phase");
        }

        Check();
    }

    /// <summary>A copy that will signal this barrier. It arrives when somebody waits.</summary>
    public void Add(Lane lane, BoxCopy copy)
    {
        lane.WarpRun.Release(_gathering);
        _copies.Enqueue(copy);
        if (_waiting.Count > 0)
        {
            Land(lane.Group);
        }
    }

    /// <summary>Waits for the phase before the one of the other parity.</summary>
    public void Wait(Lane lane, int parity)
    {
        if (!IsOver(parity))
        {
            Land(lane.Group);
        }

        while (!IsOver(parity))
        {
            _waiting.Add(lane);
            lane.Group.Wait(lane, "Mbarrier.Wait");
        }

        lane.WarpRun.Acquire(_gathered);
    }

    private bool IsOver(int parity) => (_phase & 1) != parity;

    private void Land(GroupRun group)
    {
        while (_copies.TryDequeue(out BoxCopy copy))
        {
            group.Shared.Land(copy.Destination, copy.Map.Read(copy.Start, copy.Destination));
            _bytes -= copy.Map.BoxBytes;
            Check();
        }
    }

    private void Check()
    {
        if (_pending > 0 || _bytes != 0)
        {
            return;
        }

        _phase++;
        _pending = _arrivals;
        _gathered = _gathering;
        _gathering = new uint[Warps];
        foreach (Lane lane in _waiting)
        {
            lane.Group.Release(lane);
        }

        _waiting.Clear();
    }
}

/// <summary>A box on its way to shared memory.</summary>
/// <param name="Map">Of the tensor.</param>
/// <param name="Start">First element along each dimension, innermost first.</param>
/// <param name="Destination">Byte of shared memory.</param>
internal readonly record struct BoxCopy(TensorMapDescription Map, int[] Start, int Destination);
