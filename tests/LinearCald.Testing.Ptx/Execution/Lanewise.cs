using System.Numerics;

namespace LinearCald.Testing.Ptx.Execution;

/// <summary>d = f(a) on each lane.</summary>
internal sealed class Map1(int d, int a, Func<ulong, ulong> apply) : Instruction
{
    public override void Run(Warp warp, uint lanes)
    {
        warp.Require(this, a, lanes);
        ulong[] r = warp.Registers;
        Span<ulong> to = r.AsSpan(d * 32, 32);
        ReadOnlySpan<ulong> x = r.AsSpan(a * 32, 32);
        if (lanes == uint.MaxValue)
        {
            for (int i = 0; i < 32; i++)
            {
                to[i] = apply(x[i]);
            }
        }
        else
        {
            for (uint rest = lanes; rest != 0; rest &= rest - 1)
            {
                int i = BitOperations.TrailingZeroCount(rest);
                to[i] = apply(x[i]);
            }
        }

        warp.Written[d] |= lanes;
    }
}

/// <summary>d = f(a, b) on each lane.</summary>
internal sealed class Map2(int d, int a, int b, Func<ulong, ulong, ulong> apply) : Instruction
{
    public override void Run(Warp warp, uint lanes)
    {
        warp.Require(this, a, lanes);
        warp.Require(this, b, lanes);
        ulong[] r = warp.Registers;
        Span<ulong> to = r.AsSpan(d * 32, 32);
        ReadOnlySpan<ulong> x = r.AsSpan(a * 32, 32);
        ReadOnlySpan<ulong> y = r.AsSpan(b * 32, 32);
        if (lanes == uint.MaxValue)
        {
            for (int i = 0; i < 32; i++)
            {
                to[i] = apply(x[i], y[i]);
            }
        }
        else
        {
            for (uint rest = lanes; rest != 0; rest &= rest - 1)
            {
                int i = BitOperations.TrailingZeroCount(rest);
                to[i] = apply(x[i], y[i]);
            }
        }

        warp.Written[d] |= lanes;
    }
}

/// <summary>d = f(a, b, c) on each lane.</summary>
internal sealed class Map3(int d, int a, int b, int c, Func<ulong, ulong, ulong, ulong> apply) : Instruction
{
    public override void Run(Warp warp, uint lanes)
    {
        warp.Require(this, a, lanes);
        warp.Require(this, b, lanes);
        warp.Require(this, c, lanes);
        ulong[] r = warp.Registers;
        Span<ulong> to = r.AsSpan(d * 32, 32);
        ReadOnlySpan<ulong> x = r.AsSpan(a * 32, 32);
        ReadOnlySpan<ulong> y = r.AsSpan(b * 32, 32);
        ReadOnlySpan<ulong> z = r.AsSpan(c * 32, 32);
        if (lanes == uint.MaxValue)
        {
            for (int i = 0; i < 32; i++)
            {
                to[i] = apply(x[i], y[i], z[i]);
            }
        }
        else
        {
            for (uint rest = lanes; rest != 0; rest &= rest - 1)
            {
                int i = BitOperations.TrailingZeroCount(rest);
                to[i] = apply(x[i], y[i], z[i]);
            }
        }

        warp.Written[d] |= lanes;
    }
}

/// <summary>d = f(a, b, c, e) on each lane: bit-field insertion.</summary>
internal sealed class Map4(int d, int a, int b, int c, int e, Func<ulong, ulong, ulong, ulong, ulong> apply) : Instruction
{
    public override void Run(Warp warp, uint lanes)
    {
        warp.Require(this, a, lanes);
        warp.Require(this, b, lanes);
        warp.Require(this, c, lanes);
        warp.Require(this, e, lanes);
        ulong[] r = warp.Registers;
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            int i = BitOperations.TrailingZeroCount(rest);
            r[(d * 32) + i] = apply(r[(a * 32) + i], r[(b * 32) + i], r[(c * 32) + i], r[(e * 32) + i]);
        }

        warp.Written[d] |= lanes;
    }
}

