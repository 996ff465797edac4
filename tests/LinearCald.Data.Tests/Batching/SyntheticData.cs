using LinearCald.Data.Batching;
using LinearCald.Data.Tasks;

namespace LinearCald.Data.Tests.Batching;

/// <summary>Data sets whose tokens tell which example and position they come from.</summary>
internal static class SyntheticData
{
    public const int IdsPerExample = 1000;

    /// <summary>Example i has lengths[i] tokens 1000·i, 1000·i + 1, …, cut to <paramref name="maxLength"/>; its label is i mod 3.</summary>
    public static TokenizedDataset Of(IReadOnlyList<int> lengths, int maxLength = IdsPerExample, int threads = 0) =>
        TokenizedDataset.Tokenize([.. lengths.Select((length, i) => new TextExample($"{i}", $"{length}", i % 3))], Encode, maxLength, threads);

    private static int[] Encode(string text, string? pair, int maxLength, out bool truncated)
    {
        int length = int.Parse(pair!, System.Globalization.CultureInfo.InvariantCulture);
        int first = int.Parse(text, System.Globalization.CultureInfo.InvariantCulture) * IdsPerExample;
        truncated = length > maxLength;
        return [.. Enumerable.Range(first, Math.Min(length, maxLength))];
    }
}
