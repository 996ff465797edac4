using LinearCald.Models.Language;
using LinearCald.Tensors;
using LinearCald.Tensors.Memory;

namespace LinearCald.Distillation.Scoring;

/// <summary>Perplexity of a model on token rows, as training has them, and on documents.</summary>
public sealed class PerplexityEvaluator
{
    private readonly TokenScorer scorer;
    private readonly PerplexityOptions options;
    private readonly int? context;

    /// <param name="scorer">The model.</param>
    /// <param name="options">Windows and batches.</param>
    /// <exception cref="CaldException">The window is longer than the model's positions.</exception>
    public PerplexityEvaluator(TokenScorer scorer, PerplexityOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(scorer);
        this.scorer = scorer;
        this.options = options ?? new PerplexityOptions();
        context = this.options.Context ?? scorer.Model.MaximumPositions;
        ArgumentOutOfRangeException.ThrowIfLessThan(this.options.BatchTokens, 1);
        if (context < 1)
            throw new CaldException($"a window of {context} tokens holds nothing; give a context of at least 1");
        if (context > scorer.Model.MaximumPositions)
            throw new CaldException($"a window of {context} tokens is longer than the {scorer.Model.MaximumPositions} positions of this {scorer.Model.Architecture}; give a smaller --context");
    }

    /// <summary>One batch of rows with labels that are shifted already.</summary>
    /// <param name="input">[B, L].</param>
    /// <param name="labels">[B · L]: the token after each position; negative ones are not scored.</param>
    /// <exception cref="CaldException">Not as many labels as positions, or a row longer than the model's positions.</exception>
    public LanguageScore Rows(LanguageInput input, ReadOnlySpan<int> labels)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (labels.Length != input.Ids.Count)
            throw new CaldException($"{labels.Length} labels for token rows of shape {input.Ids.Shape}; every position needs one, negative where it does not count");
        List<int> positions = new(labels.Length), wanted = new(labels.Length);
        for (int i = 0; i < labels.Length; i++)
        {
            if (labels[i] >= 0)
            {
                positions.Add(i);
                wanted.Add(labels[i]);
            }
        }

        using Tensors.Autograd.Tape.Pause pause = Tensors.Autograd.Tape.Paused();
        using MemoryScope scope = MemoryScope.Begin();
        Tensor hidden = scorer.Model.Encode(input, scorer.Context);
        return Total(scorer.ScoreHidden(hidden, positions.ToArray(), wanted.ToArray()));
    }

    /// <summary>
    /// Documents, each on its own. Their windows are sorted by length within a stretch of the corpus and scored side by side; a document beyond a batch's tokens, for a
    /// model without a limit, goes through the model's memory chunk by chunk.
    /// </summary>
    /// <param name="documents">Each one the end-of-text token and then the document's tokens, with the bytes and characters it stands for.</param>
    /// <param name="progress">Is told the tokens done so far.</param>
    public LanguageScore Documents(IEnumerable<TokenizedDocument> documents, Action<long>? progress = null)
    {
        ArgumentNullException.ThrowIfNull(documents);
        LanguageScore total = default;
        List<TextWindow> waiting = [];
        long tokens = 0;
        foreach (TokenizedDocument document in documents)
        {
            total += new LanguageScore(0, 0, document.Bytes, document.Characters);
            if (context is null && document.Tokens.Length - 1 > options.BatchTokens)
            {
                total += Streamed(document.Tokens);
                progress?.Invoke(total.Tokens);
                continue;
            }

            foreach (TextWindow window in TextWindows.Of(document.Tokens, context ?? options.BatchTokens))
            {
                waiting.Add(window);
                tokens += window.Input.Length;
            }

            // Enough for their lengths to be much alike within a batch.
            if (tokens >= 32L * options.BatchTokens)
            {
                total += Flush(waiting, total.Tokens, progress);
                tokens = 0;
            }
        }

        return total + Flush(waiting, total.Tokens, progress);
    }

    private LanguageScore Flush(List<TextWindow> windows, long before, Action<long>? progress)
    {
        LanguageScore total = default;
        TextWindow[] sorted = [.. windows.OrderByDescending(w => w.Input.Length)];
        windows.Clear();
        for (int from = 0; from < sorted.Length;)
        {
            int length = sorted[from].Input.Length;
            int count = Math.Min(Math.Max(1, options.BatchTokens / length), sorted.Length - from);
            total += Batch(sorted.AsSpan(from, count), length);
            from += count;
            progress?.Invoke(before + total.Tokens);
        }

        return total;
    }

    private LanguageScore Batch(ReadOnlySpan<TextWindow> windows, int length)
    {
        int[] ids = new int[windows.Length * length], lengths = new int[windows.Length];
        List<int> positions = [], labels = [];
        for (int row = 0; row < windows.Length; row++)
        {
            TextWindow window = windows[row];
            window.Input.Span.CopyTo(ids.AsSpan(row * length));
            lengths[row] = window.Input.Length;
            for (int i = 0; i < window.Labels.Length; i++)
            {
                positions.Add((row * length) + window.Input.Length - window.Labels.Length + i);
                labels.Add(window.Labels.Span[i]);
            }
        }

        return Total(scorer.Score(ids, lengths, length, positions.ToArray(), labels.ToArray()));
    }

    private LanguageScore Streamed(int[] document)
    {
        LanguageScore total = default;
        using DecodingState memory = scorer.Model.NewDecodingState(1, document.Length - 1);
        for (int from = 0; from < document.Length - 1; from += options.BatchTokens)
        {
            int length = Math.Min(options.BatchTokens, document.Length - 1 - from);
            int[] positions = [.. Enumerable.Range(0, length)];
            total += Total(scorer.Score(document.AsSpan(from, length), [length], length, positions, document.AsSpan(from + 1, length), memory));
        }

        return total;
    }

    private static LanguageScore Total(TokenScore[] scores)
    {
        double sum = 0;
        foreach (TokenScore score in scores)
            sum -= score.LogLikelihood;
        return new LanguageScore(sum, scores.Length);
    }
}

/// <summary>A text as a model reads it.</summary>
/// <param name="Tokens">The end-of-text token and then the text's.</param>
/// <param name="Bytes">Bytes of its UTF-8.</param>
/// <param name="Characters">Its code points.</param>
public sealed record TokenizedDocument(int[] Tokens, long Bytes, long Characters);
