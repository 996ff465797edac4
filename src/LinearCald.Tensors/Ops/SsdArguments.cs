namespace LinearCald.Tensors.Ops;

/// <summary>The inputs of one <see cref="SsdScanOperation"/> as backends see them: x, delta, b and c may have a pitch, everything else is contiguous.</summary>
internal sealed record SsdArguments(Tensor X, Tensor Delta, Tensor A, Tensor B, Tensor C, Tensor? D, Tensor? DeltaBias, SsdOptions Options)
{
    public SsdShape Shape { get; } = new(
        X.Shape[0], X.Shape[1], Options.Heads, Options.Groups, X.Shape[2] / Options.Heads, B.Shape[2] / Options.Groups, Options.Chunk, Options.Reverse, Options.Softplus, Options.DeltaMin, Options.DeltaMax);
}

/// <summary>
/// Where a backend writes the gradients, each overwritten. Those of x, delta, b and c may have a pitch, as the inputs may; those of parameters and states are contiguous, of
/// the type of statistics, and null where they are not wanted.
/// </summary>
internal readonly record struct SsdGradients(Tensor X, Tensor Delta, Tensor A, Tensor B, Tensor C, Tensor? D, Tensor? DeltaBias, Tensor? InitialState);
