using System.Numerics;

namespace LinearCald.Testing.Ptx.Execution;

/// <summary>
/// Thirty-two threads. Lanes with equal program counters run together; of several, those with the smallest go first, so that they meet again where
/// paths join.
/// </summary>
internal sealed unsafe class Warp
{
    private readonly int[] _pc = new int[32];
    private readonly byte[] _local;
    private readonly bool[] _localWritten;
    private uint _waiting;
    private uint _atBarrier;

    public Warp(ThreadGroup group, int index, int threads)
    {
        Group = group;
        Index = index;
        Live = threads >= 32 ? uint.MaxValue : (1u << threads) - 1;
        All = Live;
        KernelCode code = group.Launch.Code;
        Registers = new ulong[code.RegisterCount * 32];
        Written = new uint[code.RegisterCount];
        _local = GC.AllocateArray<byte>(code.LocalBytes * 32, pinned: true);
        _localWritten = new bool[_local.Length];
        foreach ((int register, ulong value) in code.Constants)
        {
            Array.Fill(Registers, value, register * 32, 32);
            Written[register] = uint.MaxValue;
        }

        foreach ((int register, SpecialRegister special) in code.Specials)
        {
            for (int lane = 0; lane < 32; lane++)
            {
                Registers[(register * 32) + lane] = special.Value(this, lane);
            }

            Written[register] = uint.MaxValue;
        }
    }

    public ThreadGroup Group { get; }

    public int Index { get; }

    public int FirstThread => Index * 32;

    /// <summary>Register r of lane i is element 32 r + i.</summary>
    public ulong[] Registers { get; }

    /// <summary>Bit i of element r: register r of lane i has a value.</summary>
    public uint[] Written { get; }

    /// <summary>Lanes that have threads.</summary>
    public uint All { get; }

    /// <summary>Lanes that have not ended.</summary>
    public uint Live { get; private set; }

    /// <summary>Instructions left before others have their turn.</summary>
    public int Slice { get; set; }

    public AsyncCopies? Copies { get; set; }

    public WarpgroupProducts? Products { get; set; }

    public bool CanRun => (Live & ~_waiting & ~_atBarrier) != 0;

    public Instruction[] Code => Group.Launch.Code.Instructions;

    /// <summary>Runs until every lane waits or has ended, or the slice is used up.</summary>
    public void Run(int slice)
    {
        Slice = slice;
        PtxRun launch = Group.Launch;
        Instruction[] code = Code;
        while (Slice > 0 && Choose(out int pc, out int other, out uint lanes))
        {
            while (true)
            {
                Instruction instruction = code[pc];
                Slice--;
                launch.Count(BitOperations.PopCount(lanes));
                uint active = instruction.Guard < 0 ? lanes : GuardLanes(instruction, lanes);
                if (instruction.Flow == Flow.Next)
                {
                    if (active != 0)
                    {
                        instruction.Run(this, active);
                    }

                    pc++;
                }
                else if (active == 0)
                {
                    pc++;
                }
                else if (instruction is Branch branch && active == lanes)
                {
                    pc = branch.Target;
                }
                else if (instruction.Flow == Flow.Meeting && active == lanes && (Live & ~lanes) == 0)
                {
                    // The usual case: the whole warp is here.
                    Place(lanes, pc);
                    Arrive((Meeting)instruction, pc, lanes);
                    if ((lanes & (_waiting | _atBarrier)) != 0)
                    {
                        break;
                    }

                    pc++;
                }
                else
                {
                    Place(lanes & ~active, pc + 1);
                    Leave(instruction, pc, active);
                    break;
                }

                if (pc >= other || Slice <= 0)
                {
                    Place(lanes, pc);
                    break;
                }
            }
        }
    }

