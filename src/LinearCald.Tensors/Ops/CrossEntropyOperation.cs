using LinearCald.Tensors.Autograd;

namespace LinearCald.Tensors.Ops;

/// <summary>−log softmax(logits)[label] over rows whose label is not ignored.</summary>
public static class CrossEntropyOperation
{
    /// <summary>logits [rows, classes], labels int32 [rows] → one element. The mean is over counted rows; NaN when there are none, as in PyTorch.</summary>
    /// <exception cref="CaldException">A label is outside the classes.</exception>
    public static Tensor CrossEntropy(this Tensor logits, Tensor labels, int ignore = -100, Reduction reduction = Reduction.Mean)
    {
        ArgumentNullException.ThrowIfNull(logits);
        ArgumentNullException.ThrowIfNull(labels);
        Check.Float("CrossEntropy", logits);
        Check.Rank("CrossEntropy", "logits", logits, 2);
        Check.Int32("CrossEntropy", "labels", labels);
        Check.Vector("CrossEntropy", "labels", labels, logits.Shape[0]);
        logits = logits.Contiguous();
        Tensor loss = Tensor.Allocate(logits.Device, logits.Type.Statistics(), default);
        Tensor lse = Tensor.Allocate(logits.Device, logits.Type.Statistics(), new Shape(logits.Shape[0]));
        logits.Device.Backend.CrossEntropy(logits, labels, ignore, reduction, loss, lse);
        return Tape.Wants(logits) ? Tape.Attach(loss, new Node(logits, labels, ignore, reduction, lse)) : loss;
    }

    private sealed class Node : TapeNode
    {
        private readonly Tensor _logits;
        private readonly Tensor _labels;
        private readonly int _ignore;
        private readonly Reduction _reduction;
        private readonly Tensor _lse;

        public Node(Tensor logits, Tensor labels, int ignore, Reduction reduction, Tensor lse)
        {
            _logits = Save(logits);
            _labels = Save(labels);
            _ignore = ignore;
            _reduction = reduction;
            _lse = Save(lse);
        }

        // counted rows: (softmax − one-hot) · g (/ counted rows for the mean); ignored rows: 0
        public override void Backward(Tensor gradient)
        {
            Tensor gx = Gradients.Buffer(_logits);
            _logits.Device.Backend.CrossEntropyGradient(_logits, _labels, _ignore, _reduction, _lse, gradient, gx);
            Gradients.Add(_logits, gx);
        }
    }
}
