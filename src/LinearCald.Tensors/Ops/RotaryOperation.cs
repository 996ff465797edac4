using LinearCald.Tensors.Autograd;

namespace LinearCald.Tensors.Ops;

/// <summary>Rotary position embeddings (Su et al. 2021) in the half-split form of GPT-NeoX, fused with taking apart the joint projection of queries, keys and values.</summary>
public static class RotaryOperation
{
    /// <summary>
    /// qkv [B, L, heads · 3 · d] with q, k and v of each head in turn (GPT-NeoX's <c>query_key_value</c>) → [3, B, L, heads · d]: q, k, v are
    /// <c>Narrow(0, i, 1).Reshape(B, L, heads · d)</c>. In each head of q and k the pairs (i, i + r/2), i &lt; r/2, are turned by position · theta^(−2i/r).
    /// </summary>
    /// <param name="rotaryDimensions">r: even, from 0 to d.</param>
    /// <param name="theta">Base of the wavelengths, usually 10,000.</param>
    /// <param name="firstPosition">Position of row 0: how many tokens went before in generation. Angles are exact to float32 at any position.</param>
    /// <exception cref="CaldException">The features do not divide into heads, or r does not fit.</exception>
    public static Tensor SplitHeadsRotary(this Tensor qkv, int heads, int rotaryDimensions, double theta, int firstPosition = 0)
    {
        ArgumentNullException.ThrowIfNull(qkv);
        Check.Float("SplitHeadsRotary", qkv);
        Check.Rank("SplitHeadsRotary", "qkv", qkv, 3);
        int features = qkv.Shape.Last;
        if (heads < 1 || features % (3 * heads) != 0)
        {
            throw new CaldException($"SplitHeadsRotary: the last dimension of {qkv.Shape} must divide by 3 · {heads} heads");
        }

        if (rotaryDimensions < 0 || rotaryDimensions % 2 != 0 || rotaryDimensions > features / 3 / heads)
        {
            throw new CaldException($"SplitHeadsRotary: {rotaryDimensions} rotary dimensions; they must be even and at most the {features / 3 / heads} of a head");
        }

        if (!(theta > 0) || firstPosition < 0)
        {
            throw new CaldException($"SplitHeadsRotary: theta {theta} must be positive and the first position {firstPosition} not negative");
        }

        qkv = qkv.Contiguous();
        Tensor y = Tensor.Allocate(qkv.Device, qkv.Type, new Shape(3, qkv.Shape[0], qkv.Shape[1], features / 3));
        qkv.Device.Backend.SplitHeadsRotary(qkv, heads, rotaryDimensions, theta, firstPosition, y);
        return Tape.Wants(qkv) ? Tape.Attach(y, new Node(qkv, heads, rotaryDimensions, theta, firstPosition)) : y;
    }

    private sealed class Node(Tensor qkv, int heads, int rotary, double theta, int first) : TapeNode
    {
        // a rotation's derivative, transposed, is the rotation by the opposite angle
        public override void Backward(Tensor gradient)
        {
            InputGradient gqkv = Gradients.For(qkv, strided: false);
            gradient.Device.Backend.SplitHeadsRotaryGradient(gradient, heads, rotary, theta, first, gqkv.Buffer!);
            gqkv.Done();
        }
    }
}
