using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LinearCald.Tensors.Cpu;

/// <summary>What to do with the elements i … i + TV.Width − 1. A struct, so that the step is compiled into the loop.</summary>
internal interface ISimdBody<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <param name="i">Index of the first element of this step.</param>
    void Step<TV>(nint i)
        where TV : unmanaged, ISimd<TV, T>;
}

/// <summary>What the elements i … i + TV.Width − 1 add to a running value. It may also write outputs.</summary>
internal interface ISimdFold<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <param name="soFar">The value gathered by this lane until now; 0 at first in a sum, −∞ in a maximum.</param>
    /// <param name="i">Index of the first element of this step.</param>
    TV Step<TV>(TV soFar, nint i)
        where TV : unmanaged, ISimd<TV, T>;
}

/// <summary>What the elements i … i + TV.Width − 1 add to two running sums.</summary>
internal interface ISimdPairFold<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <param name="first">The first sum so far; starts at 0.</param>
    /// <param name="second">The second sum so far; starts at 0.</param>
    /// <param name="i">Index of the first element of this step.</param>
    void Step<TV>(ref TV first, ref TV second, nint i)
        where TV : unmanaged, ISimd<TV, T>;
}

/// <summary>
/// The loops that every kernel shares: as many steps as fit of the widest register that the processor has, then narrower ones, then
/// single lanes. Which element meets which lane depends on the length only, so sums have the same bits from run to run.
/// </summary>
internal static class SimdLoop
{
    /// <summary>Executes <paramref name="body"/> over the elements from … to − 1.</summary>
    public static void For<T, TBody>(nint from, nint to, TBody body)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TBody : struct, ISimdBody<T>
    {
        nint i = from;
        if (Vector512.IsHardwareAccelerated)
        {
            for (; i <= to - Wide512<T>.Width; i += Wide512<T>.Width)
            {
                body.Step<Wide512<T>>(i);
            }
        }

        if (Vector256.IsHardwareAccelerated)
        {
            for (; i <= to - Wide256<T>.Width; i += Wide256<T>.Width)
            {
                body.Step<Wide256<T>>(i);
            }
        }

        if (Vector128.IsHardwareAccelerated)
        {
            for (; i <= to - Wide128<T>.Width; i += Wide128<T>.Width)
            {
                body.Step<Wide128<T>>(i);
            }
        }

        for (; i < to; i++)
        {
            body.Step<Lane<T>>(i);
        }
    }

    /// <summary>The sum that <paramref name="fold"/> gathers over the elements from … to − 1; 0 for none.</summary>
    public static T Sum<T, TFold>(nint from, nint to, TFold fold)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TFold : struct, ISimdFold<T>
    {
        nint i = from;
        T total = T.Zero;
        if (Vector512.IsHardwareAccelerated)
        {
            total += Gather<Wide512<T>, T, TFold>(ref i, to, Wide512<T>.Of(0.0), ref fold).SumLanes();
        }

        if (Vector256.IsHardwareAccelerated && i < to)
        {
            total += Gather<Wide256<T>, T, TFold>(ref i, to, Wide256<T>.Of(0.0), ref fold).SumLanes();
        }

        if (Vector128.IsHardwareAccelerated && i < to)
        {
            total += Gather<Wide128<T>, T, TFold>(ref i, to, Wide128<T>.Of(0.0), ref fold).SumLanes();
        }

        return i < to ? total + Gather<Lane<T>, T, TFold>(ref i, to, Lane<T>.Of(0.0), ref fold).Value : total;
    }

    /// <summary>The maximum that <paramref name="fold"/> gathers over the elements from … to − 1; −∞ for none.</summary>
    public static T Max<T, TFold>(nint from, nint to, TFold fold)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TFold : struct, ISimdFold<T>
    {
        nint i = from;
        Lane<T> rest = Lane<T>.Broadcast(T.NegativeInfinity);
        if (Vector512.IsHardwareAccelerated)
        {
            Wide512<T> gathered = Wide512<T>.Broadcast(T.NegativeInfinity);
            for (; i <= to - Wide512<T>.Width; i += Wide512<T>.Width)
            {
                gathered = fold.Step(gathered, i);
            }

            rest = new Lane<T>(gathered.MaxLanes());
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            Wide256<T> gathered = Wide256<T>.Broadcast(T.NegativeInfinity);
            for (; i <= to - Wide256<T>.Width; i += Wide256<T>.Width)
            {
                gathered = fold.Step(gathered, i);
            }

            rest = new Lane<T>(gathered.MaxLanes());
        }
        else if (Vector128.IsHardwareAccelerated)
        {
            Wide128<T> gathered = Wide128<T>.Broadcast(T.NegativeInfinity);
            for (; i <= to - Wide128<T>.Width; i += Wide128<T>.Width)
            {
                gathered = fold.Step(gathered, i);
            }

            rest = new Lane<T>(gathered.MaxLanes());
        }

        for (; i < to; i++)
        {
            rest = fold.Step(rest, i);
        }

        return rest.Value;
    }

    /// <summary>The two sums that <paramref name="fold"/> gathers over the elements from … to − 1; 0 for none.</summary>
    public static (T First, T Second) SumPair<T, TFold>(nint from, nint to, TFold fold)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TFold : struct, ISimdPairFold<T>
    {
        nint i = from;
        (T First, T Second) total = (T.Zero, T.Zero);
        if (Vector512.IsHardwareAccelerated)
        {
            Gather<Wide512<T>, T, TFold>(ref i, to, ref total, ref fold);
        }

        if (Vector256.IsHardwareAccelerated && i < to)
        {
            Gather<Wide256<T>, T, TFold>(ref i, to, ref total, ref fold);
        }

        if (Vector128.IsHardwareAccelerated && i < to)
        {
            Gather<Wide128<T>, T, TFold>(ref i, to, ref total, ref fold);
        }

        if (i < to)
        {
            Gather<Lane<T>, T, TFold>(ref i, to, ref total, ref fold);
        }

        return total;
    }

    /// <summary>Four independent sums hide the latency of the addition and shorten the chains of rounding.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TV Gather<TV, T, TFold>(ref nint position, nint to, TV start, ref TFold fold)
        where TV : unmanaged, ISimd<TV, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TFold : struct, ISimdFold<T>
    {
        nint i = position;
        TV a = start, b = start, c = start, d = start;
        for (; i <= to - (4 * TV.Width); i += 4 * TV.Width)
        {
            a = fold.Step(a, i);
            b = fold.Step(b, i + TV.Width);
            c = fold.Step(c, i + (2 * TV.Width));
            d = fold.Step(d, i + (3 * TV.Width));
        }

        for (; i <= to - TV.Width; i += TV.Width)
        {
            a = fold.Step(a, i);
        }

        position = i;
        return (a + b) + (c + d);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Gather<TV, T, TFold>(ref nint position, nint to, ref (T First, T Second) total, ref TFold fold)
        where TV : unmanaged, ISimd<TV, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TFold : struct, ISimdPairFold<T>
    {
        nint i = position;
        TV zero = TV.Of(0.0);
        TV firstA = zero, firstB = zero, secondA = zero, secondB = zero;
        for (; i <= to - (2 * TV.Width); i += 2 * TV.Width)
        {
            fold.Step(ref firstA, ref secondA, i);
            fold.Step(ref firstB, ref secondB, i + TV.Width);
        }

        for (; i <= to - TV.Width; i += TV.Width)
        {
            fold.Step(ref firstA, ref secondA, i);
        }

        position = i;
        total = (total.First + (firstA + firstB).SumLanes(), total.Second + (secondA + secondB).SumLanes());
    }
}
