using System.Numerics;

namespace LinearCald.Tensors.Cpu;

/// <summary>The plain twin of <see cref="LinformerAttentionKernel"/>: plain projections around <see cref="AttentionReference"/> over the slots.</summary>
internal static unsafe class LinformerAttentionReference
{
    /// <summary>See <see cref="LinformerAttentionKernel.Forward{T}"/>.</summary>
    public static void Forward<T>(
        in LinformerShape shape, in AttentionOptions options, Rows<T> q, Rows<T> k, Rows<T> v, T* e, T* f, int* lengths,
        Rows<T> output, T* kProjected, T* vProjected, T* lse)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Project(in shape, lengths, k, e, kProjected);
        Project(in shape, lengths, v, f, vProjected);
        AttentionShape slots = shape.Slots;
        AttentionReference.Forward(in slots, in options, q, new(kProjected, shape.Width), new(vProjected, shape.Width), null, output, lse);
    }

    /// <summary>See <see cref="LinformerAttentionKernel.Backward{T}"/>.</summary>
    public static void Backward<T>(
        in LinformerShape shape, in AttentionOptions options, Rows<T> q, Rows<T> k, Rows<T> v, T* e, T* f, int* lengths,
        Rows<T> output, T* kProjected, T* vProjected, T* lse, Rows<T> dOutput,
        Rows<T> dq, Rows<T> dk, Rows<T> dv, T* de, bool accumulateE, T* df, bool accumulateF)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        AttentionShape slots = shape.Slots;
        T[] dkProjected = new T[shape.Batch * shape.Rank * shape.Width], dvProjected = new T[dkProjected.Length];
        fixed (T* gk = dkProjected, gv = dvProjected)
        {
            AttentionReference.Backward(
                in slots, in options, q, new(kProjected, shape.Width), new(vProjected, shape.Width), null, output, lse,
                dOutput, dq, new(gk, shape.Width), new(gv, shape.Width));
            if (!accumulateE)
            {
                new Span<T>(de, shape.Positions * shape.Rank).Clear();
            }

            if (!accumulateF && df != de)
            {
                new Span<T>(df, shape.Positions * shape.Rank).Clear();
            }

            ProjectGradient(in shape, lengths, k, e, gk, dk, de);
            ProjectGradient(in shape, lengths, v, f, gv, dv, df);
        }
    }

    private static void Project<T>(in LinformerShape shape, int* lengths, Rows<T> x, T* projection, T* projected)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (int b = 0; b < shape.Batch; b++)
        {
            int n = shape.LengthOf(lengths, b);
            for (int s = 0; s < shape.Rank; s++)
            {
                for (int c = 0; c < shape.Width; c++)
                {
                    T sum = T.Zero;
                    for (int t = 0; t < n; t++)
                    {
                        sum += projection[(t * shape.Rank) + s] * x[((nint)b * shape.Length) + t][c];
                    }

                    projected[((((nint)b * shape.Rank) + s) * shape.Width) + c] = n == 0 ? T.Zero : sum / T.Sqrt(T.CreateTruncating(n));
                }
            }
        }
    }

    private static void ProjectGradient<T>(in LinformerShape shape, int* lengths, Rows<T> x, T* projection, T* gProjected, Rows<T> gx, T* gProjection)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (int b = 0; b < shape.Batch; b++)
        {
            int n = shape.LengthOf(lengths, b);
            for (int t = 0; t < shape.Length; t++)
            {
                for (int c = 0; c < shape.Width; c++)
                {
                    nint at = ((nint)b * shape.Length) + t;
                    T sum = T.Zero;
                    for (int s = 0; t < n && s < shape.Rank; s++)
                    {
                        T g = gProjected[((((nint)b * shape.Rank) + s) * shape.Width) + c] / T.Sqrt(T.CreateTruncating(n));
                        sum += projection[(t * shape.Rank) + s] * g;
                        gProjection[(t * shape.Rank) + s] += x[at][c] * g;
                    }

                    gx[at][c] = sum;
                }
            }
        }
    }
}
