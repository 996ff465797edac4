using LinearCald.Tensors;

namespace LinearCald.Models;

/// <summary>What a model computed.</summary>
/// <param name="Logits">[B, classes] of a classifier, [B, L, vocabulary] of a language model.</param>
/// <param name="HiddenStates">[B, L, d] each, entry 0 the embeddings; null unless asked for.</param>
public sealed record ModelOutput(Tensor Logits, IReadOnlyList<Tensor>? HiddenStates);
