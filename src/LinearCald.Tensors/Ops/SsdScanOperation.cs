using LinearCald.Tensors.Autograd;

namespace LinearCald.Tensors.Ops;

/// <summary>
/// The scan of Mamba-2 (Dao and Gu 2024, arXiv 2405.21060): a state h [P, N] a head with one decay a head and position,
/// h_t = exp(Δ_t A) h_{t−1} + Δ_t x_t B_tᵀ, y_t = h_t C_t + D x_t, computed chunk by chunk with matrix products.
/// </summary>
public static class SsdScanOperation
{
    private const string Name = "SsdScan";

    /// <summary>x [B, L, H·P] → y [B, L, H·P]. States are float32 (float64 for float64 data), whatever the type of the data.</summary>
    /// <param name="x">[B, L, H·P]; like delta, b and c it may be a range of the last dimension of a wider tensor.</param>
    /// <param name="delta">[B, L, H] before bias, softplus and clamping.</param>
    /// <param name="a">[H], negative, of the type of statistics, as d and deltaBias are.</param>
    /// <param name="b">[B, L, G·N]</param>
    /// <param name="c">[B, L, G·N]</param>
    /// <param name="d">[H]: the share of x in y, or null.</param>
    /// <param name="deltaBias">[H] or null.</param>
    /// <exception cref="CaldException">Shapes, types or options do not fit, or a gradient is asked for while the state is updated in place.</exception>
    public static Tensor SsdScan(this Tensor x, Tensor delta, Tensor a, Tensor b, Tensor c, Tensor? d, Tensor? deltaBias, SsdOptions options)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(delta);
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        ArgumentNullException.ThrowIfNull(c);
        ArgumentNullException.ThrowIfNull(options);
        CheckInputs(x, delta, b, c, options);
        CheckParameters(x, a, d, deltaBias, options);
        CheckOptions(x, b, options);
        SsdArguments arguments = new(x.InRows(), delta.InRows(), a.Contiguous(), b.InRows(), c.InRows(), d?.Contiguous(), deltaBias?.Contiguous(), options);
        Tensor y = Tensor.Allocate(x.Device, x.Type, x.Shape);
        if (!(Tape.Wants(x, delta, a) || Tape.Wants(b, c, d) || (deltaBias is not null && Tape.Wants(deltaBias, options.InitialState)) || (options.InitialState is { } h && Tape.Wants(h))))
        {
            x.Device.Backend.SsdScan(arguments, y, null);
            return y;
        }

        if (options.FinalState is not null && ReferenceEquals(options.FinalState, options.InitialState))
        {
            throw new CaldException($"{Name}: a gradient needs the initial state, which the scan would overwrite; give FinalState a tensor of its own, or pause the tape");
        }

