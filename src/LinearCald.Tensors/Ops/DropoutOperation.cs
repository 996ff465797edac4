using LinearCald.Tensors.Autograd;

namespace LinearCald.Tensors.Ops;

/// <summary>Dropout (Srivastava et al. 2014), scaled by 1/(1 − p). The mask is a function of the key, so that none is stored.</summary>
public static class DropoutOperation
{
    /// <param name="p">Probability of a zero, 0 ≤ p &lt; 1; 0 returns <paramref name="x"/>.</param>
    /// <param name="key">Names the mask.</param>
    public static Tensor Dropout(this Tensor x, double p, RandomKey key)
    {
        ArgumentNullException.ThrowIfNull(x);
        Check.Float("Dropout", x);
        Check.Probability("Dropout", p);
        if (p == 0)
        {
            return x;
        }

        x = x.Contiguous();
        Tensor y = Tensor.Allocate(x.Device, x.Type, x.Shape);
        x.Device.Backend.Dropout(x, y, p, key);
        return Tape.Wants(x) ? Tape.Attach(y, new Node(x, p, key)) : y;
    }

    private sealed class Node(Tensor x, double p, RandomKey key) : TapeNode
    {
        // the same mask and scale
        public override void Backward(Tensor gradient)
        {
            Tensor gx = Gradients.Buffer(x);
            gradient.Device.Backend.Dropout(gradient, gx, p, key);
            Gradients.Add(x, gx);
        }
    }
}
