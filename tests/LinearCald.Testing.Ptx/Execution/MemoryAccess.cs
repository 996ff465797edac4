using System.Numerics;
using System.Runtime.CompilerServices;
using LinearCald.Testing.Ptx.Decoding;
using LinearCald.Testing.Ptx.Memory;
using LinearCald.Testing.Ptx.Parsing;

namespace LinearCald.Testing.Ptx.Execution;

/// <summary>An instruction that reads or writes memory at an address register plus a constant.</summary>
internal abstract unsafe class MemoryAccess(StateSpace space, AddressOperand address) : Instruction
{
    private GlobalBlock? _block;

    public bool IsStrong { get; init; }

    protected int Base => address.Register;

    protected StateSpace Space => space;

    /// <summary>The address of a lane, within the space of the instruction.</summary>
    protected ulong Address(Warp warp, int lane) => warp.Registers[(address.Register * 32) + lane] + (ulong)address.Offset;

    /// <summary>Finds the bytes to read, and tells the race checks.</summary>
    protected byte* ToRead(Warp warp, int lane, int bytes)
    {
        ulong at = Address(warp, lane);
        StateSpace where = Resolve(warp, lane, ref at, bytes);
        switch (where)
        {
            case StateSpace.Global:
                return Global(warp, lane, at, bytes, ref _block, "reads");
            case StateSpace.Shared:
                CheckShared(warp, lane, at, bytes, "reads");
                warp.Group.Shared.Read(warp, lane, at, bytes, this, IsStrong);
                return warp.Group.Shared.At(at);
            case StateSpace.Local:
                return warp.Local(this, lane, at, bytes, false);
            case StateSpace.Param:
                return Fixed(warp, lane, at, bytes, warp.Group.Launch.Parameters, "parameters");
            default:
                return Fixed(warp, lane, at, bytes, warp.Group.Launch.Code.ConstantMemory, "constant memory");
        }
    }

    /// <summary>Finds the bytes to write, and tells the race checks.</summary>
    protected byte* ToWrite(Warp warp, int lane, int bytes, byte* source)
    {
        ulong at = Address(warp, lane);
        StateSpace where = Resolve(warp, lane, ref at, bytes);
        switch (where)
        {
            case StateSpace.Global:
                byte* to = Global(warp, lane, at, bytes, ref _block, "writes");
                if (!IsStrong)
                {
                    warp.Group.Launch.GlobalWrites?.Add(warp, lane, at, bytes, source, this);
                }

                return to;
            case StateSpace.Shared:
                CheckShared(warp, lane, at, bytes, "writes");
                warp.Group.Shared.Write(warp, lane, at, bytes, source, this, IsStrong);
                return warp.Group.Shared.At(at);
            case StateSpace.Local:
                return warp.Local(this, lane, at, bytes, true);
            default:
                throw warp.Error(lane, this, $"writes {where} memory");
        }
    }

    protected byte* Global(Warp warp, int lane, ulong at, int bytes, ref GlobalBlock? cached, string verb)
    {
        GlobalBlock? block = cached;
        if (block is null || !block.Holds(at, bytes))
        {
            block = warp.Group.Launch.Memory.Find(at, bytes)
                ?? throw warp.Error(lane, this, $"{verb} {bytes} bytes at 0x{at:x}, outside every live allocation: {warp.Group.Launch.Memory.Nearest(at)}");
            cached = block;
        }

        return (byte*)at;
    }

    protected void CheckShared(Warp warp, int lane, ulong at, int bytes, string verb)
    {
        SharedLayout layout = warp.Group.Launch.Code.Shared;
        if (address.Variable is { } named ? !layout.Holds(named, at, bytes) : layout.Find(at, bytes) is null)
        {
            throw warp.Error(lane, this, $"{verb} {bytes} bytes at {layout.Name(at)}: out of bounds");
        }
    }

    protected void CheckAlignment(Warp warp, int lane, ulong at, int bytes)
    {
        if ((at & (ulong)(bytes - 1)) != 0)
        {
            throw warp.Error(lane, this, $"{bytes} bytes at {(Space == StateSpace.Shared ? warp.Group.Launch.Code.Shared.Name(at) : $"0x{at:x}")}: the address is not a multiple of {bytes}");
        }
    }

    private StateSpace Resolve(Warp warp, int lane, ref ulong at, int bytes)
    {
        StateSpace where = space;
        if (where == StateSpace.Generic)
        {
            (where, at) = Window.Split(at);
        }

        CheckAlignment(warp, lane, at, bytes);
        return where;
    }

    private byte* Fixed(Warp warp, int lane, ulong at, int bytes, byte[] memory, string name)
    {
        bool isInside = at <= (ulong)memory.Length && (ulong)memory.Length - at >= (ulong)bytes
            && (address.Variable is not { } named || (at >= named.Address && at - named.Address + (ulong)bytes <= (ulong)named.Size));
        if (!isInside)
        {
            throw warp.Error(lane, this, $"reads {bytes} bytes at {address.Variable?.Name ?? name}[{at - (address.Variable?.Address ?? 0)}]: out of bounds");
        }

        return (byte*)Unsafe.AsPointer(ref memory[at]);
    }
}

