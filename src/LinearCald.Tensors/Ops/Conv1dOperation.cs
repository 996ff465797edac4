using LinearCald.Tensors.Autograd;

namespace LinearCald.Tensors.Ops;

/// <summary>Convolution along the sequence over all channels of a group (torch's <c>conv1d</c>, channels last), with an activation fused behind it.</summary>
public static class Conv1dOperation
{
    /// <summary>
    /// y[b, t, o] = f(bias[o] + Σ over j and i of weight[o, i, j] · x[b, t · stride + j − padding, c(o, i)]), where channel i of o's group is c(o, i) and rows before
    /// the first and after the last count as zero. With 16-bit x the parameters may be Float32 (mixed precision): the weight is rounded to x's type for the
    /// product, and its gradient is Float32.
    /// </summary>
    /// <param name="x">[B, L, Cin].</param>
    /// <param name="weight">[Cout, Cin/groups, K]: HuggingFace's layout.</param>
    /// <param name="bias">[Cout], or null.</param>
    /// <param name="stride">Inputs from one output to the next.</param>
    /// <param name="padding">Rows of zeros before the first input and after the last.</param>
    /// <param name="groups">Equal parts of the input's channels; each feeds an equal part of the output's.</param>
    /// <param name="activation">f, fused.</param>
    /// <param name="digits">Of float32 operands in this product; those of the weight's gradient have <see cref="ProductDigits.Eleven"/>.</param>
    /// <param name="gradientDigits">Of float32 operands in the gradient of the input.</param>
    /// <returns>[B, Lout, Cout], Lout = (L + 2 · padding − K)/stride + 1.</returns>
    /// <exception cref="CaldException">Shapes or types do not fit, or the input is shorter than the kernel.</exception>
    public static Tensor Conv1d(
        this Tensor x, Tensor weight, Tensor? bias, int stride = 1, int padding = 0, int groups = 1, Activation activation = Activation.None,
        ProductDigits digits = ProductDigits.Eleven, ProductDigits gradientDigits = ProductDigits.Eleven)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(weight);
        int length = OutputLength(x, weight, bias, stride, padding, groups);
        x = x.Contiguous();
        bias = bias?.Contiguous();
        Shape shape = new(x.Shape[0], length, weight.Shape[0]);
        Tensor y = Tensor.Allocate(x.Device, x.Type, shape);
        bool record = Tape.Wants(x, weight, bias);
        Tensor? pre = record && activation != Activation.None && !activation.SavesOutput() ? Tensor.Allocate(x.Device, x.Type, shape) : null;
        Tensor operand = TapsFirst(weight, x.Type);
        x.Device.Backend.Conv1d(x, operand, bias, stride, padding, groups, activation, pre, digits, y);
        return record
            ? Tape.Attach(y, new Node(x, weight, operand, bias, stride, padding, groups, activation, activation == Activation.None ? null : pre ?? y, gradientDigits))
            : y;
    }

    private const string Name = "Conv1d";

    private static int OutputLength(Tensor x, Tensor weight, Tensor? bias, int stride, int padding, int groups)
    {
        Check.Float(Name, x);
        Check.Rank(Name, "x", x, 3);
        Check.Rank(Name, "weight", weight, 3);
        if (weight.Type != x.Type.Statistics())
        {
            Check.SameType(Name, x, weight);
        }

        if (stride < 1 || padding < 0 || groups < 1)
        {
            throw new CaldException($"{Name}: stride {stride}, padding {padding} and groups {groups} must be at least 1, 0 and 1");
        }

        int channels = x.Shape[2];
        Shape w = weight.Shape;
        if (channels % groups != 0 || w[0] % groups != 0 || w[1] != channels / groups || w[2] < 1)
        {
            throw new CaldException(
                $"{Name}: weight {w} does not fit x {x.Shape} in {groups} groups; it must be [Cout, {channels}/{groups}, K] with both channel counts divisible by the groups");
        }

        Check.Vector(Name, "bias", bias, w[0]);
        if (bias is not null && bias.Type != x.Type.Statistics())
        {
            throw new CaldException($"{Name}: bias must be {x.Type.Statistics()} for x of {x.Type}, not {bias.Type}; convert it with To");
        }

        long padded = x.Shape[1] + (2L * padding);
        if (padded < w[2])
        {
            throw new CaldException($"{Name}: {x.Shape[1]} rows with padding {padding} are fewer than the {w[2]} that one output reads; give a longer input");
        }

        return checked((int)((padded - w[2]) / stride) + 1);
    }

    /// <summary>[Cout, I, K] → [Cout, K, I] in another type.</summary>
    private static Tensor TapsFirst(Tensor weight, DType type)
    {
        Tensor view = Exchanged(weight);
        if (view.Type == type && view.IsContiguous)
        {
            return view;
        }

        Tensor operand = Tensor.Allocate(weight.Device, type, view.Shape);
        weight.Device.Backend.Copy(view, operand);
        return operand;
    }

    private static Tensor Exchanged(Tensor x)
    {
        Strides strides = x.Strides;
        (strides[1], strides[2]) = (strides[2], strides[1]);
        return x.View(new Shape(x.Shape[0], x.Shape[2], x.Shape[1]), strides, x.Offset);
    }

    private sealed class Node : TapeNode
    {
        private readonly Tensor _x;
        private readonly Tensor _weight;
        private readonly Tensor _operand;
        private readonly Tensor? _bias;
        private readonly int _stride;
        private readonly int _padding;
        private readonly int _groups;
        private readonly Activation _activation;
        private readonly Tensor? _saved;
        private readonly ProductDigits _digits;

        public Node(
            Tensor x, Tensor weight, Tensor operand, Tensor? bias, int stride, int padding, int groups, Activation activation, Tensor? saved, ProductDigits digits)
        {
            _digits = digits;
            _x = Save(x);
            _weight = weight;
            _operand = Save(operand);
            _bias = bias;
            _stride = stride;
            _padding = padding;
            _groups = groups;
            _activation = activation;
            _saved = SaveOptional(saved);
        }

        // h = bias + Σ w[j] x[t s + j − p], y = f(h): gh = f′ gy; dbias = Σ gh; dw[j] = Σ gh[t] x[t s + j − p]; dx[r] = Σ over t s + j − p = r of gh[t] w[j]
        public override void Backward(Tensor gradient)
        {
            Backend backend = gradient.Device.Backend;
            Tensor gh = gradient;
            if (_saved is not null)
            {
                gh = Tensor.Allocate(gradient.Device, gradient.Type, gradient.Shape);
                backend.UnaryGradient(_activation, _saved, gradient, gh);
            }

            if (_bias is { NeedsGradient: true })
            {
                Tensor gb = Gradients.Target(_bias, out bool accumulate);
                backend.SumRows(gh, gb, accumulate);
            }

            if (_weight.NeedsGradient)
            {
                Tensor gw = Tensor.Allocate(_weight.Device, _weight.Type, _operand.Shape);
                backend.Conv1dWeightGradient(gh, _x, _stride, _padding, _groups, gw);
                Gradients.Add(_weight, Exchanged(gw));
            }

            InputGradient gx = Gradients.For(_x, strided: false);
            if (gx.Buffer is { } buffer)
            {
                backend.Conv1dInputGradient(gh, _operand, _stride, _padding, _groups, _digits, buffer);
                gx.Done();
            }
        }
    }
}
