namespace LinearCald.Gpu.Debug;

internal enum LaneState
{
    Fresh,
    Running,
    Waiting,
    Ready,
    Ended,
}

/// <summary>The running thread of a kernel on the debug device: what the language's intrinsics do there.</summary>
internal sealed partial class Lane(GroupRun group, int thread)
{
    [ThreadStatic]
    private static Lane? t_current;

    [ThreadStatic]
    private static Baton? t_callerBaton;

    public static Lane Current => t_current ?? throw new CaldException("this member exists only inside a kernel");

    /// <summary>The baton of a thread that launches kernels, for the lanes that it runs itself.</summary>
    public static Baton CallerBaton => t_callerBaton ??= new Baton();

    public GroupRun Group => group;

    public int Thread => thread;

    public Index3 GridIndex => group.GridIndex;

    public Index3 GridSize => group.Shape.Grid;

    public Index3 GroupIndex { get; private set; }

    public Index3 GroupSize => group.Shape.Group;

    /// <summary>Rank in the order in which lanes get their turn.</summary>
    public int Position { get; private set; }

    public LaneState State { get; set; }

    /// <summary>What the lane waits for.</summary>
    public string? Operation { get; set; }

    /// <summary>The source line where the lane waited when the group could not go on.</summary>
    public string Line { get; set; } = "";

    /// <summary>Wakes the thread that this lane runs on.</summary>
    public Baton? Baton { get; private set; }

    public WarpRun WarpRun => group.Warps[thread >> 5];

    public void Reset(int position)
    {
        Position = position;
        State = LaneState.Fresh;
        Operation = null;
        Line = "";
        _exchanges = 0;
        _allocations = 0;
        _copies.Clear();
        _copyGroups.Clear();
        Index3 size = GroupSize;
        GroupIndex = new Index3(thread % size.X, thread / size.X % size.Y, thread / (size.X * size.Y));
    }

    public void Enter(Baton baton)
    {
        Baton = baton;
        State = LaneState.Running;
        t_current = this;
    }

    public void Leave()
    {
        State = LaneState.Ended;
        t_current = null;
    }

    /// <summary>Memory fences, which need a kernel and nothing else: lanes run one at a time, so every write is visible already.</summary>
    public static void Fence() => _ = Current;

    public void Stop<T>(string name, T value)
        where T : unmanaged =>
        group.Accelerator.Stopped?.Invoke(new LaneStop(name, value, group.Kernel, GridIndex, thread));
}
