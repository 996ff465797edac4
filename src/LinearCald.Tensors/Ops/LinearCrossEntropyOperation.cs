using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;

namespace LinearCald.Tensors.Ops;

/// <summary>
/// The loss of a language model's head without its logits: they are made for some rows at a time, and what the gradients need of them is taken while they are
/// there. One float32 gradient of each input is held from the forward to the backward pass instead of [rows, classes].
/// </summary>
public static class LinearCrossEntropyOperation
{
    /// <summary>
    /// −log softmax(hidden weightᵀ)[label] over rows whose label is not ignored. With 16-bit hidden states the weight may be Float32 (mixed precision): it is
    /// rounded to their type once, and its gradient is Float32.
    /// </summary>
    /// <param name="hidden">[rows, features]</param>
    /// <param name="weight">[classes, features]</param>
    /// <param name="labels">int32 [rows]</param>
    /// <param name="ignore">The label of rows that do not count.</param>
    /// <param name="reduction">The mean is over counted rows; NaN when there are none, as in PyTorch.</param>
    /// <returns>One element; Float32 for 16-bit hidden states.</returns>
    /// <exception cref="CaldException">Extents or types do not fit, or (on the CPU) a label is outside the classes; a GPU gives NaN then.</exception>
    public static Tensor LinearCrossEntropy(this Tensor hidden, Tensor weight, Tensor labels, int ignore = -100, Reduction reduction = Reduction.Mean)
    {
        ArgumentNullException.ThrowIfNull(hidden);
        ArgumentNullException.ThrowIfNull(weight);
        ArgumentNullException.ThrowIfNull(labels);
        Check.Float("LinearCrossEntropy", hidden);
        if (weight.Type != hidden.Type.Statistics())
        {
            Check.SameType("LinearCrossEntropy", hidden, weight);
        }

        Check.Rank("LinearCrossEntropy", "hidden", hidden, 2);
        if (weight.Shape.Rank != 2 || weight.Shape[1] != hidden.Shape[1])
        {
            throw new CaldException($"LinearCrossEntropy: hidden states {hidden.Shape} do not fit weight {weight.Shape}; expected [rows, features] and [classes, features]");
        }

        Check.Int32("LinearCrossEntropy", "labels", labels);
        Check.Vector("LinearCrossEntropy", "labels", labels, hidden.Shape[0]);
        int chunk = hidden.Device.Backend.LogitRows(weight.Shape[0], hidden.Type.Statistics().Size());
        return LinearCrossEntropy(hidden.Contiguous(), weight.Contiguous(), labels.Contiguous(), ignore, reduction, chunk);
    }

    /// <summary>The same on contiguous tensors, with the most rows of logits to hold.</summary>
    internal static Tensor LinearCrossEntropy(Tensor hidden, Tensor weight, Tensor labels, int ignore, Reduction reduction, int chunk)
    {
        using MemoryScope scope = MemoryScope.Begin();
        Backend backend = hidden.Device.Backend;
        DType exact = hidden.Type.Statistics();
        bool record = Tape.Wants(hidden, weight);
        Tensor factors = Tensor.Allocate(hidden.Device, exact, new Shape(2));
        backend.CrossEntropyFactors(labels, weight.Shape[0], ignore, reduction, factors);
        Chunks chunks = new(hidden, weight, labels, ignore, chunk)
        {
            HiddenGradient = record && hidden.NeedsGradient ? Tensor.Allocate(hidden.Device, exact, hidden.Shape) : null,
            WeightGradient = record && weight.NeedsGradient ? Tensor.Allocate(weight.Device, exact, weight.Shape) : null,
        };
        Tensor sum = chunks.Run();
        Tensor loss = scope.Keep(Tensor.Allocate(hidden.Device, exact, default));
        backend.Binary(BinaryKind.Multiply, sum, factors.View(default, default, factors.Offset), loss);
        return record ? Tape.Attach(loss, new Node(hidden, weight, factors, chunks.HiddenGradient, chunks.WeightGradient)) : loss;
    }

    /// <summary>
    /// The sum of the rows' losses, and its gradients, chunk by chunk. Logits are Float32 also for 16-bit data: rounded to bfloat16, a logit of 20 is off by up to
    /// 0.06, and the loss with it. Their gradient, softmax − one-hot, is rounded for the products, as every gradient is. It has no scale yet: divided by
    /// thousands of rows most of its elements would vanish in float16.
    /// </summary>
    private sealed class Chunks(Tensor hidden, Tensor weight, Tensor labels, int ignore, int largest)
    {
        private readonly Backend _backend = hidden.Device.Backend;
        private readonly Device _device = hidden.Device;
        private readonly DType _exact = hidden.Type.Statistics();
        private readonly int _rows = hidden.Shape[0];
        private readonly int _classes = weight.Shape[0];