/// <summary>ld.</summary>
internal sealed unsafe class Load(StateSpace space, AddressOperand address, PtxType type, int[] values, ulong mask) : MemoryAccess(space, address)
{
    private readonly int _size = type.Bytes;

    public override void Run(Warp warp, uint lanes)
    {
        warp.Require(this, Base, lanes);
        ulong[] r = warp.Registers;
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            byte* from = ToRead(warp, lane, _size * values.Length);
            for (int i = 0; i < values.Length; i++, from += _size)
            {
                if (values[i] >= 0)
                {
                    r[(values[i] * 32) + lane] = Read(from) & mask;
                }
            }
        }

        foreach (int value in values)
        {
            if (value >= 0)
            {
                warp.Written[value] |= lanes;
            }
        }
    }

    private ulong Read(byte* from) => _size switch
    {
        4 => type.IsSigned ? (ulong)*(int*)from : *(uint*)from,
        8 => *(ulong*)from,
        2 => type.IsSigned ? (ulong)*(short*)from : *(ushort*)from,
        _ => type.IsSigned ? (ulong)*(sbyte*)from : *from,
    };
}

/// <summary>st.</summary>
internal sealed unsafe class Store(StateSpace space, AddressOperand address, PtxType type, int[] values) : MemoryAccess(space, address)
{
    private readonly int _size = type.Bytes;

    /// <summary>Bytes of an element of the vector.</summary>
    public int ElementBytes => _size;

    /// <summary>Whether it may write global memory.</summary>
    public bool MayBeGlobal => Space is StateSpace.Global or StateSpace.Generic;

    public override void Run(Warp warp, uint lanes)
    {
        warp.Require(this, Base, lanes);
        foreach (int value in values)
        {
            warp.Require(this, value, lanes);
        }

        ulong[] r = warp.Registers;
        byte* bytes = stackalloc byte[24];
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            for (int i = 0; i < values.Length; i++)
            {
                *(ulong*)(bytes + (i * _size)) = r[(values[i] * 32) + lane];
            }

            byte* to = ToWrite(warp, lane, _size * values.Length, bytes);
            Unsafe.CopyBlockUnaligned(to, bytes, (uint)(_size * values.Length));
        }
    }
}

/// <summary>atom, red: lane after lane.</summary>
internal sealed unsafe class AtomicUpdate : MemoryAccess
{
    private readonly PtxType _type;
    private readonly int _to;
    private readonly int _value;
    private readonly int _replacement;
    private readonly Func<ulong, ulong, ulong, ulong> _apply;

    public AtomicUpdate(StateSpace space, AddressOperand address, PtxType type, int to, int value, int replacement, Func<ulong, ulong, ulong, ulong> apply)
        : base(space, address)
    {
        _type = type;
        _to = to;
        _value = value;
        _replacement = replacement;
        _apply = apply;
        IsStrong = true;
    }

    public override void Run(Warp warp, uint lanes)
    {
        warp.Require(this, Base, lanes);
        warp.Require(this, _value, lanes);
        warp.Require(this, _replacement, lanes);
        ulong[] r = warp.Registers;
        bool isBackward = warp.Group.Launch.Options.Schedule == Schedule.Backward;
        for (uint rest = lanes; rest != 0;)
        {
            int lane = isBackward ? BitOperations.Log2(rest) : BitOperations.TrailingZeroCount(rest);
            rest &= ~(1u << lane);
            byte* at = ToRead(warp, lane, _type.Bytes);
            ulong old = _type.Bytes switch
            {
                2 => *(ushort*)at,
                4 => *(uint*)at,
                _ => *(ulong*)at,
            };
            ulong value = _apply(old, r[(_value * 32) + lane], r[(_replacement * 32) + lane]);
            Unsafe.CopyBlockUnaligned(ToWrite(warp, lane, _type.Bytes, (byte*)&value), &value, (uint)_type.Bytes);
            if (_to >= 0)
            {
                r[(_to * 32) + lane] = old;
            }
        }

        if (_to >= 0)
        {
            warp.Written[_to] |= lanes;
        }
    }
}

/// <summary>cvta.to: a generic address must lie in the space that it is converted to.</summary>
internal sealed class ToSpace(int to, int from, StateSpace space) : Instruction
{
    public override void Run(Warp warp, uint lanes)
    {
        warp.Require(this, from, lanes);
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            (StateSpace found, ulong address) = Window.Split(warp.Registers[(from * 32) + lane]);
            if (found != space)
            {
                throw warp.Error(lane, this, $"the address lies in {found} memory");
            }

            warp.Registers[(to * 32) + lane] = address;
        }

        warp.Written[to] |= lanes;
    }
}
