using LinearCald.Tensors.Autograd;

namespace LinearCald.Tensors.Ops;

/// <summary>The affine map of a layer with an activation fused behind it.</summary>
public static class LinearOperation
{
    /// <summary>
    /// f(x wᵀ + bias): x [..., in], w [out, in], bias [out] → [..., out]. With 16-bit x the parameters may be Float32 (mixed precision): the weight is rounded to
    /// x's type for the product, and its gradient is Float32.
    /// </summary>
    /// <param name="x">[..., in]</param>
    /// <param name="w">[out, in]</param>
    /// <param name="bias">[out]</param>
    /// <param name="f">Applied to the result, fused.</param>
    /// <param name="digits">Of float32 operands, in this product and those of its gradients.</param>
    /// <param name="output">Type of the result: x's, or Float32 for 16-bit x, where the sums are written unrounded; null for x's.</param>
    /// <exception cref="CaldException">Extents or types do not fit.</exception>
    public static Tensor Linear(
        this Tensor x, Tensor w, Tensor? bias = null, Activation f = Activation.None, ProductDigits digits = ProductDigits.Eleven, DType? output = null)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(w);
        Check.Float("Linear", x);
        if (w.Type != x.Type.Statistics())
        {
            Check.SameType("Linear", x, w);
        }

        if (w.Shape.Rank != 2 || x.Shape.Rank < 1 || x.Shape.Last != w.Shape[1])
        {
            throw new CaldException($"Linear: input {x.Shape} does not fit weight {w.Shape}; the last extent of the input must be the weight's second");
        }

        Check.Vector("Linear", "bias", bias, w.Shape[0]);
        DType type = output ?? x.Type;
        if (type != x.Type && type != x.Type.Statistics())
        {
            throw new CaldException($"Linear: the result of a {x.Type} input is {x.Type} or {x.Type.Statistics()}, not {type}");
        }

        x = x.Contiguous();
        Shape shape = x.Shape.With(-1, w.Shape[0]);
        Tensor y = Tensor.Allocate(x.Device, type, shape);
        bool record = Tape.Wants(x, w, bias);
        Tensor? pre = record && f != Activation.None && !f.SavesOutput() ? Tensor.Allocate(x.Device, type, shape) : null;
        Tensor operand = w;
        if (w.Type != x.Type)
        {
            operand = Tensor.Allocate(w.Device, x.Type, w.Shape);
            w.Device.Backend.Copy(w, operand);
        }

        x.Device.Backend.Linear(x, operand, bias, f, pre, y, digits);
        return record ? Tape.Attach(y, new Node(x, w, operand, bias, f, f == Activation.None ? null : pre ?? y, digits)) : y;
    }

    private sealed class Node : TapeNode
    {
        private readonly Tensor _x;
        private readonly Tensor _w;
        private readonly Tensor _operand;
        private readonly Tensor? _bias;
        private readonly Activation _f;
        private readonly Tensor? _saved;
        private readonly ProductDigits _digits;

        public Node(Tensor x, Tensor w, Tensor operand, Tensor? bias, Activation f, Tensor? saved, ProductDigits digits)
        {
            _digits = digits;
            _x = Save(x);
            _w = w;
            _operand = Save(operand);
            _bias = bias;
            _f = f;
            _saved = SaveOptional(saved);
        }

        // h = x wᵀ + b, y = f(h): gh = f′ gy; dx = gh w; dw = ghᵀ x; db = Σ rows of gh
        public override void Backward(Tensor gradient)
        {
            Backend backend = gradient.Device.Backend;
            Tensor gh = gradient;
            if (_saved is not null)
            {
                gh = Tensor.Allocate(gradient.Device, gradient.Type, gradient.Shape);
                backend.UnaryGradient(_f, _saved, gradient, gh);
            }

            if (_bias is { NeedsGradient: true })
            {
                Tensor gb = Gradients.Target(_bias, out bool accumulate);
                backend.SumRows(Flat(gh), gb, accumulate);
            }

            Tensor rows = Flat(Operand(gh));
            if (_w.NeedsGradient)
            {
                Tensor gw = Gradients.Target(_w, out bool accumulate);
                backend.MatMul(rows, true, Flat(_x), false, gw, 1, accumulate, _digits);
            }

            if (_x.NeedsGradient)
            {
                Tensor gx = Gradients.Target(_x, out bool accumulate);
                backend.MatMul(rows, false, _operand, false, Flat(gx), 1, accumulate, _digits);
            }
        }

        /// <summary>The gradient in the type of the products.</summary>
        private Tensor Operand(Tensor gh)
        {
            if (gh.Type == _operand.Type)
            {
                return gh;
            }

            Tensor rounded = Tensor.Allocate(gh.Device, _operand.Type, gh.Shape);
            gh.Device.Backend.Copy(gh, rounded);
            return rounded;
        }

        private static Tensor Flat(Tensor x)
        {
            Shape flat = new((int)x.Shape.Rows, x.Shape.Last);
            return x.View(flat, Strides.Contiguous(flat), x.Offset);
        }
    }
}