/// <summary>d = f(a), off by the jitter that the options ask for: approximate functions.</summary>
internal sealed class Approximation(int d, int a, int b, Func<ulong, ulong, ulong> apply, Func<ulong, int, ulong> move) : Instruction
{
    public override void Run(Warp warp, uint lanes)
    {
        warp.Require(this, a, lanes);
        warp.Require(this, b, lanes);
        ulong[] r = warp.Registers;
        PtxRun launch = warp.Group.Launch;
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            int i = BitOperations.TrailingZeroCount(rest);
            ulong x = r[(a * 32) + i];
            ulong y = r[(b * 32) + i];
            r[(d * 32) + i] = move(apply(x, y), launch.Jitter(x + (y << 32)));
        }

        warp.Written[d] |= lanes;
    }
}

/// <summary>A comparison that sets one or two predicates.</summary>
internal sealed class SetPredicate(int p, int q, int a, int b, int c, bool isNegated, Func<ulong, ulong, bool> compare, Func<bool, bool, bool>? combine) : Instruction
{
    public override void Run(Warp warp, uint lanes)
    {
        warp.Require(this, a, lanes);
        warp.Require(this, b, lanes);
        if (c >= 0)
        {
            warp.Require(this, c, lanes);
        }

        ulong[] r = warp.Registers;
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            int i = BitOperations.TrailingZeroCount(rest);
            bool holds = compare(r[(a * 32) + i], r[(b * 32) + i]);
            bool other = c >= 0 && (r[(c * 32) + i] != 0) != isNegated;
            if (q >= 0)
            {
                r[(q * 32) + i] = combine is null ? holds ? 0UL : 1 : combine(!holds, other) ? 1UL : 0;
            }

            if (p >= 0)
            {
                r[(p * 32) + i] = (combine is null ? holds : combine(holds, other)) ? 1UL : 0;
            }
        }

        if (p >= 0)
        {
            warp.Written[p] |= lanes;
        }

        if (q >= 0)
        {
            warp.Written[q] |= lanes;
        }
    }
}

/// <summary>Cuts a register into equal parts, lowest first; −1 drops a part.</summary>
internal sealed class Unpack(int[] parts, int a, int bits) : Instruction
{
    public override void Run(Warp warp, uint lanes)
    {
        warp.Require(this, a, lanes);
        ulong[] r = warp.Registers;
        ulong mask = bits == 64 ? ulong.MaxValue : (1UL << bits) - 1;
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            int i = BitOperations.TrailingZeroCount(rest);
            ulong value = r[(a * 32) + i];
            for (int part = 0; part < parts.Length; part++)
            {
                if (parts[part] >= 0)
                {
                    r[(parts[part] * 32) + i] = (value >> (part * bits)) & mask;
                }
            }
        }

        foreach (int part in parts)
        {
            if (part >= 0)
            {
                warp.Written[part] |= lanes;
            }
        }
    }
}

/// <summary>Joins equal parts in one register, lowest first.</summary>
internal sealed class Pack(int d, int[] parts, int bits) : Instruction
{
    public override void Run(Warp warp, uint lanes)
    {
        foreach (int part in parts)
        {
            warp.Require(this, part, lanes);
        }

        ulong[] r = warp.Registers;
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            int i = BitOperations.TrailingZeroCount(rest);
            ulong value = 0;
            for (int part = 0; part < parts.Length; part++)
            {
                value |= r[(parts[part] * 32) + i] << (part * bits);
            }

            r[(d * 32) + i] = value;
        }

        warp.Written[d] |= lanes;
    }
}

/// <summary>Reads a clock that moves on with every instruction.</summary>
internal sealed class ReadClock(int d, ulong mask, bool isTime) : Instruction
{
    public override void Run(Warp warp, uint lanes)
    {
        PtxRun launch = warp.Group.Launch;
        ulong now = isTime ? (ulong)System.Diagnostics.Stopwatch.GetElapsedTime(launch.Started).TotalNanoseconds : (ulong)launch.Clock;
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            warp.Registers[(d * 32) + BitOperations.TrailingZeroCount(rest)] = now & mask;
        }

        warp.Written[d] |= lanes;
    }
}

/// <summary>Does nothing that the emulator can see: fences, prefetches, hints.</summary>
internal sealed class Nothing : Instruction
{
    public override void Run(Warp warp, uint lanes)
    {
    }
}

/// <summary>Stops the launch with an error: <c>trap</c>, or the end of the code.</summary>
internal sealed class Stop(string reason) : Instruction
{
    public override void Run(Warp warp, uint lanes) => throw warp.Error(BitOperations.TrailingZeroCount(lanes), this, reason);
}
