using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// Dropout: y = x·f with f = 1/(1 − p) with probability 1 − p, else 0. Element i is dropped when word i of the <see cref="Philox"/>
/// stream is below p·2³², so that the mask is never stored: the backward is the same call on the gradient.
/// </summary>
internal static unsafe class DropoutKernel
{
    /// <summary>Factors that are made at a time, on the stack.</summary>
    public const int Tile = 1024;

    /// <summary>y[i] = x[i]·f[i]; y may be x.</summary>
    /// <param name="p">Probability of a zero, 0 ≤ p &lt; 1.</param>
    /// <param name="seed">Key of the mask, with <paramref name="stream"/>.</param>
    public static void Apply<T>(T* x, T* y, long count, double p, ulong seed, ulong stream)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        WorkerPool.Shared.For(Cut.Pieces(count, Cut.Elements), new Piece<T>(x, y, count, new DropoutMask<T>(p, seed, stream)));

    private readonly struct Piece<T>(T* x, T* y, long count, DropoutMask<T> mask) : IParallelBody
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Execute(int index)
        {
            T* factors = stackalloc T[Tile];
            long end = Math.Min((index + 1L) * Cut.Elements, count);
            for (long at = (long)index * Cut.Elements; at < end; at += Tile)
            {
                int size = (int)Math.Min(Tile, end - at);
                mask.Factors((ulong)at, factors, size);
                SimdLoop.For<T, ZipBody<T, Product<T>>>(0, size, new(x + at, factors, y + at, default));
            }
        }
    }

    /// <summary>a·b.</summary>
    internal readonly struct Product<T> : IBinaryOperator<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TV Apply<TV>(TV a, TV b)
            where TV : unmanaged, ISimd<TV, T> => a * b;
    }
}

/// <summary>The factors of a dropout mask, any stretch of them.</summary>
internal readonly unsafe struct DropoutMask<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly uint _threshold;
    private readonly T _kept;
    private readonly ulong _seed;
    private readonly ulong _stream;

    /// <param name="p">Probability of a zero, 0 ≤ p &lt; 1.</param>
    /// <param name="seed">Key of the mask, with <paramref name="stream"/>.</param>
    public DropoutMask(double p, ulong seed, ulong stream)
    {
        _threshold = (uint)Math.Min(uint.MaxValue, Math.Round(p * 4294967296.0));
        _kept = T.CreateTruncating(1 / (1 - p));
        _seed = seed;
        _stream = stream;
    }

    /// <summary>factors[j] = 0 or 1/(1 − p), for the elements first … first + count − 1.</summary>
    [SkipLocalsInit]
    public void Factors(ulong first, T* factors, int count)
    {
        T* whole = stackalloc T[Philox.GroupSize];
        int done = 0;
        while (done < count)
        {
            ulong element = first + (ulong)done;
            int skip = (int)(element % Philox.GroupSize), take = Math.Min(Philox.GroupSize - skip, count - done);
            if (take == Philox.GroupSize)
            {
                Group(element / Philox.GroupSize, factors + done);
            }
            else
            {
                Group(element / Philox.GroupSize, whole);
                new ReadOnlySpan<T>(whole + skip, take).CopyTo(new Span<T>(factors + done, take));
            }

            done += take;
        }
    }

    [SkipLocalsInit]
    private void Group(ulong group, T* factors)
    {
        uint* words = stackalloc uint[Philox.GroupSize];
        Philox.Group(_seed, _stream, group, words);
        int i = 0;
        if (typeof(T) == typeof(float) && Vector512.IsHardwareAccelerated)
        {
            for (; i < Philox.GroupSize; i += Vector512<uint>.Count)
            {
                Vector512<uint> keep = Vector512.GreaterThanOrEqual(Vector512.Load(words + i), Vector512.Create(_threshold));
                (keep & Vector512.Create(_kept).AsUInt32()).Store((uint*)factors + i);
            }
        }
        else if (typeof(T) == typeof(float) && Vector256.IsHardwareAccelerated)
        {
            for (; i < Philox.GroupSize; i += Vector256<uint>.Count)
            {
                Vector256<uint> keep = Vector256.GreaterThanOrEqual(Vector256.Load(words + i), Vector256.Create(_threshold));
                (keep & Vector256.Create(_kept).AsUInt32()).Store((uint*)factors + i);
            }
        }

        for (; i < Philox.GroupSize; i++)
        {
            factors[i] = words[i] >= _threshold ? _kept : T.Zero;
        }
    }
}
