using LinearCald.Tensors.Autograd;

namespace LinearCald.Tensors.Ops;

/// <summary>y = f(x), element by element.</summary>
public static class ElementwiseOperation
{
    /// <summary>Applies an activation.</summary>
    public static Tensor Apply(this Tensor x, Activation f)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (f == Activation.None)
        {
            return x;
        }

        Check.Float(f.ToString(), x);
        x = x.Contiguous();
        Tensor y = Tensor.Allocate(x.Device, x.Type, x.Shape);
        x.Device.Backend.Unary(f, x, y);
        return Tape.Wants(x) ? Tape.Attach(y, new Node(f, x, f.SavesOutput() ? y : x)) : y;
    }

    /// <summary>factor · x + offset.</summary>
    public static Tensor Affine(this Tensor x, double factor, double offset = 0)
    {
        ArgumentNullException.ThrowIfNull(x);
        Check.Float("Affine", x);
        x = x.Contiguous();
        Tensor y = Tensor.Allocate(x.Device, x.Type, x.Shape);
        x.Device.Backend.Affine(x, factor, offset, y);
        return Tape.Wants(x) ? Tape.Attach(y, new AffineNode(x, factor)) : y;
    }

    private sealed class Node : TapeNode
    {
        private readonly Activation _f;
        private readonly Tensor _x;
        private readonly Tensor _saved;

        public Node(Activation f, Tensor x, Tensor saved)
        {
            _f = f;
            _x = x;
            _saved = Save(saved);
        }

        // dL/dx = f′(x) · dL/dy
        public override void Backward(Tensor gradient)
        {
            Tensor gx = Gradients.Buffer(_x);
            _x.Device.Backend.UnaryGradient(_f, _saved, gradient, gx);
            Gradients.Add(_x, gx);
        }
    }

    private sealed class AffineNode(Tensor x, double factor) : TapeNode
    {
        // dL/dx = factor · dL/dy
        public override void Backward(Tensor gradient)
        {
            if (factor == 1)
            {
                Gradients.Add(x, gradient);
                return;
            }

            Tensor gx = Gradients.Buffer(x);
            gradient.Device.Backend.Affine(gradient, factor, 0, gx);
            Gradients.Add(x, gx);
        }
    }
}
