using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cpu;

/// <summary>One position of every row: the step of generation. The state is read and written once where it lies; floor: its bytes.</summary>
internal static unsafe class SsdStep
{
    /// <summary>See <see cref="SsdKernel.Forward{T}(in SsdShape, in SsdData{T}, T*, WorkerPool?)"/>, for a length of 1.</summary>
    public static void Execute<T>(in SsdShape shape, in SsdData<T> data, T* y, WorkerPool pool)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int run = (int)Math.Clamp(Cut.Elements / Math.Max(1, shape.StateCount), 1, shape.Heads);
        pool.For(shape.Batch * Cut.Pieces(shape.Heads, run), new Heads<T> { Shape = shape, Data = data, Output = y, Run = run });
    }

    private struct Heads<T> : IParallelBody
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public SsdShape Shape;
        public SsdData<T> Data;
        public T* Output;
        public int Run;

        public readonly void Execute(int index)
        {
            (int batch, int piece) = Math.DivRem(index, Cut.Pieces(Shape.Heads, Run));
            for (int head = piece * Run; head < Math.Min(Shape.Heads, (piece + 1) * Run); head++)
            {
                Head(batch, head);
            }
        }

        private readonly void Head(int batch, int head)
        {
            int p = Shape.HeadSize, n = Shape.StateSize;
            long column = (long)head * p, place = (((long)batch * Shape.Heads) + head) * Shape.StateCount;
            T* y = Output + (((long)batch * Shape.Heads * p) + column);
            T* before = Data.InitialState == null ? null : Data.InitialState + place, after = Data.FinalState == null ? null : Data.FinalState + place;
            if (Data.Lengths != null && Data.Lengths[batch] < 1)
            {
                new Span<T>(y, p).Clear();
                Keep(before, after);
                return;
            }

            T* x = Data.X[batch] + column, b = Data.B[batch] + ((long)(head / Shape.HeadsPerGroup) * n), c = Data.C[batch] + ((long)(head / Shape.HeadsPerGroup) * n);
            T delta = SsdReference.Delta(in Shape, Data.Delta[batch][head] + (Data.DeltaBias == null ? T.Zero : Data.DeltaBias[head]));
            T decay = T.Exp(delta * Data.A[head]), skip = Data.D == null ? T.Zero : Data.D[head];
            if (Vector512.IsHardwareAccelerated)
            {
                Features<T, Wide512<T>>(p, n, before, after, b, c, x, decay, delta, skip, y);
            }
            else if (Vector256.IsHardwareAccelerated)
            {
                Features<T, Wide256<T>>(p, n, before, after, b, c, x, decay, delta, skip, y);
            }
            else if (Vector128.IsHardwareAccelerated)
            {
                Features<T, Wide128<T>>(p, n, before, after, b, c, x, decay, delta, skip, y);
            }
            else
            {
                Features<T, Lane<T>>(p, n, before, after, b, c, x, decay, delta, skip, y);
            }
        }

        private readonly void Keep(T* before, T* after)
        {
            int count = checked((int)Shape.StateCount);
            if (after == null || after == before)
            {
                return;
            }

            if (before == null)
            {
                new Span<T>(after, count).Clear();
            }
            else
            {
                new ReadOnlySpan<T>(before, count).CopyTo(new Span<T>(after, count));
            }
        }
    }

    /// <summary>h ← decay · h + delta · x bᵀ and y = h c + skip · x, four features at a time: they share b and c.</summary>
    private static void Features<T, TV>(int features, nint n, T* before, T* after, T* b, T* c, T* x, T decay, T delta, T skip, T* y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TV : unmanaged, ISimd<TV, T>
    {
        int i = 0;
        for (; i + 4 <= features; i += 4)
        {
            TV sum0 = TV.Of(0.0), sum1 = sum0, sum2 = sum0, sum3 = sum0;
            TV input0 = TV.Broadcast(delta * x[i]), input1 = TV.Broadcast(delta * x[i + 1]), input2 = TV.Broadcast(delta * x[i + 2]), input3 = TV.Broadcast(delta * x[i + 3]);
            nint row = i * n, j = 0;
            for (; j + TV.Width <= n; j += TV.Width)
            {
                TV bj = TV.Load(b + j), cj = TV.Load(c + j);
                sum0 = TV.Fma(Next(before, after, row + j, decay, input0 * bj), cj, sum0);
                sum1 = TV.Fma(Next(before, after, row + n + j, decay, input1 * bj), cj, sum1);
                sum2 = TV.Fma(Next(before, after, row + (2 * n) + j, decay, input2 * bj), cj, sum2);
                sum3 = TV.Fma(Next(before, after, row + (3 * n) + j, decay, input3 * bj), cj, sum3);
            }

            y[i] = sum0.SumLanes() + Rest(before, after, row, j, n, b, c, decay, delta * x[i]) + (skip * x[i]);
            y[i + 1] = sum1.SumLanes() + Rest(before, after, row + n, j, n, b, c, decay, delta * x[i + 1]) + (skip * x[i + 1]);
            y[i + 2] = sum2.SumLanes() + Rest(before, after, row + (2 * n), j, n, b, c, decay, delta * x[i + 2]) + (skip * x[i + 2]);
            y[i + 3] = sum3.SumLanes() + Rest(before, after, row + (3 * n), j, n, b, c, decay, delta * x[i + 3]) + (skip * x[i + 3]);
        }

        for (; i < features; i++)
        {
            y[i] = Rest(before, after, i * n, 0, n, b, c, decay, delta * x[i]) + (skip * x[i]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TV Next<T, TV>(T* before, T* after, nint at, T decay, TV input)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TV : unmanaged, ISimd<TV, T>
    {
        TV state = before == null ? input : TV.Fma(TV.Broadcast(decay), TV.Load(before + at), input);
        if (after != null)
        {
            state.Store(after + at);
        }

        return state;
    }

    /// <summary>The states from <paramref name="first"/> on of the feature at <paramref name="row"/>, one by one.</summary>
    private static T Rest<T>(T* before, T* after, nint row, nint first, nint n, T* b, T* c, T decay, T input)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T sum = T.Zero;
        for (nint j = first; j < n; j++)
        {
            sum += Next(before, after, row + j, decay, new Lane<T>(input * b[j])).Value * c[j];
        }

        return sum;
    }
}
