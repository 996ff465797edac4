using LinearCald.Tensors.Autograd;

namespace LinearCald.Tensors.Ops;

/// <summary>
/// Linformer attention (Wang et al. 2020, arXiv 2006.04768) over samples of different lengths, as CALD uses it: keys and values are projected along
/// positions to a fixed number of slots, from the valid positions only, so that cost grows linearly with length.
/// </summary>
public static class LinformerAttentionOperation
{
    /// <summary>
    /// K̃ = e[0:n]ᵀ k[0:n] / √n, Ṽ = f[0:n]ᵀ v[0:n] / √n for a sample of n valid positions, then per head softmax(scale · q K̃ᵀ) Ṽ over all slots, with no
    /// mask. q, k, v [B, L, H·d]; e, f [positions, rank], one tensor for both where they are shared → [B, L, H·d].
    /// </summary>
    /// <param name="lengths">int32 [B], or null when all L positions count.</param>
    /// <exception cref="CaldException">L is beyond the projection's positions, or shapes do not fit.</exception>
    public static Tensor LinformerAttention(this Tensor q, Tensor k, Tensor v, Tensor e, Tensor f, Tensor? lengths, AttentionOptions options)
    {
        ArgumentNullException.ThrowIfNull(q);
        ArgumentNullException.ThrowIfNull(k);
        ArgumentNullException.ThrowIfNull(v);
        ArgumentNullException.ThrowIfNull(e);
        ArgumentNullException.ThrowIfNull(f);
        AttentionOperation.CheckInputs("LinformerAttention", q, k, v, lengths, options);
        Check.Rank("LinformerAttention", "e", e, 2);
        Check.SameShape("LinformerAttention", e, f);
        if (e.Type != q.Type && e.Type == q.Type.Statistics())
        {
            bool shared = ReferenceEquals(e, f);
            e = e.To(q.Type); // mixed precision: the projections are products' operands
            f = shared ? e : f.To(q.Type);
        }

        Check.SameType("LinformerAttention", q, e);
        if (options.Causal)
        {
            throw new CaldException("LinformerAttention: a causal form does not exist, since each slot mixes all positions");
        }

        if (k.Shape[1] > e.Shape[0])
        {
            throw new CaldException($"LinformerAttention: length {k.Shape[1]} is beyond the projection's {e.Shape[0]} positions; shorten the text (max_length)");
        }

        q = q.Contiguous();
        k = k.Contiguous();
        v = v.Contiguous();
        Tensor y = Tensor.Allocate(q.Device, q.Type, q.Shape);
        bool record = Tape.Wants(q, k, v) || Tape.Wants(e, f);
        Tensor? rest = AttentionOperation.RestOf(y, record);
        Tensor lse = Tensor.Allocate(q.Device, q.Type.Statistics(), new Shape(q.Shape[0], options.Heads, q.Shape[1]));
        Shape projected = new(k.Shape[0], e.Shape[1], k.Shape[2]);
        Tensor kProjected = Tensor.Allocate(q.Device, q.Type, projected);
        Tensor vProjected = Tensor.Allocate(q.Device, q.Type, projected);
        q.Device.Backend.LinformerAttention(q, k, v, e, f, lengths, options.Heads, options.Scale, options.Dropout, options.Key, y, lse, kProjected, vProjected, rest);
        return record ? Tape.Attach(y, new Node(q, k, v, e, f, lengths, options, y, rest, lse, kProjected, vProjected)) : y;
    }

    private sealed class Node : TapeNode
    {
        private readonly Tensor _q;
        private readonly Tensor _k;
        private readonly Tensor _v;
        private readonly Tensor _e;
        private readonly Tensor _f;
        private readonly Tensor? _lengths;
        private readonly AttentionOptions _options;
        private readonly Tensor _y;
        private readonly Tensor? _rest;
        private readonly Tensor _lse;
        private readonly Tensor _kProjected;
        private readonly Tensor _vProjected;

        public Node(
            Tensor q, Tensor k, Tensor v, Tensor e, Tensor f, Tensor? lengths, AttentionOptions options, Tensor y, Tensor? rest, Tensor lse, Tensor kProjected, Tensor vProjected)
        {
            _q = Save(q);
            _k = Save(k);
            _v = Save(v);
            _e = Save(e);
            _f = Save(f);
            _lengths = SaveOptional(lengths);
            _options = options;
            _y = Save(y);
            _rest = SaveOptional(rest);
            _lse = Save(lse);
            _kProjected = Save(kProjected);
            _vProjected = Save(vProjected);
        }

        // attention's rule gives dK̃ and dṼ; then dk = e dK̃ / √n and de = Σ over samples of k dK̃ᵀ / √n, likewise for v and f
        public override void Backward(Tensor gradient)
        {
            Tensor gq = Tensor.Allocate(_q.Device, _q.Type, _q.Shape);
            Tensor gk = Tensor.Allocate(_k.Device, _k.Type, _k.Shape);
            Tensor gv = Tensor.Allocate(_v.Device, _v.Type, _v.Shape);
            Tensor ge = Projection(_e, out bool accumulateE);
            bool accumulateF = true;
            Tensor gf = ReferenceEquals(_e, _f) ? ge : Projection(_f, out accumulateF);
            _q.Device.Backend.LinformerAttentionGradient(
                _q, _k, _v, _e, _f, _lengths, _options.Heads, _options.Scale, _options.Dropout, _options.Key, _y, _lse, _kProjected, _vProjected,
                gradient, gq, gk, gv, ge, accumulateE, gf, accumulateF, _rest);
            Gradients.Add(_q, gq);
            Gradients.Add(_k, gk);
            Gradients.Add(_v, gv);
        }

        private static Tensor Projection(Tensor projection, out bool accumulate)
        {
            if (projection.NeedsGradient)
            {
                return Gradients.Target(projection, out accumulate);
            }

            accumulate = false;
            return Tensor.Allocate(projection.Device, projection.Type, projection.Shape);
        }
    }
}
