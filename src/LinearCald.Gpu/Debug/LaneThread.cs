namespace LinearCald.Gpu.Debug;

/// <summary>A pooled thread with a small stack that runs lanes. Threads that nobody has needed for a while end.</summary>
internal sealed class LaneThread
{
    private const int StackBytes = 512 * 1024;
    private const int IdleMilliseconds = 10_000;

    private static readonly List<LaneThread> s_idle = [];

    private readonly Baton _start = new();
    private GroupRun? _run;
    private Lane? _lane;

    private LaneThread()
    {
        Thread thread = new(Loop, StackBytes) { IsBackground = true, Name = "kernel lanes" };
        thread.Start();
    }

    /// <summary>Runs a lane, and the lanes after it that nobody has begun, on a pooled thread.</summary>
    public static void Start(GroupRun run, Lane lane)
    {
        LaneThread? thread = null;
        lock (s_idle)
        {
            if (s_idle.Count > 0)
            {
                thread = s_idle[^1];
                s_idle.RemoveAt(s_idle.Count - 1);
            }
        }

        thread ??= new LaneThread();
        thread._run = run;
        thread._lane = lane;
        thread._start.Signal();
    }

    private void Loop()
    {
        Baton baton = new();
        while (true)
        {
            while (!_start.Wait(IdleMilliseconds))
            {
                lock (s_idle)
                {
                    // Whoever has taken this thread off the list will signal it.
                    if (s_idle.Remove(this))
                    {
                        return;
                    }
                }
            }

            Baton next = _run!.RunFrom(_lane!, baton);

            // Idle before the next lane runs, so that the next lane that blocks finds this thread.
            lock (s_idle)
            {
                s_idle.Add(this);
            }

            next.Signal();
        }
    }
}
