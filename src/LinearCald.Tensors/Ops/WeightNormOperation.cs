using LinearCald.Tensors.Autograd;

namespace LinearCald.Tensors.Ops;

/// <summary>Weight normalisation (Salimans and Kingma 2016) of a convolution, one magnitude a tap: torch's <c>weight_norm</c> with <c>dim = 2</c>.</summary>
public static class WeightNormOperation
{
    /// <summary>w[o, i, k] = g[k] · v[o, i, k] / ‖v[:, :, k]‖.</summary>
    /// <param name="direction">v [O, I, K], Float32 or Float64.</param>
    /// <param name="magnitude">g [1, 1, K], of v's type.</param>
    /// <returns>[O, I, K].</returns>
    /// <exception cref="CaldException">Shapes or types do not fit.</exception>
    public static Tensor WeightNorm(this Tensor direction, Tensor magnitude)
    {
        const string Name = "WeightNorm";
        ArgumentNullException.ThrowIfNull(direction);
        ArgumentNullException.ThrowIfNull(magnitude);
        Check.SameType(Name, direction, magnitude);
        Check.Rank(Name, "direction", direction, 3);
        if (direction.Type != direction.Type.Statistics() || !direction.Type.IsFloat())
        {
            throw new CaldException($"{Name}: parameters are Float32 or Float64, not {direction.Type}; convert them with To, and the weight back");
        }

        int taps = direction.Shape[2];
        if (magnitude.Shape != new Shape(1, 1, taps))
        {
            throw new CaldException($"{Name}: magnitude must have shape [1, 1, {taps}] for direction {direction.Shape}, not {magnitude.Shape}");
        }

        direction = direction.Contiguous();
        magnitude = magnitude.Contiguous();
        Tensor w = Tensor.Allocate(direction.Device, direction.Type, direction.Shape);
        Tensor norm = Tensor.Allocate(direction.Device, direction.Type, new Shape(taps));
        direction.Device.Backend.WeightNorm(direction, magnitude, w, norm);
        return Tape.Wants(direction, magnitude) ? Tape.Attach(w, new Node(direction, magnitude, norm)) : w;
    }

    private sealed class Node : TapeNode
    {
        private readonly Tensor _direction;
        private readonly Tensor _magnitude;
        private readonly Tensor _norm;

        public Node(Tensor direction, Tensor magnitude, Tensor norm)
        {
            _direction = Save(direction);
            _magnitude = Save(magnitude);
            _norm = Save(norm);
        }

        // per tap, with n = ‖v‖ and s = Σ gw v: dg = s / n, dv = g/n (gw − v s / n²)
        public override void Backward(Tensor gradient)
        {
            bool accumulateV = false;
            bool accumulateG = false;
            Tensor? gv = _direction.NeedsGradient ? Gradients.Target(_direction, out accumulateV) : null;
            Tensor? gg = _magnitude.NeedsGradient ? Gradients.Target(_magnitude, out accumulateG) : null;
            gradient.Device.Backend.WeightNormGradient(gradient, _direction, _magnitude, _norm, gv, accumulateV, gg, accumulateG);
        }
    }
}
