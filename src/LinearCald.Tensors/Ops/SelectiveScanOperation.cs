using LinearCald.Tensors.Autograd;

namespace LinearCald.Tensors.Ops;

/// <summary>What a selective scan needs besides its inputs.</summary>
public readonly record struct SelectiveScanOptions
{
    /// <summary>Whether Δ = softplus(delta + bias) rather than delta + bias.</summary>
    public bool Softplus { get; init; }

    /// <summary>int32 [B, L]: the state restarts from zero where the number changes along a row (packed sequences). Null when each row is one sequence.</summary>
    public Tensor? Sequences { get; init; }

    /// <summary>int32 [B]: from a sample's length on y is 0, the state stays, and nothing gets a gradient. Null when all positions count.</summary>
    public Tensor? Lengths { get; init; }

    /// <summary>[B, D, N], float32 (float64 data: float64): the state before the first position; has a gradient. Null for zero.</summary>
    public Tensor? InitialState { get; init; }

    /// <summary>Like <see cref="InitialState"/>, and may be the same tensor (streaming): receives the state after the last position that counts. No gradient flows through it.</summary>
    public Tensor? FinalState { get; init; }
}

/// <summary>The inputs of a selective scan as backends take them: u, delta, z, b, c with a row pitch, all else contiguous.</summary>
internal readonly record struct SelectiveScanInputs(
    Tensor U, Tensor Delta, Tensor A, Tensor B, Tensor C, Tensor? D, Tensor? Z, Tensor? DeltaBias, bool Softplus, Tensor? Sequences, Tensor? Lengths, Tensor? InitialState);

/// <summary>The gradients of <see cref="SelectiveScanInputs"/>: those of u, delta and z with a row pitch. Of D, the bias and the initial state null where none is wanted, of z without a gate.</summary>
internal readonly record struct SelectiveScanGradients(
    Tensor U, Tensor Delta, Tensor A, Tensor B, Tensor C, Tensor? D, Tensor? Z, Tensor? DeltaBias, Tensor? InitialState);

/// <summary>The selective state-space scan of Mamba (Gu and Dao 2023, algorithm 2).</summary>
public static class SelectiveScanOperation
{
    private const string Name = "SelectiveScan";

    /// <summary>
    /// h_t = exp(Δ_t A) h_{t−1} + Δ_t B_t u_t and y_t = (C_t·h_t + D u_t) · silu(z_t) for every channel, h of N numbers, in one pass over time. With one position and
    /// <see cref="SelectiveScanOptions.InitialState"/> = <see cref="SelectiveScanOptions.FinalState"/> it is the step of generation.
    /// </summary>
    /// <param name="u">[B, L, D], perhaps a view of wider rows; so are <paramref name="delta"/> and <paramref name="z"/>.</param>
    /// <param name="delta">Step sizes before bias and softplus.</param>
    /// <param name="a">[D, N], negative; float32 where the data are of 16 bits, as d and deltaBias.</param>
    /// <param name="b">[B, L, N], perhaps a view; so is <paramref name="c"/>.</param>
    /// <param name="d">[D]: the skip connection, or null.</param>
    /// <param name="z">The gate, or null for none.</param>
    /// <param name="deltaBias">[D] or null.</param>
    /// <returns>[B, L, D].</returns>
    /// <exception cref="CaldException">Shapes or types do not fit.</exception>
    public static Tensor SelectiveScan(
        this Tensor u, Tensor delta, Tensor a, Tensor b, Tensor c, Tensor? d, Tensor? z, Tensor? deltaBias, SelectiveScanOptions options)
    {
        ArgumentNullException.ThrowIfNull(u);
        ArgumentNullException.ThrowIfNull(delta);
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        ArgumentNullException.ThrowIfNull(c);
        CheckData(u, delta, a, b, c, z);
        CheckParameters(u, a, d, deltaBias);
        CheckOptions(u, a.Shape[1], options);
        SelectiveScanInputs inputs = new(
            u.InRows(), delta.InRows(), a.Contiguous(), b.InRows(), c.InRows(), d?.Contiguous(), z?.InRows(), deltaBias?.Contiguous(),
            options.Softplus, options.Sequences?.Contiguous(), options.Lengths?.Contiguous(), options.InitialState?.Contiguous());
        bool recorded = Tape.Wants(u, delta, a) || Tape.Wants(b, c, d) || Tape.Wants(b, z, deltaBias) || Tape.Wants(b, options.InitialState);
        Backend backend = u.Device.Backend;
        Tensor y = Tensor.Allocate(u.Device, u.Type, u.Shape);
        Tensor? saved = recorded ? backend.SelectiveScanSaved(inputs) : null;
        backend.SelectiveScan(inputs, y, options.FinalState, saved);
        return recorded ? Tape.Attach(y, new Node(inputs, saved!)) : y;
    }

