using System.Runtime.ExceptionServices;
using LinearCald.Data.Tasks;
using LinearCald.Data.Tokenizers;

namespace LinearCald.Data.Batching;

/// <summary>The token ids of many examples, end to end in one array, with their labels. Immutable; any thread may read it.</summary>
public sealed class TokenizedDataset
{
    private const int ExamplesPerPiece = 64;

    private readonly int[] _ids;
    private readonly int[] _offsets; // count + 1 entries: example i has the ids offsets[i] … offsets[i + 1] − 1
    private readonly int[] _labels;

    private TokenizedDataset(int[] ids, int[] offsets, int[] labels, int maxLength, int truncatedCount)
    {
        _ids = ids;
        _offsets = offsets;
        _labels = labels;
        MaxLength = maxLength;
        TruncatedCount = truncatedCount;
    }

    /// <summary>How many examples there are.</summary>
    public int Count => _labels.Length;

    /// <summary>The limit the texts were cut to; no example and no batch is longer.</summary>
    public int MaxLength { get; }

    /// <summary>How many examples lost text to that limit.</summary>
    public int TruncatedCount { get; }

    /// <summary>Tokens of all examples together.</summary>
    public int TokenCount => _ids.Length;

    /// <summary>The class of every example.</summary>
    public ReadOnlySpan<int> Labels => _labels;

    /// <summary>Encodes all examples; the result does not depend on the number of threads.</summary>
    /// <param name="examples">The examples, in the order of the result.</param>
    /// <param name="encode">The tokenizer.</param>
    /// <param name="maxLength">Longest input of the model in tokens, special tokens included.</param>
    /// <param name="threads">Threads that encode; 0 = one a core.</param>
    /// <exception cref="CaldException">The tokenizer broke its limits, or refused a text.</exception>
    public static TokenizedDataset Tokenize(IReadOnlyList<TextExample> examples, EncodeText encode, int maxLength, int threads = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxLength, 1);
        int[][] encoded = new int[examples.Count][];
        bool[] truncated = new bool[examples.Count];
        int pieces = (examples.Count + ExamplesPerPiece - 1) / ExamplesPerPiece;
        try
        {
            Parallel.For(0, pieces, new ParallelOptions { MaxDegreeOfParallelism = threads <= 0 ? Environment.ProcessorCount : threads }, piece =>
            {
                int end = Math.Min(examples.Count, (piece + 1) * ExamplesPerPiece);
                for (int i = piece * ExamplesPerPiece; i < end; i++)
                {
                    encoded[i] = encode(examples[i].Text, examples[i].Pair, maxLength, out truncated[i]);
                }
            });
        }
        catch (AggregateException failures)
        {
            ExceptionDispatchInfo.Throw(failures.InnerExceptions[0]);
        }

        return Flatten(examples, encoded, maxLength, truncated.Count(cut => cut));
    }

    /// <summary>The same with a tokenizer and its special tokens.</summary>
    public static TokenizedDataset Tokenize(IReadOnlyList<TextExample> examples, Tokenizer tokenizer, int maxLength, int threads = 0)
    {
        return Tokenize(examples, Encode, maxLength, threads);

        int[] Encode(string text, string? pair, int limit, out bool truncated)
        {
            TokenEncoding encoding = tokenizer.Encode(text, pair, addSpecialTokens: true, limit);
            truncated = encoding.RemovedTokens > 0;
            return encoding.Ids;
        }
    }

    /// <summary>Tokens of example <paramref name="index"/>.</summary>
    public int Length(int index) => _offsets[index + 1] - _offsets[index];

    /// <summary>Token ids of example <paramref name="index"/>.</summary>
    public ReadOnlySpan<int> Ids(int index) => _ids.AsSpan(_offsets[index]..(_offsets[index + 1]));

    /// <summary>Class of example <paramref name="index"/>.</summary>
    public int Label(int index) => _labels[index];

    /// <summary>Tokens of every example, as <see cref="BatchSampler"/> wants them.</summary>
    public int[] Lengths() => [.. Enumerable.Range(0, Count).Select(Length)];

    /// <summary>Puts examples into one batch, padded on the right.</summary>
    /// <param name="indices">The examples, one a row; at least one.</param>
    /// <param name="padId">Token id of the padding.</param>
    /// <param name="padMultiple">
    /// The batch is as long as its longest example, rounded up to a multiple of this, but never longer than <see cref="MaxLength"/>; give
    /// <see cref="MaxLength"/> itself to have every batch of that length.
    /// </param>
    public TokenBatch Collate(ReadOnlySpan<int> indices, int padId, int padMultiple = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(padMultiple, 1);
        ArgumentOutOfRangeException.ThrowIfZero(indices.Length, nameof(indices));
        int[] lengths = new int[indices.Length];
        int[] labels = new int[indices.Length];
        int longest = 0;
        for (int row = 0; row < indices.Length; row++)
        {
            lengths[row] = Length(indices[row]);
            labels[row] = _labels[indices[row]];
            longest = Math.Max(longest, lengths[row]);
        }

        int length = (int)Math.Min(MaxLength, ((long)longest + padMultiple - 1) / padMultiple * padMultiple);
        int[] ids = new int[checked(indices.Length * length)];
        for (int row = 0; row < indices.Length; row++)
        {
            Span<int> target = ids.AsSpan(row * length, length);
            Ids(indices[row]).CopyTo(target);
            target[lengths[row]..].Fill(padId);
        }

        return new TokenBatch(ids, lengths, labels, length);
    }

    private static TokenizedDataset Flatten(IReadOnlyList<TextExample> examples, int[][] encoded, int maxLength, int truncatedCount)
    {
        int[] offsets = new int[encoded.Length + 1];
        int[] labels = new int[encoded.Length];
        for (int i = 0; i < encoded.Length; i++)
        {
            if (encoded[i].Length == 0 || encoded[i].Length > maxLength)
                throw new CaldException(
                    $"tokenizing example {i}: {encoded[i].Length} tokens where 1 to {maxLength} are possible; " +
                    "the tokenizer must add its special tokens and cut to the longest length");
            long end = (long)offsets[i] + encoded[i].Length;
            if (end > Array.MaxLength)
                throw new CaldException(
                    $"tokenizing: more than {Array.MaxLength} tokens by example {i} of {encoded.Length}; use fewer rows or a shorter task.max_length");
            offsets[i + 1] = (int)end;
            labels[i] = examples[i].Label;
        }

        int[] ids = new int[offsets[^1]];
        for (int i = 0; i < encoded.Length; i++)
            encoded[i].CopyTo(ids, offsets[i]);
        return new TokenizedDataset(ids, offsets, labels, maxLength, truncatedCount);
    }
}
