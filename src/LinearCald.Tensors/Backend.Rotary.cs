namespace LinearCald.Tensors;

/// <content>Rotary position embeddings.</content>
internal abstract partial class Backend
{
    /// <summary>
    /// Splits [B, L, heads · 3 · d] (of every head q, k and v in turn) into y [3, B, L, heads · d] and turns the first <paramref name="rotary"/> elements of
    /// every head of q and k by the angles of positions <paramref name="first"/> + 0 … L − 1.
    /// </summary>
    public abstract void SplitHeadsRotary(Tensor qkv, int heads, int rotary, double theta, int first, Tensor y);

    /// <summary>The gradient: turned back and joined. gy [3, B, L, heads · d].</summary>
    public abstract void SplitHeadsRotaryGradient(Tensor gy, int heads, int rotary, double theta, int first, Tensor gqkv);
}
