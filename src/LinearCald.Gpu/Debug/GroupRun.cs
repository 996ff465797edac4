using System.Globalization;
using System.Numerics;
using System.Runtime.ExceptionServices;
using System.Text;

namespace LinearCald.Gpu.Debug;

/// <summary>
/// Runs the groups of a launch one after another and the lanes of a group one at a time. A lane runs until it blocks or ends; then the first lane in
/// order that can run goes on. Lanes that never block all run on the launching thread; a lane that blocks keeps its thread and parks it.
/// </summary>
internal sealed unsafe class GroupRun : IDisposable
{
    private readonly DebugAccelerator _accelerator;
    private readonly Baton _caller = new();
    private readonly List<Lane> _lanes = [];
    private Lane[] _order = [];
    private ulong[] _ready = [];
    private Kernel? _kernel;
    private KernelEntry? _entry;
    private nint _arguments;
    private Exception? _failure;
    private bool _stopping;
    private bool _deadlock;

    public GroupRun(DebugAccelerator accelerator)
    {
        _accelerator = accelerator;
        Shared = new SharedMemory(accelerator.Options.Limits.GroupSharedBytes);
    }

    public DebugAccelerator Accelerator => _accelerator;

    public Kernel Kernel => _kernel!;

    public LaunchShape Shape { get; private set; }

    public Index3 GridIndex { get; private set; }

    public SharedMemory Shared { get; }

    public int Count { get; private set; }

    public WarpRun[] Warps { get; private set; } = [];

    public BarrierRun[] Barriers { get; } = [.. Enumerable.Range(0, 16).Select(id => new BarrierRun(id))];

    /// <summary>By address in shared memory.</summary>
    public Dictionary<int, MbarrierRun> Mbarriers { get; } = [];

    public Lane LaneAt(int thread) => _lanes[thread];

    /// <summary>Runs all groups; throws what stopped the launch.</summary>
    public void Run(Kernel kernel, in LaunchShape shape, ReadOnlySpan<byte> arguments)
    {
        _kernel = kernel;
        _entry = KernelEntries.Of(kernel);
        Shape = shape;
        Count = (int)shape.Group.Count;
        Prepare();
        fixed (byte* packed = arguments)
        {
            _arguments = (nint)packed;
            for (long i = 0; i < shape.Grid.Count; i++)
            {
                (long row, long x) = Math.DivRem(i, shape.Grid.X);
                (long z, long y) = Math.DivRem(row, shape.Grid.Y);
                GridIndex = new Index3((int)x, (int)y, (int)z);
                RunGroup();
            }
        }
    }

    /// <summary>
    /// Runs a lane that nobody has begun on the current thread, then others as long as the next in order is one that nobody has begun. Returns whom to
    /// signal: the next lane, or the launching thread at the end of the group.
    /// </summary>
    public Baton RunFrom(Lane lane, Baton baton)
    {
        while (true)
        {
            lane.Enter(baton);
            try
            {
                _entry!(_arguments);
            }
            catch (LaneStopped)
            {
            }
            catch (Exception e)
            {
                Fail(lane, e);
            }

            lane.Leave();
            Lane? next = Next();
            if (next is null)
            {
                return _caller;
            }

            if (next.State != LaneState.Fresh)
            {
                return next.Baton!;
            }

            lane = next;
        }
    }

    /// <summary>Parks the lane until <see cref="Release"/>, while others run.</summary>
    /// <param name="operation">What it waits for, as in the report of a group that cannot go on.</param>
    public void Wait(Lane lane, string operation)
    {
        lane.State = LaneState.Waiting;
        lane.Operation = operation;
        Lane next = Next()!;
        if (next != lane)
        {
            if (next.State == LaneState.Fresh)
            {
                LaneThread.Start(this, next);
            }
            else
            {
                next.Baton!.Signal();
            }

            lane.Baton!.Wait();
        }

        lane.State = LaneState.Running;
        if (_stopping)
        {
            if (_deadlock)
            {
                lane.Line = SourceLine.Current();
            }

            throw new LaneStopped();
        }

        lane.Operation = null;
    }

    /// <summary>Lets a waiting lane go on when its turn comes.</summary>
    public void Release(Lane lane)
    {
        lane.State = LaneState.Ready;
        _ready[lane.Position >> 6] |= 1UL << (lane.Position & 63);
    }

    public void Dispose() => Shared.Dispose();

