namespace LinearCald.Data.Tasks;

/// <summary>A text classification task: its classes and its examples.</summary>
/// <param name="Name">A short name for tables: of the format, or of the folder.</param>
/// <param name="Labels">Class names in the order of a model's outputs; <see cref="TextExample.Label"/> is an index into it.</param>
/// <param name="IsPair">Whether every example has two texts.</param>
/// <param name="Train">The training part.</param>
/// <param name="Validation">The part that evaluations during training are made on.</param>
/// <param name="Test">The part kept for the end; null where there is none with labels.</param>
/// <param name="Warnings">What a user should know about the data: rows left out, parts that stand for others.</param>
public sealed record TextTask(
    string Name,
    IReadOnlyList<string> Labels,
    bool IsPair,
    IReadOnlyList<TextExample> Train,
    IReadOnlyList<TextExample> Validation,
    IReadOnlyList<TextExample>? Test,
    IReadOnlyList<string> Warnings);
