using LinearCald.Tensors.Autograd;

namespace LinearCald.Tensors.Ops;

/// <summary>Matrix products.</summary>
public static class MatMulOperation
{
    /// <summary>op(a) · op(b): [m, k] × [k, n] → [m, n], or stacks [s, …] of them with equal s.</summary>
    /// <exception cref="CaldException">Ranks are not 2 or 3, or extents do not fit.</exception>
    public static Tensor MatMul(this Tensor a, Tensor b, bool transposeA = false, bool transposeB = false)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        Check.Float("MatMul", a);
        Check.SameType("MatMul", a, b);
        int rank = a.Shape.Rank;
        if (rank is not (2 or 3) || b.Shape.Rank != rank || (rank == 3 && a.Shape[0] != b.Shape[0])
            || a.Shape[transposeA ? -2 : -1] != b.Shape[transposeB ? -1 : -2])
        {
            throw new CaldException(
                $"MatMul: {a.Shape}{(transposeA ? "ᵀ" : "")} × {b.Shape}{(transposeB ? "ᵀ" : "")} do not fit; expected [m, k] × [k, n], or stacks of equal height");
        }

        a = a.Contiguous();
        b = b.Contiguous();
        int m = a.Shape[transposeA ? -1 : -2];
        int n = b.Shape[transposeB ? -2 : -1];
        Tensor c = Tensor.Allocate(a.Device, a.Type, rank == 2 ? new Shape(m, n) : new Shape(a.Shape[0], m, n));
        a.Device.Backend.MatMul(a, transposeA, b, transposeB, c, 1, accumulate: false);
        return Tape.Wants(a, b) ? Tape.Attach(c, new Node(a, transposeA, b, transposeB)) : c;
    }

    private sealed class Node : TapeNode
    {
        private readonly Tensor _a;
        private readonly Tensor _b;
        private readonly bool _ta;
        private readonly bool _tb;

        public Node(Tensor a, bool ta, Tensor b, bool tb)
        {
            _a = Save(a);
            _b = Save(b);
            _ta = ta;
            _tb = tb;
        }

        // C = A B: dA = G Bᵀ, dB = Aᵀ G; for transposed inputs both sides are transposed
        public override void Backward(Tensor gradient)
        {
            Backend backend = gradient.Device.Backend;
            if (_a.NeedsGradient)
            {
                Tensor ga = Gradients.Target(_a, out bool accumulate);
                if (_ta)
                {
                    backend.MatMul(_b, _tb, gradient, true, ga, 1, accumulate);
                }
                else
                {
                    backend.MatMul(gradient, false, _b, !_tb, ga, 1, accumulate);
                }
            }

            if (_b.NeedsGradient)
            {
                Tensor gb = Gradients.Target(_b, out bool accumulate);
                if (_tb)
                {
                    backend.MatMul(gradient, true, _a, _ta, gb, 1, accumulate);
                }
                else
                {
                    backend.MatMul(_a, !_ta, gradient, false, gb, 1, accumulate);
                }
            }
        }
    }
}
