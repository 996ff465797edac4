namespace LinearCald.Tensors.Ops;

/// <summary>What the scan of Mamba-2 needs besides its inputs.</summary>
public sealed record SsdOptions
{
    /// <summary>Heads H; the features of x divide by it.</summary>
    public required int Heads { get; init; }

    /// <summary>Groups G of heads that share b and c; divides <see cref="Heads"/>.</summary>
    public int Groups { get; init; } = 1;

    /// <summary>Whether Δ = softplus(delta + bias), otherwise delta + bias.</summary>
    public bool Softplus { get; init; }

    /// <summary>Δ is raised to this after softplus; no gradient flows where it is.</summary>
    public double DeltaMin { get; init; }

    /// <summary>Δ is lowered to this after softplus; no gradient flows where it is.</summary>
    public double DeltaMax { get; init; } = double.PositiveInfinity;

    /// <summary>Positions computed by matrix products at once: a matter of speed, not of the result. Devices may cap it.</summary>
    public int Chunk { get; init; } = 64;

    /// <summary>Whether the scan runs from the last valid position of each row to its first; inputs and outputs keep their places.</summary>
    public bool Reverse { get; init; }

    /// <summary>int32 [B, L]: the state restarts from 0 where the number changes along a row; null for one sequence a row.</summary>
    public Tensor? Sequences { get; init; }

    /// <summary>int32 [B]: positions from there on are padding. The output is 0 there, the state does not change, and what they hold reaches nothing.</summary>
    public Tensor? Lengths { get; init; }

    /// <summary>[B, H, P, N] of the type of statistics: the state before the first position in the direction of the scan; null for 0.</summary>
    public Tensor? InitialState { get; init; }

    /// <summary>[B, H, P, N]: written with the state after the last position. May be <see cref="InitialState"/> where no gradient is wanted: streaming.</summary>
    public Tensor? FinalState { get; init; }
}
