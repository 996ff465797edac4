using System.Numerics;

namespace LinearCald.Testing.Ptx.Execution;

internal enum ShuffleMode
{
    Up,
    Down,
    Butterfly,
    Index,
}

/// <summary>shfl.sync (PTX ISA "shfl.sync"). What comes from a lane that takes no part has no value.</summary>
internal sealed class Shuffle(ShuffleMode mode, int to, int isInside, int from, int amount, int clamp) : MaskedMeeting
{
    public override bool Meet(Warp warp, uint lanes)
    {
        warp.Require(this, from, lanes);
        warp.Require(this, amount, lanes);
        warp.Require(this, clamp, lanes);
        ulong[] r = warp.Registers;
        Span<ulong> results = stackalloc ulong[32];
        uint written = 0;
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            int distance = (int)r[(amount * 32) + lane] & 31;
            int control = (int)r[(clamp * 32) + lane];
            int segment = (control >> 8) & 31;
            int limit = (lane & segment) | (control & 31 & ~segment);
            int lowest = lane & segment;
            int source = mode switch
            {
                ShuffleMode.Up => lane - distance,
                ShuffleMode.Down => lane + distance,
                ShuffleMode.Butterfly => lane ^ distance,
                _ => lowest | (distance & ~segment),
            };
            bool holds = mode == ShuffleMode.Up ? source >= limit : source <= limit;
            source = holds ? source : lane;
            results[lane] = r[(from * 32) + source];
            written |= (lanes >> source & 1) << lane;
            if (isInside >= 0)
            {
                r[(isInside * 32) + lane] = Numbers.Raw.Of(holds);
            }
        }

        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            if (to >= 0)
            {
                r[(to * 32) + lane] = results[lane];
            }
        }

        if (to >= 0)
        {
            warp.Written[to] = (warp.Written[to] & ~lanes) | written;
        }

        if (isInside >= 0)
        {
            warp.Written[isInside] |= lanes;
        }

        return true;
    }
}

/// <summary>An operation whose result is the same on all lanes that take part: votes and reductions.</summary>
/// <param name="to">Register of the result.</param>
/// <param name="from">Register of the operand.</param>
/// <param name="isNegated">Whether a predicate operand is negated.</param>
/// <param name="combine">From the operands of the lanes and the lanes' mask.</param>
internal sealed class WarpReduction(int to, int from, bool isNegated, Func<ulong[], uint, ulong> combine) : MaskedMeeting
{
    public override bool Meet(Warp warp, uint lanes)
    {
        warp.Require(this, from, lanes);
        ulong[] values = warp.Registers.AsSpan(from * 32, 32).ToArray();
        if (isNegated)
        {
            for (int i = 0; i < 32; i++)
            {
                values[i] ^= 1;
            }
        }

        ulong result = combine(values, lanes);
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            warp.Registers[(to * 32) + BitOperations.TrailingZeroCount(rest)] = result;
        }

        warp.Written[to] |= lanes;
        return true;
    }
}

/// <summary>match.any.sync and match.all.sync.</summary>
internal sealed class Match(int to, int all, int from, bool isAny) : MaskedMeeting
{
    public override bool Meet(Warp warp, uint lanes)
    {
        warp.Require(this, from, lanes);
        ulong[] r = warp.Registers;
        Span<uint> results = stackalloc uint[32];
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            for (uint others = lanes; others != 0; others &= others - 1)
            {
                int other = BitOperations.TrailingZeroCount(others);
                results[lane] |= r[(from * 32) + other] == r[(from * 32) + lane] ? 1u << other : 0;
            }
        }

        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            bool isAll = results[lane] == lanes;
            r[(to * 32) + lane] = isAny || isAll ? results[lane] : 0;
            if (all >= 0)
            {
                r[(all * 32) + lane] = Numbers.Raw.Of(isAll);
            }
        }

        warp.Written[to] |= lanes;
        if (all >= 0)
        {
            warp.Written[all] |= lanes;
        }

        return true;
    }
}

/// <summary>elect.sync: the lowest lane that takes part.</summary>
internal sealed class Elect(int leader, int isLeader) : MaskedMeeting
{
    public override bool Meet(Warp warp, uint lanes)
    {
        int first = BitOperations.TrailingZeroCount(lanes);
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            if (leader >= 0)
            {
                warp.Registers[(leader * 32) + lane] = (ulong)first;
            }

            warp.Registers[(isLeader * 32) + lane] = Numbers.Raw.Of(lane == first);
        }

        warp.Written[isLeader] |= lanes;
        if (leader >= 0)
        {
            warp.Written[leader] |= lanes;
        }

        return true;
    }
}

/// <summary>bar.warp.sync: the lanes see each other's writes.</summary>
internal sealed class WarpBarrier : MaskedMeeting
{
    public override bool Meet(Warp warp, uint lanes)
    {
        warp.Group.Clocks.Meet(warp.FirstThread, lanes);
        return true;
    }
}
