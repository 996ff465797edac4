using LinearCald.Tensors;
using LinearCald.Tensors.Ops;

namespace LinearCald.Models.Language;

/// <summary>A batch of token ids for a causal language model, on a device. All tensors int32.</summary>
/// <param name="Ids">[B, L]</param>
/// <param name="Lengths">[B]: valid positions of each row, from the front; null when all are. What lies behind them never reaches a valid position.</param>
/// <param name="Sequences">
/// [B, L]: the number of the document that a position belongs to; where it changes along a row, recurrent states start again and attention does not look
/// back. Null when every row is one document.
/// </param>
public sealed record LanguageInput(Tensor Ids, Tensor? Lengths = null, Tensor? Sequences = null)
{
    /// <summary>Where the documents lie, read once a pass by models with attention.</summary>
    internal DocumentSpans? Documents { get; init; }
}
