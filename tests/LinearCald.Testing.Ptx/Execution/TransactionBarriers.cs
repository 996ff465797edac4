using System.Numerics;
using LinearCald.Testing.Ptx.Decoding;
using LinearCald.Testing.Ptx.Memory;
using LinearCald.Testing.Ptx.Parsing;

namespace LinearCald.Testing.Ptx.Execution;

/// <summary>An mbarrier object: a phase ends when all arrivals have come and no announced byte is missing (PTX ISA "mbarrier").</summary>
internal sealed class TransactionBarrier
{
    private readonly int _count;
    private int _pending;
    private long _bytes;
    private int[]? _building;
    private int[]? _done;

    public TransactionBarrier(int count)
    {
        _count = count;
        _pending = count;
    }

    /// <summary>Bulk copies that will signal this barrier.</summary>
    public Queue<BulkCopy> Copies { get; } = new();

    public int Phase { get; private set; }

    public void Arrive(Warp warp, int lane, int arrivals, long bytes, Instruction instruction)
    {
        int[]? last = null;
        warp.Group.Clocks.Release(ref _building, warp.FirstThread + lane, ref last);
        _bytes += bytes;
        _pending -= arrivals;
        if (_pending < 0)
        {
            throw warp.Error(lane, instruction, $"more arrivals than the {_count} that the barrier counts in a phase");
        }

        Check();
    }

    public void Expect(long bytes) => _bytes += bytes;

    /// <summary>Ends one copy: waiting threads come to know of it.</summary>
    public unsafe void Land(ThreadGroup group)
    {
        BulkCopy copy = Copies.Dequeue();
        copy.Read().CopyTo(new Span<byte>(group.Shared.At(copy.To), copy.Bytes));
        group.Shared.LandFromEngine(copy.Thread, copy.Time, copy.To, copy.Bytes);
        group.Clocks.Note(ref _building, copy.Thread, copy.Time);
        _bytes -= copy.Bytes;
        Check();
    }

    public void Acquire(Warp warp, int lane)
    {
        if (_done is not null)
        {
            warp.Group.Clocks.Acquire(warp.FirstThread, 1u << lane, _done);
        }
    }

    private void Check()
    {
        if (_pending == 0 && _bytes == 0)
        {
            Phase++;
            _pending = _count;
            _done = _building;
            _building = null;
        }
    }
}

/// <summary>A copy by the engine that has started: whose, and when by that thread's clock. What it brings is read when it ends.</summary>
internal readonly record struct BulkCopy(ulong To, int Bytes, int Thread, int Time, Func<byte[]> Read);

internal enum BarrierAction
{
    Initialise,
    Invalidate,
    Arrive,
    ArriveExpecting,
    Expect,
    Wait,
}

/// <summary>The mbarrier instructions.</summary>
internal sealed unsafe class TransactionBarrierInstruction(BarrierAction action, AddressOperand address, int operand, int result) : MemoryAccess(StateSpace.Shared, address)
{
    public override void Run(Warp warp, uint lanes)
    {
        warp.Require(this, Base, lanes);
        if (operand >= 0)
        {
            warp.Require(this, operand, lanes);
        }

        Dictionary<ulong, TransactionBarrier> all = warp.Group.TransactionBarriers;
        bool isWaiting = false;
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            ulong at = Address(warp, lane);
            CheckAlignment(warp, lane, at, 8);
            CheckShared(warp, lane, at, 8, "uses a barrier in");
            int value = operand < 0 ? 1 : (int)warp.Registers[(operand * 32) + lane];
            if (action == BarrierAction.Initialise)
            {
                warp.Group.Shared.Write(warp, lane, at, 8, null, this, false);
                all[at] = new TransactionBarrier(value);
                continue;
            }

            warp.Group.Shared.Read(warp, lane, at, 8, this, false);
            if (!all.TryGetValue(at, out TransactionBarrier? barrier))
            {
                throw warp.Error(lane, this, $"there is no initialised barrier at {warp.Group.Launch.Code.Shared.Name(at)}");
            }

            switch (action)
            {
                case BarrierAction.Invalidate:
                    all.Remove(at);
                    break;
                case BarrierAction.Arrive:
                    barrier.Arrive(warp, lane, value, 0, this);
                    break;
                case BarrierAction.ArriveExpecting:
                    barrier.Arrive(warp, lane, 1, value, this);
                    break;
                case BarrierAction.Expect:
                    barrier.Expect(value);
                    break;
                default:
                    bool isDone = (barrier.Phase & 1) != (value & 1);
                    if (isDone)
                    {
                        barrier.Acquire(warp, lane);
                    }
                    else if (barrier.Copies.Count > 0)
                    {
                        barrier.Land(warp.Group);
                    }
                    else
                    {
                        isWaiting = true;
                    }

                    warp.Registers[(result * 32) + lane] = Numbers.Raw.Of(isDone);
                    break;
            }
        }

        if (action == BarrierAction.Wait)
        {
            warp.Written[result] |= lanes;
            if (isWaiting)
            {
                // Nothing can change while this warp runs: others have their turn.
                warp.Slice = Math.Min(warp.Slice, 2);
            }
        }
    }
}

/// <summary>cp.async.bulk from global to shared memory: arrives when a thread waits for its barrier.</summary>
internal sealed class BulkCopyInstruction(AddressOperand to, AddressOperand from, int size, AddressOperand barrier) : MemoryAccess(StateSpace.Shared, to)
{
    private GlobalBlock? _block;

    public override unsafe void Run(Warp warp, uint lanes)
    {
        foreach (int register in (ReadOnlySpan<int>)[Base, from.Register, size, barrier.Register])
        {
            warp.Require(this, register, lanes);
        }

        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            ulong destination = Address(warp, lane);
            ulong source = warp.Registers[(from.Register * 32) + lane] + (ulong)from.Offset;
            ulong signal = warp.Registers[(barrier.Register * 32) + lane] + (ulong)barrier.Offset;
            int bytes = (int)warp.Registers[(size * 32) + lane];
            if (bytes <= 0 || ((uint)bytes | destination | source) % 16 != 0)
            {
                throw warp.Error(lane, this, $"size ({bytes}), destination and source must be multiples of 16");
            }

            CheckShared(warp, lane, destination, bytes, "writes");
            Global(warp, lane, source, bytes, ref _block, "copies");
            if (!warp.Group.TransactionBarriers.TryGetValue(signal, out TransactionBarrier? found))
            {
                throw warp.Error(lane, this, $"there is no initialised barrier at {warp.Group.Launch.Code.Shared.Name(signal)}");
            }

            warp.Group.Shared.Pend(warp, lane, destination, bytes, this);
            int thread = warp.FirstThread + lane;
            found.Copies.Enqueue(new BulkCopy(destination, bytes, thread, warp.Group.Clocks.Tick(thread), () => new ReadOnlySpan<byte>((void*)source, bytes).ToArray()));
        }
    }
}
