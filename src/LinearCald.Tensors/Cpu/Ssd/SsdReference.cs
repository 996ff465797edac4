using System.Numerics;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cpu;

/// <summary>The plain twin of <see cref="SsdKernel"/>: the recurrence, one position after the other.</summary>
internal static unsafe class SsdReference
{
    /// <summary>h ← exp(Δ A) h + Δ x bᵀ, y = h c + D x for every head of every row.</summary>
    /// <param name="y">[B·L] × H·P, contiguous.</param>
    public static void Forward<T>(in SsdShape shape, in SsdData<T> data, T* y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Rows<T> output = new(y, (nint)shape.Heads * shape.HeadSize);
        for (int batch = 0; batch < shape.Batch; batch++)
        {
            SsdWay way = data.Way(in shape, batch);
            for (int head = 0; head < shape.Heads; head++)
            {
                Head(in shape, in data, way, batch, head, output);
            }
        }
    }

    /// <summary>Δ from the number that the model computed.</summary>
    public static T Delta<T>(in SsdShape shape, T raw)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T delta = shape.Softplus ? T.Max(raw, T.Zero) + T.LogP1(T.Exp(-T.Abs(raw))) : raw;
        return T.Min(T.Max(delta, T.CreateSaturating(shape.DeltaMin)), T.CreateSaturating(shape.DeltaMax));
    }

    private static void Head<T>(in SsdShape shape, in SsdData<T> data, SsdWay way, int batch, int head, Rows<T> output)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int p = shape.HeadSize, n = shape.StateSize;
        nint column = (nint)head * p, group = (nint)(head / shape.HeadsPerGroup) * n;
        long place = (((long)batch * shape.Heads) + head) * shape.StateCount;
        T[] state = new T[shape.StateCount];
        if (data.InitialState != null)
        {
            new ReadOnlySpan<T>(data.InitialState + place, state.Length).CopyTo(state);
        }

        for (int s = 0; s < way.Steps; s++)
        {
            nint row = way.Row(s);
            if (s > 0 && data.Sequences != null && data.Sequences[row] != data.Sequences[way.Row(s - 1)])
            {
                Array.Clear(state);
            }

            T delta = Delta(in shape, data.Delta[row][head] + (data.DeltaBias == null ? T.Zero : data.DeltaBias[head]));
            T decay = T.Exp(delta * data.A[head]);
            T* x = data.X[row] + column, b = data.B[row] + group, c = data.C[row] + group;
            for (int i = 0; i < p; i++)
            {
                T sum = data.D == null ? T.Zero : data.D[head] * x[i];
                for (int j = 0; j < n; j++)
                {
                    ref T h = ref state[(i * n) + j];
                    h = (decay * h) + (delta * x[i] * b[j]);
                    sum += h * c[j];
                }

                output[row][column + i] = sum;
            }
        }

        way.ClearPadding(output, column, p);
        if (data.FinalState != null)
        {
            state.CopyTo(new Span<T>(data.FinalState + place, state.Length));
        }
    }
}