    private void Prepare()
    {
        while (_lanes.Count < Count)
        {
            _lanes.Add(new Lane(this, _lanes.Count));
        }

        int warps = (Count + Warp.Size - 1) / Warp.Size;
        Warps = [.. Enumerable.Range(0, warps).Select(w => new WarpRun(w, Math.Min(Warp.Size, Count - (w * Warp.Size))))];
        _ready = new ulong[(Count + 63) / 64];
        _order = [.. _lanes.Take(Count)];
        switch (_accelerator.Options.Order)
        {
            case LaneOrder.Reverse:
                Array.Reverse(_order);
                break;
            case LaneOrder.Shuffled:
                new Random(_accelerator.Options.Seed).Shuffle(_order);
                break;
        }
    }

    private void RunGroup()
    {
        _failure = null;
        _stopping = false;
        _deadlock = false;
        Shared.Reset();
        Mbarriers.Clear();
        foreach (WarpRun warp in Warps)
        {
            warp.Reset();
        }

        foreach (BarrierRun barrier in Barriers)
        {
            barrier.Reset();
        }

        for (int i = 0; i < Count; i++)
        {
            _order[i].Reset(i);
            _ready[i >> 6] |= 1UL << (i & 63);
        }

        Baton last = RunFrom(Next()!, Lane.CallerBaton);
        if (last != _caller)
        {
            last.Signal();
            _caller.Wait();
        }

        if (_deadlock)
        {
            throw new CaldException(Report());
        }

        if (_failure is not null)
        {
            ExceptionDispatchInfo.Throw(_failure);
        }
    }

    /// <summary>The first lane in order that can run. If all that are left wait, every one is woken to unwind. Null when all have ended.</summary>
    private Lane? Next()
    {
        for (int attempt = 0; ; attempt++)
        {
            for (int word = 0; word < _ready.Length; word++)
            {
                if (_ready[word] != 0)
                {
                    int bit = BitOperations.TrailingZeroCount(_ready[word]);
                    _ready[word] &= ~(1UL << bit);
                    return _order[(word * 64) + bit];
                }
            }

            if (attempt > 0 || _order.All(l => l.State == LaneState.Ended))
            {
                return null;
            }

            _deadlock = true;
            Unwind();
        }
    }

    private void Fail(Lane lane, Exception e)
    {
        if (_stopping)
        {
            return;
        }

        string line = SourceLine.Of(e);
        string place = line.Length == 0 ? "" : $" at {line}";
        string problem = e is CaldException ? e.Message : $"{e.GetType().Name}: {e.Message}";
        _failure = new CaldException($"kernel {Kernel.Name}, group {Text(GridIndex)}, lane {lane.Thread}{place}: {problem}", e);
        Unwind();
    }

    private void Unwind()
    {
        _stopping = true;
        foreach (Lane lane in _order)
        {
            if (lane.State == LaneState.Waiting)
            {
                Release(lane);
            }
            else if (lane.State == LaneState.Fresh)
            {
                lane.State = LaneState.Ended;
                _ready[lane.Position >> 6] &= ~(1UL << (lane.Position & 63));
            }
        }
    }

    private string Report()
    {
        IEnumerable<Lane> lanes = _order.OrderBy(l => l.Thread);
        var groups = lanes.GroupBy(l => l.Operation is null ? "have ended" : l.Line.Length == 0 ? $"wait at {l.Operation}" : $"wait at {l.Operation} ({l.Line})");
        IEnumerable<string> parts = groups.Select(g => $"lanes {Ranges(g.Select(l => l.Thread))} {g.Key}");
        return $"kernel {Kernel.Name}, group {Text(GridIndex)} cannot go on: {string.Join("; ", parts)}; every lane must reach the same barrier or warp operation";
    }

    private static string Text(Index3 index) => $"({index.X}, {index.Y}, {index.Z})";

    private static string Ranges(IEnumerable<int> numbers)
    {
        StringBuilder text = new();
        int first = -1, last = -2;
        foreach (int n in numbers.Append(int.MaxValue))
        {
            if (n == last + 1)
            {
                last = n;
                continue;
            }

            if (first >= 0)
            {
                text.Append(text.Length > 0 ? ", " : "").Append(CultureInfo.InvariantCulture, $"{first}").Append(last > first ? $"–{last}" : "");
            }

            first = last = n;
        }

        return text.ToString();
    }
}

/// <summary>Unwinds a lane whose launch has failed elsewhere.</summary>
internal sealed class LaneStopped : Exception;
