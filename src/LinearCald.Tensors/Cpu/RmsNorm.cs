using System.Numerics;
using System.Runtime.CompilerServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>Rows of <paramref name="Groups"/> groups of <paramref name="Size"/> elements each.</summary>
internal readonly record struct RmsNormShape(long Rows, int Groups, int Size)
{
    /// <summary>Elements of a row.</summary>
    public long Columns => (long)Groups * Size;
}

/// <summary>A matrix whose rows lie at a pitch; null for none.</summary>
internal readonly unsafe struct PitchedRows<T>(T* first, long pitch)
    where T : unmanaged
{
    public bool Exists => first is not null;

    /// <summary>Column <paramref name="column"/> of a row; null where there are none.</summary>
    public T* At(long row, long column) => first is null ? null : first + (row * pitch) + column;
}

/// <summary>
/// y = w · v · r with v = x · SiLU(z) (or x) and r = 1/√(mean(v²) + ε) over each group of a row. A group stays in the first-level cache between its two passes.
/// Floor: one read of x and z, one write of y.
/// </summary>
internal static unsafe class RmsNorm
{
    /// <param name="z">The gate; none for a plain norm.</param>
    /// <param name="y">[rows, columns], contiguous.</param>
    /// <param name="rstd">[rows, groups]: written, for the backward.</param>
    public static void Forward<T>(RmsNormShape shape, PitchedRows<T> x, PitchedRows<T> z, T* weight, T* y, T* rstd, double epsilon)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        WorkerPool.Shared.For(Cut.Pieces(shape.Rows, Cut.Rows(shape.Columns)), new ForwardPiece<T>(shape, x, z, weight, y, rstd, epsilon));

    /// <summary>dv = r·(g·w − v·r²·mean(g·w·v)), dx = dv·SiLU(z), dz = dv·x·SiLU′(z), dw = Σ g·v·r over the rows.</summary>
    /// <param name="dx">Written; none if not wanted. So with <paramref name="dz"/>.</param>
    /// <param name="dweight">[columns]: written, or added to when <paramref name="accumulate"/>; null if not wanted.</param>
    public static void Backward<T>(
        RmsNormShape shape, PitchedRows<T> x, PitchedRows<T> z, T* weight, T* rstd, T* dy, PitchedRows<T> dx, PitchedRows<T> dz, T* dweight, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        long block = LayerNorm.GradientRows(shape.Rows, shape.Columns);
        int blocks = Cut.Pieces(shape.Rows, block);
        using Scratch<T> partials = new(dweight is null ? 0 : blocks * shape.Columns);
        T* partial = dweight is null ? null : partials.Pointer;
        WorkerPool.Shared.For(blocks, new BackwardPiece<T>(shape, x, z, weight, rstd, dy, dx, dz, partial, block));
        if (dweight is not null)
        {
            ColumnSum.AddPartials(partial, dweight, blocks, shape.Columns, accumulate);
        }
    }

