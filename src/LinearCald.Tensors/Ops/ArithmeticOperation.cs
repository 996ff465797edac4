using LinearCald.Tensors.Autograd;

namespace LinearCald.Tensors.Ops;

/// <summary>Sum, difference, product and quotient of two tensors; the second may be a row (shape of the last dimension) or one element, repeated.</summary>
public static class ArithmeticOperation
{
    public static Tensor Add(this Tensor a, Tensor b) => Combine(BinaryKind.Add, a, b);

    public static Tensor Subtract(this Tensor a, Tensor b) => Combine(BinaryKind.Subtract, a, b);

    public static Tensor Multiply(this Tensor a, Tensor b) => Combine(BinaryKind.Multiply, a, b);

    public static Tensor Divide(this Tensor a, Tensor b) => Combine(BinaryKind.Divide, a, b);

    private static Tensor Combine(BinaryKind kind, Tensor a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        string operation = kind.ToString();
        Check.Float(operation, a);
        Check.SameType(operation, a, b);
        bool row = b.Shape.Rank == 1 && a.Shape.Rank >= 1 && b.Shape[0] == a.Shape.Last;
        if (a.Shape != b.Shape && !row && b.Count != 1)
        {
            throw new CaldException($"{operation}: {b.Shape} fits {a.Shape} neither as the same shape, nor as a row of {a.Shape.Last}, nor as one element");
        }

        a = a.Contiguous();
        b = b.Contiguous();
        Tensor y = Tensor.Allocate(a.Device, a.Type, a.Shape);
        a.Device.Backend.Binary(kind, a, b, y);
        return Tape.Wants(a, b) ? Tape.Attach(y, new Node(kind, a, b)) : y;
    }

    private sealed class Node : TapeNode
    {
        private readonly BinaryKind _kind;
        private readonly Tensor _a;
        private readonly Tensor _b;

        public Node(BinaryKind kind, Tensor a, Tensor b)
        {
            _kind = kind;
            _a = a;
            _b = b;
            if (kind >= BinaryKind.Multiply)
            {
                Save(a);
                Save(b);
            }
        }

        // add: g, g · subtract: g, −g · multiply: g b, g a · divide: g / b, −g a / b²
        public override void Backward(Tensor gradient)
        {
            Backend backend = gradient.Device.Backend;
            if (_a.NeedsGradient)
            {
                Gradients.Add(_a, _kind < BinaryKind.Multiply ? gradient : Apply(backend, _kind, gradient, _b));
            }

            if (_b.NeedsGradient)
            {
                Tensor full = gradient;
                switch (_kind)
                {
                    case BinaryKind.Subtract:
                        full = Negated(backend, gradient);
                        break;
                    case BinaryKind.Multiply:
                        full = Apply(backend, BinaryKind.Multiply, gradient, _a);
                        break;
                    case BinaryKind.Divide:
                        Tensor quotient = Apply(backend, BinaryKind.Divide, Apply(backend, BinaryKind.Divide, _a, _b), _b);
                        full = Negated(backend, Apply(backend, BinaryKind.Multiply, gradient, quotient));
                        break;
                }

                Reduce(backend, full);
            }
        }

        private static Tensor Apply(Backend backend, BinaryKind kind, Tensor a, Tensor b)
        {
            Tensor y = Tensor.Allocate(a.Device, a.Type, a.Shape);
            backend.Binary(kind, a, b, y);
            return y;
        }

        private static Tensor Negated(Backend backend, Tensor x)
        {
            Tensor y = Tensor.Allocate(x.Device, x.Type, x.Shape);
            backend.Affine(x, -1, 0, y);
            return y;
        }

        /// <summary>Sums over what was repeated in the forward pass.</summary>
        private void Reduce(Backend backend, Tensor full)
        {
            if (full.Shape == _b.Shape)
            {
                Gradients.Add(_b, full);
            }
            else if (_b.Count == 1)
            {
                Tensor sum = Tensor.Allocate(full.Device, full.Type, _b.Shape);
                backend.Sum(full, sum);
                Gradients.Add(_b, sum);
            }
            else
            {
                Tensor target = Gradients.Target(_b, out bool accumulate);
                backend.SumRows(full, target, accumulate);
            }
        }
    }
}
