using LinearCald.Tensors.Autograd;

namespace LinearCald.Tensors.Ops;

/// <summary>What softmax attention needs besides its inputs.</summary>
/// <param name="Heads">Heads; the features of q, k and v divide by it.</param>
/// <param name="Causal">Whether a position sees only itself and earlier ones.</param>
/// <param name="Scale">Factor on the scores, usually 1/√(features of a head).</param>
/// <param name="Dropout">Probability of dropping an attention weight.</param>
/// <param name="Key">Names the dropout mask; unused when <paramref name="Dropout"/> is 0.</param>
public readonly record struct AttentionOptions(int Heads, bool Causal, double Scale, double Dropout = 0, RandomKey Key = default);

/// <summary>Multi-head softmax attention (Vaswani et al. 2017), computed tile by tile without the matrix of all scores (Dao et al. 2022).</summary>
public static class AttentionOperation
{
    /// <summary>q [B, Lq, H·d], k and v [B, L, H·d] → [B, Lq, H·d]. Keys at positions from a sample's length on are not seen; queries there are still computed.</summary>
    /// <param name="lengths">int32 [B], or null when all positions count.</param>
    public static Tensor Attention(this Tensor q, Tensor k, Tensor v, Tensor? lengths, AttentionOptions options)
    {
        ArgumentNullException.ThrowIfNull(q);
        ArgumentNullException.ThrowIfNull(k);
        ArgumentNullException.ThrowIfNull(v);
        CheckInputs("Attention", q, k, v, lengths, options);
        q = q.Contiguous();
        k = k.Contiguous();
        v = v.Contiguous();
        Tensor y = Tensor.Allocate(q.Device, q.Type, q.Shape);
        bool record = Tape.Wants(q, k, v);
        Tensor? rest = RestOf(y, record);
        Tensor lse = Tensor.Allocate(q.Device, q.Type.Statistics(), new Shape(q.Shape[0], options.Heads, q.Shape[1]));
        q.Device.Backend.Attention(q, k, v, lengths, options.Heads, options.Causal, options.Scale, options.Dropout, options.Key, y, lse, rest);
        return record ? Tape.Attach(y, new Node(q, k, v, lengths, options, y, rest, lse)) : y;
    }

    internal static void CheckInputs(string operation, Tensor q, Tensor k, Tensor v, Tensor? lengths, AttentionOptions options)
    {
        Check.Float(operation, q);
        Check.Rank(operation, "q", q, 3);
        Check.SameShape(operation, k, v);
        Check.SameType(operation, q, k);
        if (q.Shape[0] != k.Shape[0] || q.Shape[2] != k.Shape[2] || options.Heads < 1 || q.Shape[2] % options.Heads != 0)
        {
            throw new CaldException($"{operation}: q {q.Shape}, k {k.Shape} and {options.Heads} heads do not fit; batch and features must agree and divide by the heads");
        }

        Check.Int32(operation, "lengths", lengths);
        Check.Vector(operation, "lengths", lengths, q.Shape[0]);
        Check.Probability(operation, options.Dropout);
    }

    /// <summary>
    /// Room for what rounding takes from a 16-bit result, null where nothing is rounded or no gradient is wanted. The gradient of the scores is a small difference of sums, one of
    /// which is read off the result: off the rounded one its error is the largest of the whole backward pass.
    /// </summary>
    internal static Tensor? RestOf(Tensor y, bool record) => record && y.Type != y.Type.Statistics() ? Tensor.Allocate(y.Device, y.Type, y.Shape) : null;

    private sealed class Node : TapeNode
    {
        private readonly Tensor _q;
        private readonly Tensor _k;
        private readonly Tensor _v;
        private readonly Tensor? _lengths;
        private readonly AttentionOptions _options;
        private readonly Tensor _y;
        private readonly Tensor? _rest;
        private readonly Tensor _lse;

        public Node(Tensor q, Tensor k, Tensor v, Tensor? lengths, AttentionOptions options, Tensor y, Tensor? rest, Tensor lse)
        {
            _q = Save(q);
            _k = Save(k);
            _v = Save(v);
            _lengths = lengths;
            _options = options;
            _y = Save(y);
            _rest = SaveOptional(rest);
            _lse = Save(lse);
            SaveOptional(lengths);
        }

        // P = softmax(s q kᵀ), y = P v: dv = Pᵀ g, dP = g vᵀ, dS = P ∘ (dP − rowsum(g ∘ y)), dq = s dS k, dk = s dSᵀ q; P is recomputed from lse
        public override void Backward(Tensor gradient)
        {
            InputGradient gq = Gradients.ForAny(_q, strided: false);
            InputGradient gk = Gradients.ForAny(_k, strided: false);
            InputGradient gv = Gradients.ForAny(_v, strided: false);
            _q.Device.Backend.AttentionGradient(
                _q, _k, _v, _lengths, _options.Heads, _options.Causal, _options.Scale, _options.Dropout, _options.Key, _y, _lse, gradient, gq.Buffer!, gk.Buffer!, gv.Buffer!, _rest);
            gq.Done();
            gk.Done();
            gv.Done();
        }
    }
}