    private readonly struct ForwardPiece<T>(RmsNormShape shape, PitchedRows<T> x, PitchedRows<T> z, T* weight, T* y, T* rstd, double epsilon) : IParallelBody
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Execute(int index)
        {
            long rows = Cut.Rows(shape.Columns);
            for (long r = index * rows; r < Math.Min((index + 1) * rows, shape.Rows); r++)
            {
                for (int g = 0; g < shape.Groups; g++)
                {
                    long column = (long)g * shape.Size;
                    T* input = x.At(r, column), output = y + (r * shape.Columns) + column;
                    T squares;
                    if (z.Exists)
                    {
                        squares = SimdLoop.Sum<T, GatedSquares<T>>(0, shape.Size, new(input, z.At(r, column), output));
                        input = output;
                    }
                    else
                    {
                        squares = SimdLoop.Sum<T, Squares<T>>(0, shape.Size, new(input));
                    }

                    T scale = T.One / T.Sqrt((squares / T.CreateTruncating(shape.Size)) + T.CreateTruncating(epsilon));
                    rstd[(r * shape.Groups) + g] = scale;
                    SimdLoop.For<T, ScaleBody<T>>(0, shape.Size, new(input, weight + column, output, scale));
                }
            }
        }
    }

    private readonly struct BackwardPiece<T>(
        RmsNormShape shape, PitchedRows<T> x, PitchedRows<T> z, T* weight, T* rstd, T* dy, PitchedRows<T> dx, PitchedRows<T> dz, T* partials, long block) : IParallelBody
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Execute(int index)
        {
            T* partial = partials is null ? null : partials + (index * shape.Columns);
            if (partial is not null)
            {
                new Span<T>(partial, checked((int)shape.Columns)).Clear();
            }

            using Scratch<T> sigmoids = new(z.Exists ? shape.Size : 0);
            for (long r = index * block; r < Math.Min((index + 1) * block, shape.Rows); r++)
            {
                for (int g = 0; g < shape.Groups; g++)
                {
                    long column = (long)g * shape.Size;
                    Group(r, column, rstd[(r * shape.Groups) + g], partial is null ? null : partial + column, sigmoids.Pointer);
                }
            }
        }

        private void Group(long r, long column, T scale, T* partial, T* sigmoids)
        {
            T* input = x.At(r, column), gate = z.At(r, column), given = dy + (r * shape.Columns) + column, w = weight + column;
            T* toX = dx.At(r, column), toZ = dz.At(r, column);
            T sum = z.Exists
                ? SimdLoop.Sum<T, GatedProjection<T>>(0, shape.Size, new(input, gate, sigmoids, w, given, scale, partial))
                : SimdLoop.Sum<T, Projection<T>>(0, shape.Size, new(input, w, given, scale, partial));
            T slope = scale * scale * sum / T.CreateTruncating(shape.Size);
            if (z.Exists && (toX is not null || toZ is not null))
            {
                SimdLoop.For<T, GatedGradient<T>>(0, shape.Size, new(input, gate, sigmoids, w, given, scale, slope, toX, toZ));
            }
            else if (toX is not null)
            {
                SimdLoop.For<T, Gradient<T>>(0, shape.Size, new(input, w, given, scale, slope, toX));
            }
        }
    }

    private readonly struct Squares<T>(T* x) : ISimdFold<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TV Step<TV>(TV soFar, nint i)
            where TV : unmanaged, ISimd<TV, T>
        {
            TV v = TV.Load(x + i);
            return TV.Fma(v, v, soFar);
        }
    }

    /// <summary>v = x·SiLU(z), kept for the second pass.</summary>
    private readonly struct GatedSquares<T>(T* x, T* z, T* v) : ISimdFold<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TV Step<TV>(TV soFar, nint i)
            where TV : unmanaged, ISimd<TV, T>
        {
            TV gated = TV.Load(x + i) * default(Silu<T>).Apply(TV.Load(z + i));
            gated.Store(v + i);
            return TV.Fma(gated, gated, soFar);
        }
    }

    private readonly struct ScaleBody<T>(T* v, T* weight, T* y, T scale) : ISimdBody<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(nint i)
            where TV : unmanaged, ISimd<TV, T> => (TV.Load(v + i) * TV.Broadcast(scale) * TV.Load(weight + i)).Store(y + i);
    }

    /// <summary>Σ g·w·v, with dw += g·v·r on the way.</summary>
    private readonly struct Projection<T>(T* x, T* weight, T* dy, T scale, T* dweight) : ISimdFold<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TV Step<TV>(TV soFar, nint i)
            where TV : unmanaged, ISimd<TV, T>
        {
            TV product = TV.Load(dy + i) * TV.Load(x + i);
            if (dweight is not null)
            {
                TV.Fma(product, TV.Broadcast(scale), TV.Load(dweight + i)).Store(dweight + i);
            }

            return TV.Fma(product, TV.Load(weight + i), soFar);
        }
    }

    /// <summary>The same of a gated input; σ(z) is kept for the second pass.</summary>
    private readonly struct GatedProjection<T>(T* x, T* z, T* sigmoids, T* weight, T* dy, T scale, T* dweight) : ISimdFold<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TV Step<TV>(TV soFar, nint i)
            where TV : unmanaged, ISimd<TV, T>
        {
            TV gate = TV.Load(z + i), sigmoid = VectorMath.Sigmoid<TV, T>(gate);
            sigmoid.Store(sigmoids + i);
            TV product = TV.Load(dy + i) * (TV.Load(x + i) * (gate * sigmoid));
            if (dweight is not null)
            {
                TV.Fma(product, TV.Broadcast(scale), TV.Load(dweight + i)).Store(dweight + i);
            }

            return TV.Fma(product, TV.Load(weight + i), soFar);
        }
    }

    private readonly struct Gradient<T>(T* x, T* weight, T* dy, T scale, T slope, T* dx) : ISimdBody<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(nint i)
            where TV : unmanaged, ISimd<TV, T> =>
            (TV.Fma(TV.Load(x + i), TV.Broadcast(-slope), TV.Load(dy + i) * TV.Load(weight + i)) * TV.Broadcast(scale)).Store(dx + i);
    }

    private readonly struct GatedGradient<T>(T* x, T* z, T* sigmoids, T* weight, T* dy, T scale, T slope, T* dx, T* dz) : ISimdBody<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(nint i)
            where TV : unmanaged, ISimd<TV, T>
        {
            TV input = TV.Load(x + i), gate = TV.Load(z + i), sigmoid = TV.Load(sigmoids + i), silu = gate * sigmoid;
            TV d = TV.Fma(input * silu, TV.Broadcast(-slope), TV.Load(dy + i) * TV.Load(weight + i)) * TV.Broadcast(scale);
            if (dx is not null)
            {
                (d * silu).Store(dx + i);
            }

            if (dz is not null)
            {
                // SiLU′ = s·(1 + z·(1 − s)) = s + SiLU·(1 − s)
                (d * input * TV.Fma(silu, TV.Of(1.0) - sigmoid, sigmoid)).Store(dz + i);
            }
        }
    }
}
