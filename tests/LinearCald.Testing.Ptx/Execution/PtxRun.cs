using System.Diagnostics;
using LinearCald.Testing.Ptx.Memory;

namespace LinearCald.Testing.Ptx.Execution;

/// <summary>One launch of an entry.</summary>
internal sealed class PtxRun
{
    private const int ResidentGroups = 32;

    private readonly Random _random;
    private readonly EmulatorOptions _options;
    private long _warpInstructions;
    private bool _isCrowded;
    private int _turn;

    public PtxRun(KernelCode code, in LaunchShape shape, byte[] parameters, AddressMap memory, EmulatorOptions options)
    {
        Code = code;
        Shape = shape;
        Memory = memory;
        _options = options;
        _random = new Random(options.Seed);
        Parameters = GC.AllocateArray<byte>(parameters.Length, pinned: true);
        parameters.CopyTo(Parameters, 0);
        GlobalWrites = shape.Grid.Count > 1 ? new GlobalWrites(code.GlobalGranule) : null;
    }

    public KernelCode Code { get; }

    public LaunchShape Shape { get; }

    public AddressMap Memory { get; }

    public byte[] Parameters { get; }

    /// <summary>Watches what groups write; null when there is only one.</summary>
    public GlobalWrites? GlobalWrites { get; }

    public long ThreadInstructions { get; private set; }

    public long Started { get; } = Stopwatch.GetTimestamp();

    public EmulatorOptions Options => _options;

    public long Clock => _warpInstructions;

    public void Run()
    {
        long next = 0;
        long count = Shape.Grid.Count;
        long[]? order = _options.Schedule == Schedule.Shuffled ? Shuffled(count) : null;
        Queue<ThreadGroup> resident = new();
        SharedMemory? spare = null;

        // Groups run one after the other; one that does not end in its turns (it may wait for another) makes room for the next.
        while (next < count || resident.Count > 0)
        {
            if (next < count && resident.Count < ResidentGroups)
            {
                long id = order is not null ? order[next] : _options.Schedule == Schedule.Backward ? count - 1 - next : next;
                next++;
                resident.Enqueue(new ThreadGroup(this, id, spare));
                spare = null;
            }

            ThreadGroup group = resident.Dequeue();
            bool isDone = false;
            for (int turn = 0; turn < 1000 && !isDone; turn++)
            {
                _turn = turn;
                isDone = group.Turn();
            }

            _isCrowded = !isDone;
            if (isDone)
            {
                spare = group.Shared;
            }
            else
            {
                resident.Enqueue(group);
            }
        }
    }

    /// <summary>The index of a group by its number.</summary>
    public Index3 GroupAt(long number) => new((int)(number % Shape.Grid.X), (int)(number / Shape.Grid.X % Shape.Grid.Y), (int)(number / Shape.Grid.X / Shape.Grid.Y));

    public void Count(int lanes)
    {
        ThreadInstructions += lanes;
        if (++_warpInstructions > _options.InstructionBudget)
        {
            throw new CaldException($"{Code.Entry.Name}: {_options.InstructionBudget:N0} warp instructions have run and the launch has not ended; a loop without end, or raise {nameof(EmulatorOptions.InstructionBudget)}");
        }
    }

    /// <summary>Instructions of a warp before the next warp runs.</summary>
    public int WarpSlice() => _options.Schedule == Schedule.Shuffled ? _random.Next(1, 400) : 20_000;

    /// <summary>Whether lanes with the highest program counter go first this time: now and then when lanes may wait for others of their own warp.</summary>
    public bool ChooseLast() => _options.Schedule == Schedule.Shuffled ? _random.Next(8) == 0 : (_isCrowded || _turn > 100) && (_warpInstructions & 1) != 0;

    public IEnumerable<int> WarpOrder(int warps)
    {
        switch (_options.Schedule)
        {
            case Schedule.Forward:
                return Enumerable.Range(0, warps);
            case Schedule.Backward:
                return Enumerable.Range(0, warps).Reverse();
            default:
                int[] order = [.. Enumerable.Range(0, warps)];
                _random.Shuffle(order);
                return order;
        }
    }

    /// <summary>A whole number of units in the last place within the jitter asked for, the same for the same operands and seed.</summary>
    public int Jitter(ulong operand)
    {
        if (_options.Jitter == 0)
        {
            return 0;
        }

        ulong hash = (operand + (ulong)_options.Seed + 0x9E3779B97F4A7C15) * 0xBF58476D1CE4E5B9;
        hash ^= hash >> 31;
        hash *= 0x94D049BB133111EB;
        hash ^= hash >> 29;
        return (int)(hash % ((2 * (ulong)_options.Jitter) + 1)) - _options.Jitter;
    }

    private long[] Shuffled(long count)
    {
        long[] order = new long[count];
        for (long i = 0; i < count; i++)
        {
            order[i] = i;
        }

        _random.Shuffle(order);
        return order;
    }
}
