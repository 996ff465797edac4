using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors;

/// <summary>
/// The kernels of one device on raw tensors: no gradients are recorded here. Operations check shapes and types before they call; unless said
/// otherwise tensors are contiguous and of one floating-point type. Every method overwrites its outputs unless an argument says accumulate.
/// Mixed precision: where the data (x, q, logits, hidden states, their gradients) are BFloat16 or Float16, row statistics (mean, rstd, lse), losses and their
/// gradients, weights and biases of norms, biases of linear maps, and the gradients of all parameters are Float32; the matrices of a product are of the data's type.
/// </summary>
internal abstract partial class Backend
{
    /// <summary>Sets every element of a (possibly strided) tensor of any type.</summary>
    public abstract void Fill(Tensor y, double value);

    /// <summary>Copies elements, any strides and types; shapes are equal.</summary>
    public abstract void Copy(Tensor x, Tensor y);

    /// <summary>y += x, of as many elements. y is contiguous or a matrix whose rows lie at one pitch.</summary>
    public abstract void AddInPlace(Tensor y, Tensor x);

    /// <summary>y = factor · x + offset.</summary>
    public abstract void Affine(Tensor x, double factor, double offset, Tensor y);

    /// <summary>y = f(x).</summary>
    public abstract void Unary(Activation f, Tensor x, Tensor y);

    /// <summary>gx = f′ · gy; gx may be gy. <paramref name="saved"/> is y or x, see <see cref="ActivationRule.SavesOutput"/>.</summary>
    public abstract void UnaryGradient(Activation f, Tensor saved, Tensor gy, Tensor gx);

    /// <summary>y = a ∘ b where b has y's shape, or is a row [last] repeated, or one element.</summary>
    public abstract void Binary(BinaryKind kind, Tensor a, Tensor b, Tensor y);

    /// <summary>Sum of all elements into a one-element tensor.</summary>
    public abstract void Sum(Tensor x, Tensor y);

    /// <summary>Sum over all but the last dimension: [rows, n] → [n].</summary>
    public abstract void SumRows(Tensor x, Tensor y, bool accumulate);

    /// <summary>c = alpha · op(a) op(b) (+ c): matrices [m, k] × [k, n], or stacks of them with equal leading extents.</summary>
    public abstract void MatMul(Tensor a, bool transposeA, Tensor b, bool transposeB, Tensor c, double alpha, bool accumulate, ProductDigits digits = ProductDigits.Eleven);

    /// <summary>y = f(x wᵀ + bias); pre = x wᵀ + bias when given.</summary>
    public abstract void Linear(Tensor x, Tensor w, Tensor? bias, Activation f, Tensor? pre, Tensor y, ProductDigits digits = ProductDigits.Eleven);

    public abstract void Softmax(Tensor x, Tensor y, bool log);

    public abstract void SoftmaxGradient(Tensor y, Tensor gy, Tensor gx, bool log);

    /// <summary>Row-wise normalisation; mean and rstd are [rows].</summary>
    public abstract void LayerNorm(Tensor x, Tensor? w, Tensor? b, double eps, Tensor y, Tensor mean, Tensor rstd);

    public abstract void LayerNormGradient(
        Tensor gy, Tensor x, Tensor? w, Tensor mean, Tensor rstd, Tensor? gx, Tensor? gw, bool accumulateW, Tensor? gb, bool accumulateB);

    /// <summary>sum = x + dropout(h); y = LN(sum).</summary>
    public abstract void ResidualLayerNorm(
        Tensor x, Tensor h, Tensor w, Tensor b, double eps, double p, RandomKey key, Tensor sum, Tensor y, Tensor mean, Tensor rstd);

    /// <summary>y = x · mask / (1 − p), the mask a function of the key and the element's index.</summary>
    public abstract void Dropout(Tensor x, Tensor y, double p, RandomKey key);

    /// <summary>y[i] = table[ids[i]]; ids are int32.</summary>
    public abstract void Embedding(Tensor table, Tensor ids, Tensor y);

    /// <summary>Adds gy's rows to gtable's by id, in a fixed order; clears gtable first unless accumulating. Rows of <paramref name="padding"/> get nothing.</summary>
    public abstract void EmbeddingGradient(Tensor ids, Tensor gy, Tensor gtable, int padding, bool accumulate);

    /// <summary>loss[1]; lse [rows] is kept for the gradient. Labels are int32.</summary>
    public abstract void CrossEntropy(Tensor logits, Tensor labels, int ignore, Reduction reduction, Tensor loss, Tensor lse);

    /// <summary>glogits may be logits; where the device has 16-bit products, it may be 16-bit and logits Float32.</summary>
    public abstract void CrossEntropyGradient(Tensor logits, Tensor labels, int ignore, Reduction reduction, Tensor lse, Tensor gloss, Tensor glogits);

