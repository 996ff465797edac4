using LinearCald.Tensors.Autograd;

namespace LinearCald.Tensors.Ops;

/// <summary>Softmax over the last dimension, and its logarithm.</summary>
public static class SoftmaxOperation
{
    public static Tensor Softmax(this Tensor x) => Run(x, log: false);

    /// <summary>log softmax, without the detour over probabilities that underflow.</summary>
    public static Tensor LogSoftmax(this Tensor x) => Run(x, log: true);

    private static Tensor Run(Tensor x, bool log)
    {
        ArgumentNullException.ThrowIfNull(x);
        Check.Float("Softmax", x);
        x = x.Contiguous();
        Tensor y = Tensor.Allocate(x.Device, x.Type, x.Shape);
        x.Device.Backend.Softmax(x, y, log);
        return Tape.Wants(x) ? Tape.Attach(y, new Node(x, y, log)) : y;
    }

    private sealed class Node : TapeNode
    {
        private readonly Tensor _x;
        private readonly Tensor _y;
        private readonly bool _log;

        public Node(Tensor x, Tensor y, bool log)
        {
            _x = x;
            _y = Save(y);
            _log = log;
        }

        // softmax: dx = y (g − Σ g y) · log softmax: dx = g − eʸ Σ g
        public override void Backward(Tensor gradient)
        {
            Tensor gx = Gradients.Buffer(_x);
            gradient.Device.Backend.SoftmaxGradient(_y, gradient, gx, _log);
            Gradients.Add(_x, gx);
        }
    }
}
