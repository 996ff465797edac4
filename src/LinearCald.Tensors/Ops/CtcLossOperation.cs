using LinearCald.Tensors.Autograd;

namespace LinearCald.Tensors.Ops;

/// <summary>Connectionist temporal classification (Graves, Fernández, Gomez and Schmidhuber 2006): the likelihood of a label sequence under all its alignments with the frames.</summary>
public static class CtcLossOperation
{
    /// <summary>
    /// −ln p(target | logits) of every row, one number each. An alignment gives each frame a label or the blank; it spells the target once repeated labels are merged and
    /// then blanks dropped. p is the sum over all of them of the product of the frames' softmax probabilities.
    /// </summary>
    /// <param name="logits">[B, T, V], before softmax.</param>
    /// <param name="targets">int32 [B, S]; what lies beyond a row's target length is ignored.</param>
    /// <param name="inputLengths">int32 [B], 0 … T: the frames of each row. Those from there on reach nothing and get no gradient.</param>
    /// <param name="targetLengths">int32 [B], 0 … S.</param>
    /// <param name="blank">The class that stands for no label.</param>
    /// <param name="zeroInfinity">Where no alignment is possible (too few frames, or a class of probability 0): loss 0 instead of +∞. The gradient is 0 either way.</param>
    /// <returns>[B], of the type of the logits' statistics. A row that holds a NaN gives NaN.</returns>
    /// <exception cref="CaldException">Shapes do not agree; on the CPU also: a length or a label is out of range, or a label is the blank (a GPU gives NaN for that row).</exception>
    public static Tensor CtcLoss(this Tensor logits, Tensor targets, Tensor inputLengths, Tensor targetLengths, int blank = 0, bool zeroInfinity = true)
    {
        ArgumentNullException.ThrowIfNull(logits);
        ArgumentNullException.ThrowIfNull(targets);
        ArgumentNullException.ThrowIfNull(inputLengths);
        ArgumentNullException.ThrowIfNull(targetLengths);
        Check.Float("CtcLoss", logits);
        Check.Rank("CtcLoss", "logits", logits, 3);
        Check.Rank("CtcLoss", "targets", targets, 2);
        int batch = logits.Shape[0];
        if (targets.Shape[0] != batch)
        {
            throw new CaldException($"CtcLoss: targets {targets.Shape} must have as many rows as the logits {logits.Shape}");
        }

        foreach ((string name, Tensor integers) in (ReadOnlySpan<(string, Tensor)>)[("targets", targets), ("inputLengths", inputLengths), ("targetLengths", targetLengths)])
        {
            Check.Int32("CtcLoss", name, integers);
            if (!ReferenceEquals(integers.Device, logits.Device))
            {
                throw new CaldException($"CtcLoss: {name} are on {integers.Device}, the logits on {logits.Device}");
            }
        }

        Check.Vector("CtcLoss", "inputLengths", inputLengths, batch);
        Check.Vector("CtcLoss", "targetLengths", targetLengths, batch);
        if ((uint)blank >= (uint)logits.Shape[2])
        {
            throw new CaldException($"CtcLoss: the blank is class {blank}, but logits {logits.Shape} have classes 0 to {logits.Shape[2] - 1}");
        }

        logits = logits.Contiguous();
        DType type = logits.Type.Statistics();
        Tensor losses = Tensor.Allocate(logits.Device, type, new Shape(batch));
        bool wanted = Tape.Wants(logits);
        Tensor? gradient = wanted ? Tensor.Allocate(logits.Device, type, logits.Shape) : null;
        logits.Device.Backend.CtcLoss(logits, targets.Contiguous(), inputLengths.Contiguous(), targetLengths.Contiguous(), blank, zeroInfinity, losses, gradient);
        return wanted ? Tape.Attach(losses, new Node(logits, gradient!)) : losses;
    }

    private sealed class Node : TapeNode
    {
        private readonly Tensor _logits;
        private readonly Tensor _slope;

        public Node(Tensor logits, Tensor slope)
        {
            _logits = Save(logits);
            _slope = Save(slope);
        }

        // With α and β the sums over the first and the last parts of the alignments, γ_t(s) = α_t(s) β_t(s) / p is the probability that frame t is in state s; then
        // d(−ln p)/d logits[t, c] = softmax[t, c] − Σ over states s of class c of γ_t(s), which the forward pass has made: here it is only scaled
        public override void Backward(Tensor gradient)
        {
            Tensor gx = Gradients.Buffer(_logits);
            _logits.Device.Backend.ScaleSamples(_slope, gradient.Contiguous(), gx);
            Gradients.Add(_logits, gx);
        }
    }
}
