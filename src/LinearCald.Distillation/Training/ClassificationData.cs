using LinearCald.Data.Batching;

namespace LinearCald.Distillation.Training;

/// <summary>A task as token ids, ready for batching.</summary>
/// <param name="Labels">Class names in the order of the model's outputs.</param>
/// <param name="Train">What is learnt from.</param>
/// <param name="Validation">What chooses the best checkpoint.</param>
/// <param name="Test">What is reported beside it; null when the task has no labelled test part.</param>
/// <param name="PaddingId">Fills short rows of a batch.</param>
public sealed record ClassificationData(
    IReadOnlyList<string> Labels, TokenizedDataset Train, TokenizedDataset Validation, TokenizedDataset? Test, int PaddingId);