    /// <summary>Lanes of a barrier of the group go on.</summary>
    public void Pass(uint lanes)
    {
        _atBarrier &= ~lanes;
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            _pc[BitOperations.TrailingZeroCount(rest)]++;
        }
    }

    /// <summary>For deadlock reports: where every lane that has not ended waits.</summary>
    public IEnumerable<string> Waiting()
    {
        for (uint rest = Live; rest != 0;)
        {
            int pc = _pc[BitOperations.TrailingZeroCount(rest)];
            uint same = 0;
            for (uint lanes = rest; lanes != 0; lanes &= lanes - 1)
            {
                int lane = BitOperations.TrailingZeroCount(lanes);
                same |= _pc[lane] == pc ? 1u << lane : 0;
            }

            rest &= ~same;
            yield return $"warp {Index} lanes 0x{same:x8} at {Group.Describe(pc)}";
        }
    }

    /// <summary>Reading a register that was never written is an error.</summary>
    public void Require(Instruction instruction, int register, uint lanes)
    {
        if ((Written[register] & lanes) != lanes)
        {
            int lane = BitOperations.TrailingZeroCount(lanes & ~Written[register]);
            throw Error(lane, instruction, $"reads register {Group.Launch.Code.RegisterName(register)}, which has no value here");
        }
    }

    public uint Mask(Instruction instruction, int register, uint lanes)
    {
        Require(instruction, register, lanes);
        uint mask = 0;
        int start = register * 32;
        for (int lane = 0; lane < 32; lane++)
        {
            mask |= (uint)Registers[start + lane] << lane;
        }

        return mask & lanes;
    }

    public CaldException Error(int lane, Instruction instruction, string message) =>
        new($"{Group.Launch.Code.Entry.Name}, {Group}, {Group.Thread(FirstThread + lane)}, {Group.Describe(instruction.Index)}: {message}");

    public byte* Local(Instruction instruction, int lane, ulong address, int bytes, bool isWrite)
    {
        int size = Group.Launch.Code.LocalBytes;
        if (address > (ulong)size || (ulong)size - address < (ulong)bytes)
        {
            throw Error(lane, instruction, $"local address {address} of {bytes} bytes lies outside the thread's {size} bytes");
        }

        int start = (lane * size) + (int)address;
        Span<bool> written = _localWritten.AsSpan(start, bytes);
        if (isWrite)
        {
            written.Fill(true);
        }
        else if (written.Contains(false))
        {
            throw Error(lane, instruction, $"reads local address {address}, which was never written");
        }

        return (byte*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref _local[start]);
    }

    private uint GuardLanes(Instruction instruction, uint lanes)
    {
        uint mask = Mask(instruction, instruction.Guard, lanes);
        return instruction.IsGuardNegated ? lanes & ~mask : mask;
    }

    private void Place(uint lanes, int pc)
    {
        if (lanes == uint.MaxValue)
        {
            Array.Fill(_pc, pc);
            return;
        }

        for (; lanes != 0; lanes &= lanes - 1)
        {
            _pc[BitOperations.TrailingZeroCount(lanes)] = pc;
        }
    }

    /// <summary>The lanes to run next, and the place where others wait to be joined.</summary>
    private bool Choose(out int pc, out int other, out uint lanes)
    {
        uint runnable = Live & ~_waiting & ~_atBarrier;
        pc = int.MaxValue;
        other = int.MaxValue;
        lanes = 0;
        if (runnable == 0)
        {
            return false;
        }

        bool isLast = Group.Launch.ChooseLast();
        int first = int.MaxValue;
        int last = -1;
        for (uint rest = runnable; rest != 0; rest &= rest - 1)
        {
            int at = _pc[BitOperations.TrailingZeroCount(rest)];
            first = Math.Min(first, at);
            last = Math.Max(last, at);
        }

        pc = isLast ? last : first;
        for (uint rest = runnable; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            if (_pc[lane] == pc)
            {
                lanes |= 1u << lane;
            }
            else if (_pc[lane] > pc)
            {
                other = Math.Min(other, _pc[lane]);
            }
        }

        if (isLast && first != last)
        {
            // Lanes out of the usual order have a short turn, so that they cannot run past the others for long.
            other = pc + 1;
        }

        return true;
    }

    private void Leave(Instruction instruction, int pc, uint active)
    {
        switch (instruction.Flow)
        {
            case Flow.Branch:
                Place(active, ((Branch)instruction).Target);
                break;
            case Flow.IndexedBranch:
                IndexedBranch indexed = (IndexedBranch)instruction;
                indexed.Run(this, active);
                for (uint rest = active; rest != 0; rest &= rest - 1)
                {
                    int lane = BitOperations.TrailingZeroCount(rest);
                    _pc[lane] = indexed.Target(this, lane);
                }

                break;
            case Flow.Exit:
                Live &= ~active;

                // Those that wait for lanes that have ended now look again.
                _waiting = 0;
                Group.Ended();
                break;
            default:
                Place(active, pc);
                Arrive((Meeting)instruction, pc, active);
                for (uint rest = active & ~_waiting & ~_atBarrier; rest != 0; rest &= rest - 1)
                {
                    int lane = BitOperations.TrailingZeroCount(rest);
                    if (_pc[lane] == pc)
                    {
                        _pc[lane] = pc + 1;
                    }
                }

                break;
        }
    }

    private void Arrive(Meeting meeting, int pc, uint active)
    {
        for (uint rest = active; rest != 0;)
        {
            int first = BitOperations.TrailingZeroCount(rest);
            uint members = meeting.Members(this, first) & Live;
            uint present = 0;
            for (uint candidates = members & (active | _waiting); candidates != 0; candidates &= candidates - 1)
            {
                int lane = BitOperations.TrailingZeroCount(candidates);
                present |= _pc[lane] == pc ? 1u << lane : 0;
            }

            for (uint others = present & ~(1u << first); others != 0; others &= others - 1)
            {
                int lane = BitOperations.TrailingZeroCount(others);
                if ((meeting.Members(this, lane) & Live) != members)
                {
                    throw Error(lane, meeting, $"lanes {first} and {lane} name different members: 0x{members:x8} and 0x{meeting.Members(this, lane):x8}");
                }
            }

            rest &= ~members;
            if (present == members)
            {
                uint had = _waiting & members;
                _waiting &= ~members;
                if (meeting.Meet(this, members))
                {
                    // Lanes that came before this turn move on here, those of this turn by the caller.
                    Place(had & ~active, pc + 1);
                }
                else
                {
                    _atBarrier |= members;
                    Group.Check();
                }
            }
            else
            {
                _waiting |= members & active;
            }
        }
    }
}
