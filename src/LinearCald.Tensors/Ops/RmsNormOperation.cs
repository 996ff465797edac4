using LinearCald.Tensors.Autograd;

namespace LinearCald.Tensors.Ops;

/// <summary>Root mean square normalisation over the last dimension (Zhang and Sennrich 2019), alone and of a gated input (Dao and Gu 2024, Mamba-2's norm before the output projection).</summary>
public static class RmsNormOperation
{
    /// <summary>w · x / √(mean(x²) + ε), per row.</summary>
    /// <param name="x">[..., d]; may be a part of the last dimension of a contiguous tensor.</param>
    /// <param name="weight">[d].</param>
    /// <param name="eps">ε.</param>
    public static Tensor RmsNorm(this Tensor x, Tensor weight, double eps = 1e-5)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(weight);
        return Run("RmsNorm", x, null, weight, eps, 1);
    }

    /// <summary>w · v / √(mean(v²) + ε) with v = x · SiLU(z), per row and group.</summary>
    /// <param name="x">[..., d]; may be a part of the last dimension of a contiguous tensor.</param>
    /// <param name="z">Of x's shape; may be such a part, too.</param>
    /// <param name="weight">[d].</param>
    /// <param name="eps">ε.</param>
    /// <param name="groups">Equal parts of the last dimension that are normalised each by itself.</param>
    public static Tensor GatedRmsNorm(this Tensor x, Tensor z, Tensor weight, double eps = 1e-5, int groups = 1)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(z);
        ArgumentNullException.ThrowIfNull(weight);
        Check.SameShape("GatedRmsNorm", x, z);
        return Run("GatedRmsNorm", x, z, weight, eps, groups);
    }

    private static Tensor Run(string name, Tensor x, Tensor? z, Tensor weight, double eps, int groups)
    {
        Check.Float(name, x);
        Check.Vector(name, "weight", weight, x.Shape.Last);
        if (groups < 1 || x.Shape.Last % groups != 0)
        {
            throw new CaldException($"{name}: the last dimension of {x.Shape} does not divide into {groups} groups");
        }

        if (weight.Type != x.Type.Statistics())
        {
            throw new CaldException($"{name}: weight must be {x.Type.Statistics()} for x of {x.Type}, not {weight.Type}; convert it with To");
        }

        x = x.InRows();
        z = z?.InRows();
        Tensor y = Tensor.Allocate(x.Device, x.Type, x.Shape);
        Tensor rstd = Tensor.Allocate(x.Device, x.Type.Statistics(), new Shape(checked((int)x.Shape.Rows * groups)));
        x.Device.Backend.RmsNorm(x, z, weight, eps, groups, y, rstd);
        return Tape.Wants(x, z, weight) ? Tape.Attach(y, new Node(x, z, weight, groups, rstd)) : y;
    }

    private sealed class Node : TapeNode
    {
        private readonly Tensor _x;
        private readonly Tensor? _z;
        private readonly Tensor _weight;
        private readonly int _groups;
        private readonly Tensor _rstd;

        public Node(Tensor x, Tensor? z, Tensor weight, int groups, Tensor rstd)
        {
            _x = Save(x);
            _z = SaveOptional(z);
            _weight = Save(weight);
            _groups = groups;
            _rstd = Save(rstd);
        }

        // v̂ = v r: dw = Σ g v̂, dv = r (g w − v̂ mean(g w v̂)), dx = dv SiLU(z), dz = dv x SiLU′(z); v is computed again
        public override void Backward(Tensor gradient)
        {
            bool accumulate = false;
            Tensor? gw = _weight.NeedsGradient ? Gradients.Target(_weight, out accumulate) : null;
            InputGradient gx = Gradients.For(_x);
            InputGradient gz = Gradients.For(_z);
            _x.Device.Backend.RmsNormGradient(gradient, _x, _z, _weight, _rstd, _groups, gx.Buffer, gz.Buffer, gw, accumulate);
            gx.Done();
            gz.Done();
        }
    }
}
