using System.Numerics;
using System.Runtime.Intrinsics;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// Softmax attention, blocked over queries and keys: memory beside the outputs does not grow with QueryLength · KeyLength. Multi-threaded,
/// the same bits for any number of threads. The plain twin is <see cref="AttentionReference"/>.
/// </summary>
/// <remarks>
/// Keys at positions from lengths[b] on are hidden from every query of sample b. Queries at padded positions are computed like any other
/// (their outputs are part of the hidden states). A query that sees no key (length 0, or the start of a causal call with more queries than
/// keys) has output 0 and log-sum −∞, and passes no gradient.
/// Floor: 4 · B · H · Lq · Lk · D operations forward, 10 backward (the scores are computed again), and one exponential a score in each.
/// </remarks>
internal static unsafe class AttentionKernel
{
    /// <summary>output = softmax(scale · q kᵀ) v a head, and lse[b, h, i] = log Σ_j exp(score_ij), which the gradient needs. Buffers: see <see cref="AttentionShape"/>.</summary>
    /// <param name="lengths">Valid keys of each sample, 0 … KeyLength; null: all.</param>
    /// <param name="pool">Threads to use; null: <see cref="WorkerPool.Shared"/>.</param>
    public static void Forward<T>(
        in AttentionShape shape, in AttentionOptions options, Rows<T> q, Rows<T> k, Rows<T> v, int* lengths, Rows<T> output, T* lse, WorkerPool? pool = null)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        shape.Check(in options, lengths);
        pool ??= WorkerPool.Shared;
        if (Vector512.IsHardwareAccelerated)
        {
            Forward<T, Wide512<T>>(in shape, in options, q, k, v, lengths, output, lse, pool);
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            Forward<T, Wide256<T>>(in shape, in options, q, k, v, lengths, output, lse, pool);
        }
        else if (Vector128.IsHardwareAccelerated)
        {
            Forward<T, Wide128<T>>(in shape, in options, q, k, v, lengths, output, lse, pool);
        }
        else
        {
            Forward<T, Lane<T>>(in shape, in options, q, k, v, lengths, output, lse, pool);
        }
    }

    /// <summary>
    /// Gradients of the queries, keys and values, overwritten; rows of hidden keys become 0. <paramref name="output"/> and
    /// <paramref name="lse"/> are the forward pass's.
    /// </summary>
    /// <param name="pool">Threads to use; null: <see cref="WorkerPool.Shared"/>.</param>
    public static void Backward<T>(
        in AttentionShape shape, in AttentionOptions options, Rows<T> q, Rows<T> k, Rows<T> v, int* lengths, Rows<T> output, T* lse,
        Rows<T> dOutput, Rows<T> dq, Rows<T> dk, Rows<T> dv, WorkerPool? pool = null)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        shape.Check(in options, lengths);
        pool ??= WorkerPool.Shared;
        if (Vector512.IsHardwareAccelerated)
        {
            Backward<T, Wide512<T>>(in shape, in options, q, k, v, lengths, output, lse, dOutput, dq, dk, dv, pool);
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            Backward<T, Wide256<T>>(in shape, in options, q, k, v, lengths, output, lse, dOutput, dq, dk, dv, pool);
        }
        else if (Vector128.IsHardwareAccelerated)
        {
            Backward<T, Wide128<T>>(in shape, in options, q, k, v, lengths, output, lse, dOutput, dq, dk, dv, pool);
        }
        else
        {
            Backward<T, Lane<T>>(in shape, in options, q, k, v, lengths, output, lse, dOutput, dq, dk, dv, pool);
        }
    }

    /// <summary>The forward pass at one register width.</summary>
    internal static void Forward<T, TV>(
        in AttentionShape shape, in AttentionOptions options, Rows<T> q, Rows<T> k, Rows<T> v, int* lengths, Rows<T> output, T* lse, WorkerPool pool)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TV : unmanaged, ISimd<TV, T>
    {
        if (AttentionDecode<T, TV>.Fits(in shape, in options))
        {
            new AttentionDecode<T, TV>
            {
                Shape = shape,
                Options = options,
                Query = q,
                Key = k,
                Value = v,
                Lengths = lengths,
                Output = output,
                LogSumExp = lse,
            }.Execute(pool);
            return;
        }

        new AttentionForward<T, TV>
        {
            Shape = shape,
            Options = options,
            Query = q,
            Key = k,
            Value = v,
            Lengths = lengths,
            Output = output,
            LogSumExp = lse,
        }.Execute(pool);
    }

    /// <summary>The backward pass at one register width.</summary>
    internal static void Backward<T, TV>(
        in AttentionShape shape, in AttentionOptions options, Rows<T> q, Rows<T> k, Rows<T> v, int* lengths, Rows<T> output, T* lse,
        Rows<T> dOutput, Rows<T> dq, Rows<T> dk, Rows<T> dv, WorkerPool pool)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TV : unmanaged, ISimd<TV, T> => new AttentionBackward<T, TV>
        {
            Shape = shape,
            Options = options,
            Query = q,
            Key = k,
            Value = v,
            Lengths = lengths,
            Output = output,
            LogSumExp = lse,
            OutputGradient = dOutput,
            QueryGradient = dq,
            KeyGradient = dk,
            ValueGradient = dv,
        }.Execute(pool);
}
