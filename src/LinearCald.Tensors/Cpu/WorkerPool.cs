using System.Runtime.ExceptionServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>One piece of parallel work, called once for each index. A struct, so that the call is compiled directly into the loop.</summary>
internal interface IParallelBody
{
    /// <param name="index">0 … count − 1; each is executed exactly once, on any thread, in any order.</param>
    void Execute(int index);
}

/// <summary>
/// The one thread pool of the CPU kernels. Work is cut by its <em>shape</em>, never by the number of threads, and every index writes
/// its own outputs; so results have the same bits for any thread count. Calls from inside a body run inline.
/// </summary>
internal sealed class WorkerPool : IDisposable
{
    /// <summary>How long an idle worker polls before it sleeps: longer than the gap between two kernels of a step, short enough to leave a shared machine alone.</summary>
    private const int SpinMicroseconds = 60;

    private static readonly Lock SharedGate = new();
    private static WorkerPool? s_shared;

    [ThreadStatic]
    private static bool t_inside;

    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _wake = new(0);
    private readonly int _workers;
    private int _sleepers;
    private volatile bool _stopped;
    private long _ticket; // epoch << 32 | next index; workers claim by compare-and-swap, so a late one can never claim of another job
    private Job? _job;

    /// <param name="threads">Threads that execute bodies, the caller's included.</param>
    public WorkerPool(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        Threads = threads;
        _workers = threads - 1;
        for (int i = 0; i < _workers; i++)
        {
            new Thread(Work) { IsBackground = true, Name = $"cald-worker-{i + 1}" }.Start();
        }
    }

    /// <summary>The pool used by all kernels; made on first use with one thread a core.</summary>
    public static WorkerPool Shared
    {
        get
        {
            WorkerPool? pool = Volatile.Read(ref s_shared);
            if (pool is not null)
            {
                return pool;
            }

            lock (SharedGate)
            {
                return s_shared ??= new WorkerPool(Environment.ProcessorCount);
            }
        }
    }

    /// <summary>Threads that execute bodies, the caller's included.</summary>
    public int Threads { get; }

    /// <summary>Replaces the shared pool by one of <paramref name="threads"/> threads and ends the old one's workers. Not while kernels run.</summary>
    public static void Configure(int threads)
    {
        lock (SharedGate)
        {
            if (s_shared?.Threads != threads)
            {
                WorkerPool? old = s_shared;
                Volatile.Write(ref s_shared, new WorkerPool(threads));
                old?.Dispose();
            }
        }
    }

    /// <summary>Ends the workers. Bodies given to a disposed pool run on the caller's thread.</summary>
    public void Dispose()
    {
        if (!_stopped)
        {
            _stopped = true;
            _wake.Release(Math.Max(1, _workers));
        }
    }

    /// <summary>Executes <paramref name="body"/> for every index below <paramref name="count"/> and returns when all are done. An exception of a body is thrown here, once.</summary>
    public void For<TBody>(int count, in TBody body)
        where TBody : struct, IParallelBody
    {
        if (count <= 1 || _workers == 0 || _stopped || t_inside || !_gate.TryEnter())
        {
            TBody local = body;
            for (int i = 0; i < count; i++)
            {
                local.Execute(i);
            }

            return;
        }

        try
        {
            RunParallel(count, in body);
        }
        finally
        {
            _gate.Exit();
        }
    }

    private void RunParallel<TBody>(int count, in TBody body)
        where TBody : struct, IParallelBody
    {
        Job<TBody> job = Job<TBody>.Cached;
        job.Prepare(count, in body);
        long epoch = (Volatile.Read(ref _ticket) >> 32) + 1;
        Volatile.Write(ref _job, job);
        Volatile.Write(ref _ticket, epoch << 32); // publishes
        Interlocked.MemoryBarrier();
        int sleepers = Math.Min(Volatile.Read(ref _sleepers), Math.Min(_workers, count - 1));
        if (sleepers > 0)
        {
            _wake.Release(sleepers);
        }

        t_inside = true;
        Participate(epoch, job);
        t_inside = false;
        SpinWait spin = default;
        while (Volatile.Read(ref job.Done) != count)
        {
            spin.SpinOnce(sleep1Threshold: -1);
        }

        // Closes this epoch: a worker that arrives late must not claim an index of whatever the job object holds next.
        Interlocked.Exchange(ref _ticket, (epoch << 32) | int.MaxValue);
        job.Clear();
        Exception? error = Interlocked.Exchange(ref job.Error, null);
        if (error is not null)
        {
            ExceptionDispatchInfo.Throw(error);
        }
    }

    private void Participate(long epoch, Job job)
    {
        while (true)
        {
            long ticket = Volatile.Read(ref _ticket);
            int index = (int)(ticket & 0xFFFFFFFF);
            if (ticket >> 32 != epoch || index >= job.Count)
            {
                return;
            }

            if (Interlocked.CompareExchange(ref _ticket, ticket + 1, ticket) != ticket)
            {
                continue;
            }

            try
            {
                job.Execute(index);
            }
#pragma warning disable CA1031 // rethrown to the caller of For
            catch (Exception e)
            {
                Interlocked.CompareExchange(ref job.Error, e, null);
            }
#pragma warning restore CA1031
            Interlocked.Increment(ref job.Done);
        }
    }

    private void Work()
    {
        t_inside = true;
        long seen = 0;
        long spinTicks = System.Diagnostics.Stopwatch.Frequency * SpinMicroseconds / 1_000_000;
        while (!_stopped)
        {
            long deadline = System.Diagnostics.Stopwatch.GetTimestamp() + spinTicks;
            while (Volatile.Read(ref _ticket) >> 32 == seen && !_stopped)
            {
                if (System.Diagnostics.Stopwatch.GetTimestamp() < deadline)
                {
                    Thread.SpinWait(20);
                    continue;
                }

                Interlocked.Increment(ref _sleepers);
                if (Volatile.Read(ref _ticket) >> 32 == seen && !_stopped)
                {
                    _wake.Wait();
                }

                Interlocked.Decrement(ref _sleepers);
                deadline = System.Diagnostics.Stopwatch.GetTimestamp() + spinTicks;
            }

            long epoch = Volatile.Read(ref _ticket) >> 32;
            Job? job = Volatile.Read(ref _job);
            if (job is not null && !_stopped)
            {
                Participate(epoch, job);
            }

            seen = epoch;
        }
    }

    private abstract class Job
    {
        public int Count;
        public int Done;
        public Exception? Error;

        public abstract void Execute(int index);
    }

    /// <summary>One instance a body type and thread: a call of <see cref="For"/> allocates nothing.</summary>
    private sealed class Job<TBody> : Job
        where TBody : struct, IParallelBody
    {
        [ThreadStatic]
        private static Job<TBody>? t_cached;

        private TBody _body;

        public static Job<TBody> Cached => t_cached ??= new Job<TBody>();

        public void Prepare(int count, in TBody body)
        {
            _body = body;
            Count = count;
            Done = 0;
        }

        public void Clear() => _body = default;

        public override void Execute(int index) => _body.Execute(index);
    }
}
