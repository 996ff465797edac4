using System.Numerics;
using System.Runtime.CompilerServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>The normaliser of a softmax over one row: log Σ exp(x·s) = Maximum·s + Log, kept in two parts so that neither overflows nor cancels.</summary>
/// <param name="Maximum">The largest element of the row.</param>
/// <param name="Log">log Σ exp((x − Maximum)·s), between 0 and the logarithm of the row's length.</param>
internal readonly unsafe record struct LogSumExp<T>(T Maximum, T Log)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Of <paramref name="count"/> elements, read twice; NaN if one is NaN or all are −∞.</summary>
    /// <param name="scale">s &gt; 0, such as one over a temperature.</param>
    public static LogSumExp<T> Of(T* x, nint count, T scale)
    {
        T maximum = SimdLoop.Max<T, Largest>(0, count, new(x));
        T sum = SimdLoop.Sum<T, Exponentials>(0, count, new(x, maximum, scale));
        return new(maximum, T.Log(sum));
    }

    private readonly struct Largest(T* x) : ISimdFold<T>
    {
        // A NaN may get lost here; the sum finds it.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TV Step<TV>(TV soFar, nint i)
            where TV : unmanaged, ISimd<TV, T> => TV.MaxNative(soFar, TV.Load(x + i));
    }

    private readonly struct Exponentials(T* x, T maximum, T scale) : ISimdFold<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TV Step<TV>(TV soFar, nint i)
            where TV : unmanaged, ISimd<TV, T> =>
            soFar + VectorMath.Exp<TV, T>((TV.Load(x + i) - TV.Broadcast(maximum)) * TV.Broadcast(scale));
    }
}