    private static void CheckData(Tensor u, Tensor delta, Tensor a, Tensor b, Tensor c, Tensor? z)
    {
        Check.Float(Name, u);
        Check.Rank(Name, "u", u, 3);
        Check.Rank(Name, "a", a, 2);
        Check.SameShape(Name, u, delta);
        Check.SameType(Name, u, b);
        Check.SameShape(Name, b, c);
        if (z is not null)
        {
            Check.SameShape(Name, u, z);
        }

        if (a.Shape[0] != u.Shape[2] || b.Shape != new Shape(u.Shape[0], u.Shape[1], a.Shape[1]))
        {
            throw new CaldException($"{Name}: u {u.Shape}, a {a.Shape} and b {b.Shape} do not fit; expected u [B, L, D], a [D, N], b and c [B, L, N]");
        }
    }

    private static void CheckParameters(Tensor u, Tensor a, Tensor? d, Tensor? deltaBias)
    {
        Check.Vector(Name, "d", d, u.Shape[2]);
        Check.Vector(Name, "deltaBias", deltaBias, u.Shape[2]);
        StatisticsType("a", u, a);
        StatisticsType("d", u, d);
        StatisticsType("deltaBias", u, deltaBias);
    }

    private static void CheckOptions(Tensor u, int states, SelectiveScanOptions options)
    {
        Check.Int32(Name, "Sequences", options.Sequences);
        Check.Int32(Name, "Lengths", options.Lengths);
        Check.Vector(Name, "Lengths", options.Lengths, u.Shape[0]);
        Shape rows = new(u.Shape[0], u.Shape[1]);
        if (options.Sequences is { } sequences && sequences.Shape != rows)
        {
            throw new CaldException($"{Name}: Sequences must have shape {rows}, not {sequences.Shape}");
        }

        State("InitialState", u, options.InitialState, states);
        State("FinalState", u, options.FinalState, states);
        if (options.FinalState is { IsContiguous: false } final)
        {
            throw new CaldException($"{Name}: FinalState {final.Shape} must be contiguous, because it is written");
        }
    }

    private static void State(string name, Tensor u, Tensor? state, int states)
    {
        StatisticsType(name, u, state);
        Shape expected = new(u.Shape[0], u.Shape[2], states);
        if (state is not null && state.Shape != expected)
        {
            throw new CaldException($"{Name}: {name} must have shape {expected}, not {state.Shape}");
        }
    }

    private static void StatisticsType(string name, Tensor u, Tensor? x)
    {
        if (x is not null && (x.Type != u.Type.Statistics() || !ReferenceEquals(x.Device, u.Device)))
        {
            throw new CaldException($"{Name}: {name} must be {u.Type.Statistics()} on {u.Device} where u is {u.Type}, not {x}");
        }
    }

    private sealed class Node : TapeNode
    {
        private readonly SelectiveScanInputs _x;
        private readonly Tensor _saved;

        public Node(SelectiveScanInputs x, Tensor saved)
        {
            _x = x;
            _saved = Save(saved);
            foreach (Tensor? input in (ReadOnlySpan<Tensor?>)[x.U, x.Delta, x.A, x.B, x.C, x.D, x.Z, x.DeltaBias, x.Sequences, x.Lengths])
            {
                SaveOptional(input);
            }
        }

        // With G_t = C_t ȳ_t + exp(Δ_{t+1} A) G_{t+1}, ȳ = dy·silu(z), r_t = exp(Δ_t A) h_{t−1}:
        // dC_t = Σ_d ȳ_t h_t, dB_t = Σ_d G_t Δ_t u_t, du_t = D ȳ_t + Δ_t Σ_n G_t B_t, dΔ_t = Σ_n G_t (B_t u_t + A r_t), dA = Σ_t G_t Δ_t r_t, dh_0 = exp(Δ_1 A) G_1,
        // dD = Σ_t ȳ_t u_t, dz_t = dy_t (C_t·h_t + D u_t) silu′(z_t), ddelta = dΔ·σ(delta + bias) with softplus, dbias = Σ_t ddelta
        public override void Backward(Tensor gradient)
        {
            InputGradient u = Gradients.ForAny(_x.U), delta = Gradients.ForAny(_x.Delta), z = _x.Z is null ? default : Gradients.ForAny(_x.Z);
            InputGradient a = Gradients.ForAny(_x.A, strided: false), b = Gradients.ForAny(_x.B, strided: false), c = Gradients.ForAny(_x.C, strided: false);
            InputGradient d = Gradients.For(_x.D, strided: false), bias = Gradients.For(_x.DeltaBias, strided: false), state = Gradients.For(_x.InitialState, strided: false);
            _x.U.Device.Backend.SelectiveScanGradient(
                _x, _saved, gradient, new(u.Buffer!, delta.Buffer!, a.Buffer!, b.Buffer!, c.Buffer!, d.Buffer, z.Buffer, bias.Buffer, state.Buffer));
            u.Done();
            delta.Done();
            z.Done();
            a.Done();
            b.Done();
            c.Done();
            d.Done();
            bias.Done();
            state.Done();
        }
    }
}
