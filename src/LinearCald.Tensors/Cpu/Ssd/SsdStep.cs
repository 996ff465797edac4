using System.Numerics;
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
            for (int i = 0; i < p; i++)
            {
                nint row = (nint)i * n;
                y[i] = (skip * x[i]) + SimdLoop.Sum<T, StateRow<T>>(
                    0, n, new StateRow<T>(before == null ? null : before + row, after == null ? null : after + row, b, c, decay, delta * x[i]));
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

    /// <summary>h ← decay · h + input · b for the states of one feature; sums h · c.</summary>
    private readonly struct StateRow<T>(T* before, T* after, T* b, T* c, T decay, T input) : ISimdFold<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public TV Step<TV>(TV soFar, nint i)
            where TV : unmanaged, ISimd<TV, T>
        {
            TV state = TV.Broadcast(input) * TV.Load(b + i);
            if (before != null)
            {
                state = TV.Fma(TV.Broadcast(decay), TV.Load(before + i), state);
            }

            if (after != null)
            {
                state.Store(after + i);
            }

            return TV.Fma(state, TV.Load(c + i), soFar);
        }
    }
}
