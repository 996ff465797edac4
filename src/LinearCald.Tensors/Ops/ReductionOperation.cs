using LinearCald.Tensors.Autograd;

namespace LinearCald.Tensors.Ops;

/// <summary>Sum and mean of all elements, as a tensor of shape [] (one element).</summary>
public static class ReductionOperation
{
    public static Tensor Sum(this Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        Check.Float("Sum", x);
        x = x.Contiguous();
        Tensor y = Tensor.Allocate(x.Device, x.Type, default);
        x.Device.Backend.Sum(x, y);
        return Tape.Wants(x) ? Tape.Attach(y, new Node(x)) : y;
    }

    /// <summary>The mean of all elements; NaN for an empty tensor.</summary>
    public static Tensor Mean(this Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return x.Sum().Affine(x.Count == 0 ? double.NaN : 1.0 / x.Count);
    }

    private sealed class Node(Tensor x) : TapeNode
    {
        // every element has derivative 1
        public override void Backward(Tensor gradient)
        {
            Tensor gx = Tensor.Zeros(x.Device, x.Type, x.Shape);
            x.Device.Backend.Binary(BinaryKind.Add, gx, gradient, gx);
            Gradients.Add(x, gx);
        }
    }
}
