using System.Collections;

namespace LinearCald.Distillation.Recipes;

/// <summary>An immutable list of names that compares by content, so that records holding one do too.</summary>
public sealed class NameList(params IReadOnlyList<string> items) : IReadOnlyList<string>, IEquatable<NameList>
{
    public static NameList Empty { get; } = new();

    private readonly string[] items = [.. items];

    public int Count => items.Length;

    public string this[int index] => items[index];

    public bool Equals(NameList? other) => other is not null && items.AsSpan().SequenceEqual(other.items);

    public override bool Equals(object? obj) => Equals(obj as NameList);

    public override int GetHashCode() => items.Aggregate(items.Length, HashCode.Combine);

    public override string ToString() => $"[{string.Join(", ", items)}]";

    public IEnumerator<string> GetEnumerator() => items.AsEnumerable().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