        Tensor? saved = x.Device.Backend.SsdSaved(arguments);
        x.Device.Backend.SsdScan(arguments, y, saved);
        return Tape.Attach(y, new Node(arguments, saved));
    }

    private static void CheckInputs(Tensor x, Tensor delta, Tensor b, Tensor c, SsdOptions options)
    {
        Check.Float(Name, x);
        Check.Rank(Name, "x", x, 3);
        Check.SameType(Name, x, delta);
        Check.SameType(Name, x, b);
        Check.SameShape(Name, b, c);
        if (options.Heads < 1 || options.Groups < 1 || options.Heads % options.Groups != 0 || x.Shape[2] % options.Heads != 0)
        {
            throw new CaldException($"{Name}: {options.Heads} heads in {options.Groups} groups do not fit x {x.Shape}; heads must divide its features, and groups the heads");
        }

        if (delta.Shape != new Shape(x.Shape[0], x.Shape[1], options.Heads))
        {
            throw new CaldException($"{Name}: delta must have shape [{x.Shape[0]}, {x.Shape[1]}, {options.Heads}], one number a head, not {delta.Shape}");
        }

        if (b.Shape.Rank != 3 || b.Shape[0] != x.Shape[0] || b.Shape[1] != x.Shape[1] || b.Shape[2] % options.Groups != 0)
        {
            throw new CaldException($"{Name}: b and c {b.Shape} must have the batch and length of x {x.Shape}, and a multiple of {options.Groups} groups as features");
        }
    }

    private static void CheckParameters(Tensor x, Tensor a, Tensor? d, Tensor? deltaBias, SsdOptions options)
    {
        CheckParameter(x, "a", a, options.Heads);
        CheckParameter(x, "d", d, options.Heads);
        CheckParameter(x, "deltaBias", deltaBias, options.Heads);
    }

    private static void CheckParameter(Tensor x, string name, Tensor? parameter, int heads)
    {
        Check.Vector(Name, name, parameter, heads);
        if (parameter is not null && (parameter.Type != x.Type.Statistics() || !ReferenceEquals(parameter.Device, x.Device)))
        {
            throw new CaldException($"{Name}: {name} must be {x.Type.Statistics()} on {x.Device} for {x.Type} data, not {parameter}");
        }
    }

    private static void CheckOptions(Tensor x, Tensor b, SsdOptions options)
    {
        if (options.Chunk < 1 || !(options.DeltaMin <= options.DeltaMax))
        {
            throw new CaldException($"{Name}: a chunk of {options.Chunk} positions and Δ from {options.DeltaMin} to {options.DeltaMax} make no sense; the chunk must be at least 1, the range not empty");
        }

        Check.Int32(Name, "Lengths", options.Lengths);
        Check.Vector(Name, "Lengths", options.Lengths, x.Shape[0]);
        Check.Int32(Name, "Sequences", options.Sequences);
        if (options.Sequences is { } sequences && (sequences.Shape != new Shape(x.Shape[0], x.Shape[1]) || !sequences.IsContiguous))
        {
            throw new CaldException($"{Name}: Sequences must be contiguous of shape [{x.Shape[0]}, {x.Shape[1]}], not {sequences.Shape}");
        }

        Shape state = new(x.Shape[0], options.Heads, x.Shape[2] / options.Heads, b.Shape[2] / options.Groups);
        CheckState(x, "InitialState", options.InitialState, state);
        CheckState(x, "FinalState", options.FinalState, state);
    }

    private static void CheckState(Tensor x, string name, Tensor? given, in Shape state)
    {
        if (given is not null && (given.Shape != state || given.Type != x.Type.Statistics() || !given.IsContiguous || !ReferenceEquals(given.Device, x.Device)))
        {
            throw new CaldException($"{Name}: {name} must be a contiguous {x.Type.Statistics()} tensor {state} on {x.Device}, not {given}");
        }
    }

    private sealed class Node : TapeNode
    {
        private readonly SsdArguments _arguments;
        private readonly Tensor? _saved;

        public Node(SsdArguments arguments, Tensor? saved)
        {
            _arguments = arguments;
            _saved = SaveOptional(saved);
            Save(arguments.X);
            Save(arguments.Delta);
            Save(arguments.A);
            Save(arguments.B);
            Save(arguments.C);
            SaveOptional(arguments.D);
            SaveOptional(arguments.DeltaBias);
            SaveOptional(arguments.Options.Sequences);
            SaveOptional(arguments.Options.Lengths);
            SaveOptional(arguments.Options.InitialState);
        }

        // g_t = C_t ⊗ dy_t + exp(Δ_{t+1} A) g_{t+1} (the gradient of h_t): dx = Δ g B + D dy, dB = Δ gᵀ x, dC = hᵀ dy,
        // d(Δ_t A) = exp(Δ_t A) ⟨g_t, h_{t−1}⟩, dΔ = xᵀ g B + A d(ΔA), dA = Σ Δ d(ΔA), dD = Σ dy·x; the initial state gets exp(Δ_1 A) g_1
        public override void Backward(Tensor gradient)
        {
            (Tensor x, Tensor delta, Tensor a, Tensor b, Tensor c, Tensor? d, Tensor? bias, SsdOptions options) = _arguments;
            InputGradient gx = Gradients.ForAny(x), gdelta = Gradients.ForAny(delta), gb = Gradients.ForAny(b), gc = Gradients.ForAny(c);
            InputGradient ga = Gradients.ForAny(a, strided: false), gd = Gradients.For(d, strided: false), gbias = Gradients.For(bias, strided: false);
            InputGradient ginitial = Gradients.For(options.InitialState, strided: false);
            x.Device.Backend.SsdScanGradient(
                _arguments, _saved, gradient, new(gx.Buffer!, gdelta.Buffer!, ga.Buffer!, gb.Buffer!, gc.Buffer!, gd.Buffer, gbias.Buffer, ginitial.Buffer));
            gx.Done();
            gdelta.Done();
            ga.Done();
            gb.Done();
            gc.Done();
            gd.Done();
            gbias.Done();
            ginitial.Done();
        }
    }
}
