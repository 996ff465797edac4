using System.Numerics;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// Linformer attention with per-sample lengths. With n the valid length of a sample, keys and values are compressed to Rank slots,
/// K̃ = E[0:n]ᵀ K[0:n] / √n and Ṽ = F[0:n]ᵀ V[0:n] / √n; then a head attends over the slots, none hidden:
/// output = dropout(softmax(scale · Q K̃ᵀ)) Ṽ. Cost is linear in Length. Multi-threaded, the same bits for any number of threads. The plain
/// twin is <see cref="LinformerAttentionReference"/>.
/// </summary>
/// <remarks>
/// Positions from n on never enter a slot; queries there are computed like any other. A sample of length 0 has zero slots, so its output is 0
/// and no gradient passes. E may be F (one pointer), for shared projections.
/// Floor: 4 · n · Rank · Width operations for the slots and as many for the attention forward; 8 and 10 backward.
/// </remarks>
internal static unsafe class LinformerAttentionKernel
{
    /// <summary>Writes output, and for the gradient the projected keys and values [Batch, Rank, Width] and lse [Batch, Heads, Length].</summary>
    /// <param name="e">[Positions, Rank], for the keys.</param>
    /// <param name="f">[Positions, Rank], for the values; may be <paramref name="e"/>.</param>
    /// <param name="lengths">Valid positions of each sample, 0 … Length; null: all.</param>
    /// <param name="pool">Threads to use; null: <see cref="WorkerPool.Shared"/>.</param>
    public static void Forward<T>(
        in LinformerShape shape, in AttentionOptions options, Rows<T> q, Rows<T> k, Rows<T> v, T* e, T* f, int* lengths,
        Rows<T> output, T* kProjected, T* vProjected, T* lse, WorkerPool? pool = null)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        shape.Check(in options, lengths);
        pool ??= WorkerPool.Shared;
        new LinformerProjection<T>
        {
            Shape = shape,
            Lengths = lengths,
            Key = k,
            Value = v,
            E = e,
            F = f,
            ProjectedKey = kProjected,
            ProjectedValue = vProjected,
        }.Execute(pool);
        AttentionShape slots = shape.Slots;
        AttentionKernel.Forward(in slots, in options, q, new(kProjected, shape.Width), new(vProjected, shape.Width), null, output, lse, pool);
    }

    /// <summary>
    /// Gradients of queries, keys and values, overwritten (rows of positions from n on are 0 for keys and values), and of the projections:
    /// added to what is there when accumulating, else overwritten, rows that no sample reaches becoming 0.
    /// </summary>
    /// <param name="df">May be <paramref name="de"/>: then both parts are added into it and <paramref name="accumulateE"/> alone counts.</param>
    public static void Backward<T>(
        in LinformerShape shape, in AttentionOptions options, Rows<T> q, Rows<T> k, Rows<T> v, T* e, T* f, int* lengths,
        Rows<T> output, T* kProjected, T* vProjected, T* lse, Rows<T> dOutput,
        Rows<T> dq, Rows<T> dk, Rows<T> dv, T* de, bool accumulateE, T* df, bool accumulateF, WorkerPool? pool = null)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        shape.Check(in options, lengths);
        pool ??= WorkerPool.Shared;
        long size = (long)shape.Batch * shape.Rank * shape.Width;
        T* dkProjected = ThreadScratch<AttentionScratchUse>.Get<T>(AttentionScratchUse.Projected, 2 * size), dvProjected = dkProjected + size;
        AttentionShape slots = shape.Slots;
        AttentionKernel.Backward(
            in slots, in options, q, new(kProjected, shape.Width), new(vProjected, shape.Width), null, output, lse,
            dOutput, dq, new(dkProjected, shape.Width), new(dvProjected, shape.Width), pool);
        new LinformerInputGradient<T>
        {
            Shape = shape,
            Lengths = lengths,
            E = e,
            F = f,
            ProjectedKeyGradient = dkProjected,
            ProjectedValueGradient = dvProjected,
            KeyGradient = dk,
            ValueGradient = dv,
        }.Execute(pool);
        new LinformerProjectionGradient<T>
        {
            Shape = shape,
            Lengths = lengths,
            Key = k,
            Value = v,
            ProjectedKeyGradient = dkProjected,
            ProjectedValueGradient = dvProjected,
            GradientE = de,
            AccumulateE = accumulateE,
            GradientF = df,
            AccumulateF = accumulateF,
        }.Execute(pool);
    }
}
