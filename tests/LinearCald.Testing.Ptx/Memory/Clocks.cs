namespace LinearCald.Testing.Ptx.Memory;

/// <summary>
/// Vector clocks of a group's threads: what each thread knows to have happened on the others. A thread's own clock moves on when others may have
/// learned of it, that is at each barrier or arrival.
/// </summary>
internal sealed class Clocks
{
    private readonly int[] _own;
    private readonly int[][] _known;

    public Clocks(int threads)
    {
        _own = new int[threads];
        Array.Fill(_own, 1);
        _known = new int[threads][];
        Array.Fill(_known, new int[threads]);
    }

    public int Now(int thread) => _own[thread];

    /// <summary>Whether <paramref name="thread"/> knows what <paramref name="other"/> did at <paramref name="time"/>.</summary>
    public bool Knows(int thread, int other, int time) => thread == other || _known[thread][other] >= time;

    /// <summary>Adds what the thread did and knows to a shared state, and moves its clock on.</summary>
    public void Release(ref int[]? state, int thread, ref int[]? last)
    {
        state ??= new int[_own.Length];
        int[] known = _known[thread];
        if (!ReferenceEquals(known, last))
        {
            last = known;
            for (int i = 0; i < known.Length; i++)
            {
                state[i] = Math.Max(state[i], known[i]);
            }
        }

        state[thread] = _own[thread]++;
    }

    /// <summary>Moves the thread's clock on; returns the time before.</summary>
    public int Tick(int thread) => _own[thread]++;

    /// <summary>Adds to a shared state what the thread did up to a time.</summary>
    public void Note(ref int[]? state, int thread, int time)
    {
        state ??= new int[_own.Length];
        state[thread] = Math.Max(state[thread], time);
    }

    /// <summary>Gives the thread what a state that it released into itself holds; the state may not change afterwards.</summary>
    public void Take(int thread, int[] state) => _known[thread] = state;

    /// <summary>Adds what a state holds to what the threads of a warp know.</summary>
    public void Acquire(int first, uint lanes, int[] state)
    {
        int[]? last = null;
        int[]? merged = null;
        for (int lane = 0; lane < 32; lane++)
        {
            if ((lanes >> lane & 1) == 0)
            {
                continue;
            }

            int[] known = _known[first + lane];
            if (!ReferenceEquals(known, last) || merged is null)
            {
                last = known;
                merged = new int[known.Length];
                for (int i = 0; i < merged.Length; i++)
                {
                    merged[i] = Math.Max(known[i], state[i]);
                }
            }

            _known[first + lane] = merged;
        }
    }

    /// <summary>A meeting of some lanes of a warp: each knows what the others did before.</summary>
    public void Meet(int first, uint lanes)
    {
        int[]? state = null;
        int[]? last = null;
        for (int lane = 0; lane < 32; lane++)
        {
            if ((lanes >> lane & 1) != 0)
            {
                Release(ref state, first + lane, ref last);
            }
        }

        for (int lane = 0; lane < 32; lane++)
        {
            if ((lanes >> lane & 1) != 0)
            {
                Take(first + lane, state!);
            }
        }
    }
}