        /// <summary>Receives d sum / d hidden, if wanted.</summary>
        public Tensor? HiddenGradient { get; init; }

        /// <summary>Receives d sum / d weight, if wanted.</summary>
        public Tensor? WeightGradient { get; init; }

        public Tensor Run()
        {
            int count = (_rows + largest - 1) / largest;
            int size = Math.Min(_rows, largest);
            Tensor logits = Tensor.Allocate(_device, _exact, new Shape(size, _classes));
            Tensor lse = Tensor.Allocate(_device, _exact, new Shape(size));
            bool gradients = HiddenGradient is not null || WeightGradient is not null;
            Tensor glogits = gradients && hidden.Type != _exact ? Tensor.Allocate(_device, hidden.Type, logits.Shape) : logits;
            Tensor operand = Operand();
            Tensor one = Tensor.Full(_device, _exact, default, 1);
            Tensor sums = Tensor.Zeros(_device, _exact, new Shape(Math.Max(1, count)));
            if (count == 0 && WeightGradient is not null)
            {
                _backend.Fill(WeightGradient, 0);
            }

            for (int i = 0; i < count; i++)
            {
                int from = i * largest;
                int rows = Math.Min(largest, _rows - from);
                Tensor x = Rows(hidden, from, rows);
                Tensor chosen = labels.View(new Shape(rows), labels.Strides, labels.Offset + from);
                Tensor z = Rows(logits, 0, rows);
                Tensor gz = Rows(glogits, 0, rows);
                Tensor normaliser = lse.View(new Shape(rows), lse.Strides, lse.Offset);
                _backend.Linear(x, operand, null, Activation.None, null, z);
                _backend.CrossEntropy(z, chosen, ignore, Reduction.Sum, sums.View(default, default, sums.Offset + i), normaliser);
                if (!gradients)
                {
                    continue;
                }

                _backend.CrossEntropyGradient(z, chosen, ignore, Reduction.Sum, normaliser, one, gz);

                if (HiddenGradient is not null)
                {
                    _backend.MatMul(gz, false, operand, false, Rows(HiddenGradient, from, rows), 1, accumulate: false);
                }

                if (WeightGradient is not null)
                {
                    _backend.MatMul(gz, true, x, false, WeightGradient, 1, accumulate: i > 0);
                }
            }

            Tensor sum = Tensor.Allocate(_device, _exact, default);
            _backend.Sum(sums, sum);
            return sum;
        }

        private static Tensor Rows(Tensor x, int from, int count)
        {
            Shape shape = new(count, x.Shape[1]);
            return x.View(shape, Strides.Contiguous(shape), x.Offset + ((long)from * x.Shape[1]));
        }

        /// <summary>The weight in the type of the hidden states.</summary>
        private Tensor Operand()
        {
            if (weight.Type == hidden.Type)
            {
                return weight;
            }

            Tensor operand = Tensor.Allocate(_device, hidden.Type, weight.Shape);
            _backend.Copy(weight, operand);
            return operand;
        }
    }

    private sealed class Node : TapeNode
    {
        private readonly Tensor _hidden;
        private readonly Tensor _weight;
        private readonly Tensor _factors;
        private readonly Tensor? _hiddenGradient;
        private readonly Tensor? _weightGradient;

        public Node(Tensor hidden, Tensor weight, Tensor factors, Tensor? hiddenGradient, Tensor? weightGradient)
        {
            _hidden = hidden;
            _weight = weight;
            _factors = Save(factors);
            _hiddenGradient = SaveOptional(hiddenGradient);
            _weightGradient = SaveOptional(weightGradient);
        }

        // loss = f · Σ rows: the gradients of the sum, G = softmax − one-hot, dhidden = G W, dW = Gᵀ hidden, are there; what is left is f · g
        public override void Backward(Tensor gradient)
        {
            Tensor factor = Tensor.Allocate(gradient.Device, gradient.Type, default);
            gradient.Device.Backend.Binary(BinaryKind.Multiply, gradient, _factors.View(default, default, _factors.Offset + 1), factor);
            Send(_hidden, _hiddenGradient, factor);
            Send(_weight, _weightGradient, factor);
        }

        private static void Send(Tensor input, Tensor? gradient, Tensor factor)
        {
            if (gradient is null)
            {
                return;
            }

            Backend backend = input.Device.Backend;
            if (input.Type != gradient.Type)
            {
                Tensor rounded = Gradients.Buffer(input);
                backend.Binary(BinaryKind.Multiply, gradient, factor, gradient);
                backend.Copy(gradient, rounded);
                Gradients.Add(input, rounded);
                return;
            }

            Tensor target = Gradients.Target(input, out bool accumulate);
            backend.Binary(BinaryKind.Multiply, gradient, factor, accumulate ? gradient : target);
            if (accumulate)
            {
                backend.AddInPlace(target, gradient);
            }
        }
    }
}
