using System.Numerics;
using System.Runtime.CompilerServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>The softmax of one frame, not divided by its sum and with the powers of two apart: p(c) = mantissa[c] · 2^exponent[c] / sum.</summary>
/// <remarks>e^x is taken of the logit itself, not of its distance from the largest, which would lose the last bits of unlikely classes; they decide where only unlikely labels remain.</remarks>
internal static unsafe class CtcFrame
{
    private const double Log2E = 1.44269504088896341;

    /// <summary>Fills <paramref name="mantissa"/> and <paramref name="exponent"/> and returns the sum; NaN if a logit is NaN or +∞, or all are −∞.</summary>
    public static T Exponentials<T>(T* logits, int classes, T* mantissa, T* exponent)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T largest = SimdLoop.Max<T, Largest<T>>(0, classes, new(logits));
        return T.IsFinite(largest)
            ? SimdLoop.Sum<T, Split<T>>(0, classes, new(logits, mantissa, exponent, T.Round(largest * T.CreateTruncating(Log2E))))
            : T.NaN;
    }

    /// <summary>softmax[c] = mantissa[c] · 2^exponent[c] / sum.</summary>
    public static void Softmax<T>(T* mantissa, T* exponent, T sum, int classes, T* softmax)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => SimdLoop.For<T, Join<T>>(0, classes, new(mantissa, exponent, T.One / sum, softmax));

    private readonly struct Largest<T>(T* x) : ISimdFold<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        // A NaN may get lost here; the sum finds it.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TV Step<TV>(TV soFar, nint i)
            where TV : unmanaged, ISimd<TV, T> => TV.MaxNative(soFar, TV.Load(x + i));
    }

    private readonly struct Split<T>(T* x, T* mantissa, T* exponent, T top) : ISimdFold<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        private const double Least = -1e9;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TV Step<TV>(TV soFar, nint i)
            where TV : unmanaged, ISimd<TV, T>
        {
            // x = n·ln 2 + r with |r| ≤ ln 2 / 2; ln 2 in two parts, so that n times the upper one is exact. Finite logits far below keep a number, −∞ is 0.
            bool single = typeof(T) == typeof(float);
            TV v = TV.Load(x + i), first = TV.Broadcast(top);
            TV n = TV.MaxNative(first + TV.Of(Least), TV.Round(v * TV.Of(Log2E)));
            TV r = TV.Fma(n, single ? TV.Of(-0.693145751953125) : TV.Of(-6.93147180369123816490e-01), v);
            r = TV.Fma(n, single ? TV.Of(-1.42860682030941723212e-6) : TV.Of(-1.90821492927058770002e-10), r);
            TV e = VectorMath.Exp<TV, T>(TV.MinNative(TV.Of(0.36), TV.MaxNative(TV.Of(-0.36), r)));
            TV none = TV.Equal(v, TV.Of(double.NegativeInfinity));
            e = TV.Select(none, TV.Of(0.0), e);
            n = TV.Select(none, TV.Of(CtcStates<T>.Impossible), n - first);
            e.Store(mantissa + i);
            n.Store(exponent + i);
            return soFar + TV.ScaleByPowerOfTwo(e, TV.MaxNative(CtcScale<TV, T>.Negligible, n));
        }
    }

    private readonly struct Join<T>(T* mantissa, T* exponent, T scale, T* y) : ISimdBody<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(nint i)
            where TV : unmanaged, ISimd<TV, T> =>
            (TV.ScaleByPowerOfTwo(TV.Load(mantissa + i), TV.MaxNative(CtcScale<TV, T>.Negligible, TV.Load(exponent + i))) * TV.Broadcast(scale)).Store(y + i);
    }
}

/// <summary>Powers of two within reach of one scaling.</summary>
internal static class CtcScale<TV, T>
    where TV : unmanaged, ISimd<TV, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>An exponent below which a scaled mantissa adds nothing to one that is not scaled; mantissas are within 2^±40.</summary>
    public static TV Negligible
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => typeof(T) == typeof(float) ? TV.Of(-200.0) : TV.Of(-1200.0);
    }
}
