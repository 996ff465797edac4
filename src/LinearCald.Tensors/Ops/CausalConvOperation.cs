using LinearCald.Tensors.Autograd;

namespace LinearCald.Tensors.Ops;

/// <summary>The short depthwise convolution in front of a state-space layer (Gu and Dao 2023, figure 3): every channel looks back over its own last K inputs.</summary>
public static class CausalConvOperation
{
    /// <summary>The most taps a kernel may have.</summary>
    public const int MostTaps = 8;

    /// <summary>
    /// y[b, t, c] = f(bias[c] + Σ over j of weight[c, 0, j] · x[b, t − K + 1 + j, c]); inputs before the first count as zero, or are those of <paramref name="state"/>.
    /// </summary>
    /// <param name="x">[B, L, D]; may be a part of the last dimension of a contiguous tensor.</param>
    /// <param name="weight">[D, 1, K], K ≤ 8: HuggingFace's <c>conv1d.weight</c>. Float32 where x has 16 bits.</param>
    /// <param name="bias">[D], or null.</param>
    /// <param name="activation">None or Silu.</param>
    /// <param name="sequences">int32 [B, L], or null: a row of x may hold several sequences; where the number changes the next one begins and sees nothing before it.</param>
    /// <param name="lengths">int32 [B], or null: positions from a sample's length on give 0 and receive no gradient, whatever they hold.</param>
    /// <param name="state">
    /// [B, K − 1, D], or null: the inputs before these, oldest first, as earlier calls left them (zeros before the first); updated in place to the last inputs of
    /// the sequence that ends here. Float32 where x has 16 bits. For generation: not recorded.
    /// </param>
    /// <param name="reverse">
    /// Whether positions look ahead instead of back: y[b, t, c] = f(bias[c] + Σ over j of weight[c, 0, j] · x[b, t + K − 1 − j, c]), where inputs from the sample's
    /// length on and of another sequence count as zero. It is the convolution of each sample read from its last valid position to its first.
    /// </param>
    /// <returns>[B, L, D].</returns>
    /// <exception cref="CaldException">Shapes or types do not fit, or a state is given while a gradient is wanted or together with reverse.</exception>
    public static Tensor CausalConv1d(
        this Tensor x, Tensor weight, Tensor? bias, Activation activation, Tensor? sequences = null, Tensor? lengths = null, Tensor? state = null, bool reverse = false)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(weight);
        CheckInputs(x, weight, bias, activation, sequences, lengths, state);
        bool recorded = Tape.Wants(x, weight, bias);
        if (recorded && state is not null)
        {
            throw new CaldException($"{Name}: a state is for generation and has no gradient; pause the tape (Tape.Paused) or pass no state");
        }

        if (reverse && state is not null)
        {
            throw new CaldException($"{Name}: the reverse direction has no state, since its first input is the last of the sequence; pass no state");
        }

        x = x.InRows();
        weight = weight.Contiguous();
        bias = bias?.Contiguous();
        sequences = sequences?.Contiguous();
        Tensor y = Tensor.Allocate(x.Device, x.Type, x.Shape);
        x.Device.Backend.CausalConv1d(x, weight, bias, activation, sequences, lengths, state, reverse, y);
        return recorded ? Tape.Attach(y, new Node(x, weight, bias, activation, sequences, lengths, reverse)) : y;
    }

    private const string Name = "CausalConv1d";

    private static void CheckInputs(Tensor x, Tensor weight, Tensor? bias, Activation activation, Tensor? sequences, Tensor? lengths, Tensor? state)
    {
        Check.Float(Name, x);
        Check.Rank(Name, "x", x, 3);
        int channels = x.Shape.Last;
        if (weight.Shape.Rank != 3 || weight.Shape[0] != channels || weight.Shape[1] != 1 || weight.Shape[2] is < 1 or > MostTaps)
        {
            throw new CaldException($"{Name}: weight must have shape [{channels}, 1, K] with K from 1 to {MostTaps} for x {x.Shape}, not {weight.Shape}");
        }

        Check.Vector(Name, "bias", bias, channels);
        Parameter("weight", weight, x);
        Parameter("bias", bias, x);
        Check.Int32(Name, "sequences", sequences);
        Check.Int32(Name, "lengths", lengths);
        Check.Vector(Name, "lengths", lengths, x.Shape[0]);
        if (sequences is not null && sequences.Shape != new Shape(x.Shape[0], x.Shape[1]))
        {
            throw new CaldException($"{Name}: sequences must have shape [{x.Shape[0]}, {x.Shape[1]}] for x {x.Shape}, not {sequences.Shape}");
        }

        if (activation is not (Activation.None or Activation.Silu))
        {
            throw new CaldException($"{Name}: the activation must be None or Silu, not {activation}; apply another one to the result");
        }

        Parameter("state", state, x);
        Shape expected = new(x.Shape[0], weight.Shape[2] - 1, channels);
        if (state is not null && (state.Shape != expected || !state.IsContiguous))
        {
            throw new CaldException($"{Name}: state must be contiguous and of shape {expected}, not {(state.IsContiguous ? string.Empty : "strided ")}{state.Shape}");
        }
    }

    private static void Parameter(string name, Tensor? parameter, Tensor x)
    {
        if (parameter is not null && parameter.Type != x.Type.Statistics())
        {
            throw new CaldException($"{Name}: {name} must be {x.Type.Statistics()} for x of {x.Type}, not {parameter.Type}; convert it with To");
        }
    }

    private sealed class Node : TapeNode
    {
        private readonly Tensor _x;
        private readonly Tensor _weight;
        private readonly Tensor? _bias;
        private readonly Activation _activation;
        private readonly Tensor? _sequences;
        private readonly Tensor? _lengths;
        private readonly bool _reverse;

        public Node(Tensor x, Tensor weight, Tensor? bias, Activation activation, Tensor? sequences, Tensor? lengths, bool reverse)
        {
            _x = Save(x);
            _weight = Save(weight);
            _bias = SaveOptional(bias);
            _activation = activation;
            _sequences = SaveOptional(sequences);
            _lengths = SaveOptional(lengths);
            _reverse = reverse;
        }

        // p[t] = bias + Σ w[j] x[t − K + 1 + j], g = gy f′(p): dx[t] = Σ w[j] g[t + K − 1 − j], dw[j] = Σ g[t] x[t − K + 1 + j], dbias = Σ g; p is computed again
        // in reverse the same with t counted from the last valid position
        public override void Backward(Tensor gradient)
        {
            bool accumulateW = false;
            bool accumulateBias = false;
            Tensor? gw = _weight.NeedsGradient ? Gradients.Target(_weight, out accumulateW) : null;
            Tensor? gbias = _bias is { NeedsGradient: true } ? Gradients.Target(_bias, out accumulateBias) : null;
            InputGradient gx = Gradients.For(_x);
            _x.Device.Backend.CausalConv1dGradient(
                gradient, _x, _weight, _bias, _activation, _sequences, _lengths, _reverse, gx.Buffer, gw, accumulateW, gbias, accumulateBias);
            gx.Done();
        }
    }
}