    /// <summary>Σ over rows and classes of p_T (log p_T − log p_S) at a temperature, times <paramref name="scale"/>, into loss[1].</summary>
    public abstract void KlDivergence(Tensor student, Tensor teacher, double temperature, double scale, Tensor loss);

    public abstract void KlDivergenceGradient(Tensor student, Tensor teacher, double temperature, double scale, Tensor gloss, Tensor gstudent);

    /// <summary>Squared distance of two hidden states [B, L, d], see <see cref="LayerLossOperation"/>; lengths int32 [B] or null; the sum is multiplied by <paramref name="scale"/>.</summary>
    public abstract void LayerMse(Tensor student, Tensor teacher, Tensor? lengths, bool normalise, double scale, Tensor loss);

    public abstract void LayerMseGradient(Tensor student, Tensor teacher, Tensor? lengths, bool normalise, double scale, Tensor gloss, Tensor gstudent);

    /// <summary>
    /// Softmax attention; q, k, v, y [B, L, heads · d]; lse [B, heads, L]; lengths int32 [B] or null. 16-bit only: rest, of y's type and shape, takes what rounding took from y;
    /// null when no gradient is wanted.
    /// </summary>
    public abstract void Attention(
        Tensor q, Tensor k, Tensor v, Tensor? lengths, int heads, bool causal, double scale, double p, RandomKey key, Tensor y, Tensor lse, Tensor? rest = null);

    public abstract void AttentionGradient(
        Tensor q, Tensor k, Tensor v, Tensor? lengths, int heads, bool causal, double scale, double p, RandomKey key, Tensor y, Tensor lse, Tensor gy, Tensor gq, Tensor gk, Tensor gv,
        Tensor? rest = null);

    /// <summary>Linformer attention; e, f [positions, rank]; kProjected, vProjected [B, rank, heads · d] are kept for the gradient; rest as in <see cref="Attention"/>.</summary>
    public abstract void LinformerAttention(
        Tensor q, Tensor k, Tensor v, Tensor e, Tensor f, Tensor? lengths, int heads, double scale, double p, RandomKey key, Tensor y, Tensor lse, Tensor kProjected, Tensor vProjected,
        Tensor? rest = null);

    /// <summary>ge and gf may be one buffer (shared projections): then both parts are added into it.</summary>
    public abstract void LinformerAttentionGradient(
        Tensor q, Tensor k, Tensor v, Tensor e, Tensor f, Tensor? lengths, int heads, double scale, double p, RandomKey key, Tensor y, Tensor lse, Tensor kProjected, Tensor vProjected,
        Tensor gy, Tensor gq, Tensor gk, Tensor gv, Tensor ge, bool accumulateE, Tensor gf, bool accumulateF, Tensor? rest = null);

    /// <summary>Adds the sum of squares of x to total[1] (float64).</summary>
    public abstract void AddSumOfSquares(Tensor x, Tensor total);

    /// <summary>One AdamW update of one tensor in place, see <see cref="AdamWStep"/>.</summary>
    public abstract void AdamW(Tensor parameter, Tensor gradient, Tensor m, Tensor v, in AdamWStep step);

    /// <summary>One clipped AdamW update of many tensors, see <see cref="OptimiserKernels"/>. This form reads the total back; a device with a queue does all of it there.</summary>
    public virtual void AdamWAll(IReadOnlyList<AdamWSlot> slots, IReadOnlyList<Tensor> others, in AdamWStep step, double clipNorm, Tensor total, Tensor leftOut)
    {
        Fill(total, 0);
        foreach (AdamWSlot slot in slots)
        {
            AddSumOfSquares(slot.Gradient, total);
        }

        foreach (Tensor gradient in others)
        {
            AddSumOfSquares(gradient, total);
        }

        double norm = Math.Sqrt(total.Item()) * step.GradientScale;
        long missing = (long)leftOut.Item();
        if (!double.IsFinite(norm))
        {
            Fill(leftOut, missing + 1);
            return;
        }

        AdamWStep scaled = step with { GradientScale = step.GradientScale * Math.Min(1, clipNorm / (norm + 1e-6)), Step = step.Step - missing };
        foreach (AdamWSlot slot in slots)
        {
            AdamW(slot.Parameter, slot.Gradient, slot.Mean, slot.Square, slot.Decays ? scaled : scaled with { WeightDecay = 0 });
        }
    }

    /// <summary>Independent normal numbers.</summary>
    public abstract void Normal(Tensor y, double mean, double deviation, RandomKey key);

    /// <summary>Independent numbers uniform in [low, high).</summary>
    public abstract void Uniform(Tensor y, double low, double high, RandomKey key);
}
