namespace LinearCald.Testing.Ptx.Execution;

/// <summary>One of the sixteen barriers of a group.</summary>
internal sealed class GroupBarrier
{
    private readonly List<(Warp Warp, uint Lanes, BarrierInstruction Instruction)> _waiting = [];
    private int _arrived;
    private int _expected;
    private int _holding;
    private int _members;
    private int[]? _knowledge;
    private string _first = "";

    /// <summary>Counts lanes that have come; those that wait are let go when the last has come.</summary>
    /// <param name="warp">Whose lanes come.</param>
    /// <param name="lanes">Which have come.</param>
    /// <param name="counted">As how many threads they count: a whole warp for aligned barriers.</param>
    /// <param name="expected">Threads to come, or 0 for the whole group.</param>
    /// <param name="waits">Whether they wait.</param>
    /// <param name="holding">On how many the condition of a reduction holds.</param>
    /// <param name="instruction">For errors and results.</param>
    public void Arrive(Warp warp, uint lanes, int counted, int expected, bool waits, int holding, BarrierInstruction instruction)
    {
        if (_arrived == 0)
        {
            _expected = expected;
            _first = warp.Group.Describe(instruction.Index);
        }
        else if (_expected != expected)
        {
            throw warp.Error(0, instruction, $"expects {expected} threads at a barrier for which {_expected} are expected ({_first}); 0 is the whole group");
        }

        int[]? last = null;
        for (int lane = 0; lane < 32; lane++)
        {
            if ((lanes >> lane & 1) != 0)
            {
                warp.Group.Clocks.Release(ref _knowledge, warp.FirstThread + lane, ref last);
                _members++;
            }
        }

        _arrived += counted;
        _holding += holding;
        if (waits)
        {
            _waiting.Add((warp, lanes, instruction));
        }

        if (_expected != 0 && _arrived > _expected)
        {
            throw warp.Error(0, instruction, $"{_arrived} threads have come to a barrier that expects {_expected}");
        }
    }

    /// <summary>Lets the waiting lanes go if all have come.</summary>
    /// <param name="liveThreads">Threads of the group that have not ended, in whole warps.</param>
    public void Check(int liveThreads)
    {
        if (_arrived == 0 || _arrived < (_expected == 0 ? liveThreads : _expected))
        {
            return;
        }

        int[] knowledge = _knowledge!;
        (Warp Warp, uint Lanes, BarrierInstruction Instruction)[] waiting = [.. _waiting];
        int holding = _holding;
        int members = _members;
        _waiting.Clear();
        _arrived = 0;
        _holding = 0;
        _members = 0;
        _knowledge = null;
        foreach ((Warp warp, uint lanes, BarrierInstruction instruction) in waiting)
        {
            for (int lane = 0; lane < 32; lane++)
            {
                if ((lanes >> lane & 1) != 0)
                {
                    warp.Group.Clocks.Take(warp.FirstThread + lane, knowledge);
                }
            }

            instruction.Finish(warp, lanes, holding, members);
            warp.Pass(lanes);
        }
    }
}

/// <summary>What a barrier's reduction computes.</summary>
internal enum BarrierReduction
{
    None,
    Count,
    And,
    Or,
}

/// <summary><c>bar.sync</c>, <c>bar.arrive</c>, <c>bar.red</c> and their unaligned forms.</summary>
internal sealed class BarrierInstruction : Meeting
{
    public required int Id { get; init; }

    /// <summary>Register of the number of threads, or −1 for the whole group.</summary>
    public required int Count { get; init; }

    public required bool IsAligned { get; init; }

    public required bool Waits { get; init; }

    public BarrierReduction Reduction { get; init; }

    public int Destination { get; init; } = -1;

    public int Condition { get; init; } = -1;

    public bool IsConditionNegated { get; init; }

    public override uint Members(Warp warp, int lane) => IsAligned ? warp.Live : 1u << lane;

    public override bool Meet(Warp warp, uint lanes)
    {
        int id = (int)Uniform(warp, Id, lanes);
        int expected = Count < 0 ? 0 : (int)Uniform(warp, Count, lanes);
        int first = int.TrailingZeroCount((int)lanes);
        if ((uint)id > 15)
        {
            throw warp.Error(first, this, $"there is no barrier {id}; barriers are 0 … 15");
        }

        if (Count >= 0 && (expected <= 0 || expected % 32 != 0))
        {
            throw warp.Error(first, this, $"a barrier's thread count must be a multiple of 32, not {expected}");
        }

        if (expected > warp.Group.Warps.Length * 32)
        {
            throw warp.Error(first, this, $"the barrier expects {expected} threads; the group has {warp.Group.Warps.Length * 32}");
        }

        int holding = 0;
        if (Condition >= 0)
        {
            uint mask = warp.Mask(this, Condition, lanes);
            holding = System.Numerics.BitOperations.PopCount(IsConditionNegated ? lanes & ~mask : mask);
        }

        int counted = IsAligned ? 32 : System.Numerics.BitOperations.PopCount(lanes);
        warp.Group.Barriers[id].Arrive(warp, lanes, counted, expected, Waits, holding, this);
        if (!Waits)
        {
            warp.Group.Check();
        }

        return !Waits;
    }

    public void Finish(Warp warp, uint lanes, int holding, int members)
    {
        if (Destination < 0)
        {
            return;
        }

        ulong value = Reduction switch
        {
            BarrierReduction.Count => (ulong)holding,
            BarrierReduction.And => holding == members ? 1UL : 0,
            _ => holding > 0 ? 1UL : 0,
        };
        for (int lane = 0; lane < 32; lane++)
        {
            if ((lanes >> lane & 1) != 0)
            {
                warp.Registers[(Destination * 32) + lane] = value;
            }
        }

        warp.Written[Destination] |= lanes;
    }

    private ulong Uniform(Warp warp, int register, uint lanes)
    {
        warp.Require(this, register, lanes);
        int first = int.TrailingZeroCount((int)lanes);
        ulong value = warp.Registers[(register * 32) + first];
        for (int lane = first; lane < 32; lane++)
        {
            if ((lanes >> lane & 1) != 0 && warp.Registers[(register * 32) + lane] != value)
            {
                throw warp.Error(lane, this, "barrier number and thread count must be the same on all lanes of a warp");
            }
        }

        return value;
    }
}
