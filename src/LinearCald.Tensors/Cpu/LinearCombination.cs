using System.Numerics;
using System.Runtime.CompilerServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>Sums of scaled buffers, and filling one: what gradient accumulation and optimisers are made of.</summary>
internal static unsafe class LinearCombination
{
    /// <summary>y[i] += x[i].</summary>
    public static void Add<T>(T* x, T* y, long count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => ParallelLoop.For<T, AddBody<T>>(count, new(x, y));

    /// <summary>y[r, c] += x[r, c], the rows of y <paramref name="pitch"/> elements apart and those of x without gaps.</summary>
    public static void AddRows<T>(T* x, T* y, long rows, long columns, long pitch)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        WorkerPool.Shared.For(Cut.Pieces(rows, Cut.Rows(columns)), new AddRowsPiece<T>(x, y, rows, columns, pitch));

    /// <summary>y[i] += a·x[i].</summary>
    public static void AddScaled<T>(T a, T* x, T* y, long count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => ParallelLoop.For<T, AddScaledBody<T>>(count, new(a, x, y));

    /// <summary>y[i] = a·x[i] + b·y[i]; with b = 0, y is not read.</summary>
    public static void Combine<T>(T a, T* x, T b, T* y, long count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (b == T.Zero)
        {
            Unary.Affine(x, a, T.Zero, y, count);
        }
        else
        {
            ParallelLoop.For<T, CombineBody<T>>(count, new(a, x, b, y));
        }
    }

    /// <summary>y[i] = value.</summary>
    public static void Fill<T>(T* y, T value, long count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => ParallelLoop.For<T, FillBody<T>>(count, new(y, value));

    /// <summary>y[s, i] = factors[s] · x[s, i] for <paramref name="elements"/> numbers a sample.</summary>
    public static void ScaleSamples<T>(T* x, T* factors, T* y, long samples, long elements)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        WorkerPool.Shared.For(Cut.Pieces(samples, Cut.Rows(elements)), new ScaleSamplesPiece<T>(x, factors, y, samples, elements));

    private readonly struct ScaleSamplesPiece<T>(T* x, T* factors, T* y, long samples, long elements) : IParallelBody
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Execute(int index)
        {
            long size = Cut.Rows(elements);
            for (long s = index * size; s < Math.Min((index + 1) * size, samples); s++)
            {
                SimdLoop.For<T, MapBody<T, Scale<T>>>(0, (nint)elements, new(x + (s * elements), y + (s * elements), new(factors[s])));
            }
        }
    }

    private readonly struct AddRowsPiece<T>(T* x, T* y, long rows, long columns, long pitch) : IParallelBody
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Execute(int index)
        {
            long size = Cut.Rows(columns);
            for (long r = index * size; r < Math.Min((index + 1) * size, rows); r++)
            {
                SimdLoop.For<T, AddBody<T>>(0, (nint)columns, new(x + (r * columns), y + (r * pitch)));
            }
        }
    }

    private readonly struct AddBody<T>(T* x, T* y) : ISimdBody<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(nint i)
            where TV : unmanaged, ISimd<TV, T> => (TV.Load(y + i) + TV.Load(x + i)).Store(y + i);
    }

    private readonly struct AddScaledBody<T>(T a, T* x, T* y) : ISimdBody<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(nint i)
            where TV : unmanaged, ISimd<TV, T> => TV.Fma(TV.Broadcast(a), TV.Load(x + i), TV.Load(y + i)).Store(y + i);
    }

    private readonly struct CombineBody<T>(T a, T* x, T b, T* y) : ISimdBody<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(nint i)
            where TV : unmanaged, ISimd<TV, T> =>
            TV.Fma(TV.Broadcast(a), TV.Load(x + i), TV.Broadcast(b) * TV.Load(y + i)).Store(y + i);
    }

    private readonly struct FillBody<T>(T* y, T value) : ISimdBody<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(nint i)
            where TV : unmanaged, ISimd<TV, T> => TV.Broadcast(value).Store(y + i);
    }
}
