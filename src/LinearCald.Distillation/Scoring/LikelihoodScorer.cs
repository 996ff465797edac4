using LinearCald.Models.Language;

namespace LinearCald.Distillation.Scoring;

/// <summary>What a model says about a continuation.</summary>
/// <param name="LogLikelihood">Σ ln p over its tokens, in float64.</param>
/// <param name="IsGreedy">Whether each of its tokens is the most likely one.</param>
/// <param name="Tokens">How many tokens were scored.</param>
public readonly record struct ContinuationScore(double LogLikelihood, bool IsGreedy, int Tokens);

/// <summary>How requests are put side by side.</summary>
public sealed record LikelihoodOptions
{
    /// <summary>Most rows of a batch; null: as many as <see cref="BatchTokens"/> has room for.</summary>
    public int? BatchSize { get; init; }

    /// <summary>Tokens of a batch, padding included, where no size is given.</summary>
    public int BatchTokens { get; init; } = 8192;

    /// <summary>The most tokens the model is to read of a request; null: its positions. Longer contexts lose their beginning.</summary>
    public int? Context { get; init; }
}

/// <summary>
/// Scores continuations in batches: longest first, padded on the right. Results do not depend on the batches beyond rounding. Requests that read the same tokens, such as
/// the letters of a lettered question, share a row.
/// </summary>
public sealed class LikelihoodScorer
{
    private readonly TokenScorer scorer;
    private readonly LikelihoodOptions options;
    private readonly int? context;

    /// <exception cref="CaldException">The context is longer than the model's positions, or an option is not positive.</exception>
    public LikelihoodScorer(TokenScorer scorer, LikelihoodOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(scorer);
        this.scorer = scorer;
        this.options = options ?? new LikelihoodOptions();
        CausalLanguageModel model = scorer.Model;
        context = this.options.Context ?? model.MaximumPositions;
        if (context > model.MaximumPositions)
            throw new CaldException($"a context of {context} tokens is longer than the {model.MaximumPositions} positions of this {model.Architecture}; give a smaller --context");
        if (context < 1 || this.options.BatchSize < 1 || this.options.BatchTokens < 1)
            throw new CaldException("context, batch size and tokens of a batch must be 1 or more");
    }

    /// <summary>One score a request, in their order.</summary>
    /// <param name="requests">Any number.</param>
    /// <param name="progress">Is told the requests done so far.</param>
    /// <exception cref="CaldException">A continuation is longer than the context, or a token is outside the vocabulary.</exception>
    public ContinuationScore[] Score(IReadOnlyList<ScoringRequest> requests, Action<int>? progress = null)
    {
        ArgumentNullException.ThrowIfNull(requests);
        ContinuationScore[] scores = new ContinuationScore[requests.Count];
        Array.Fill(scores, new ContinuationScore(0, true, 0));
        Row[] rows = Gather(requests);
        int done = requests.Count - rows.Sum(row => row.Requests.Count);
        for (int from = 0; from < rows.Length;)
        {
            int length = rows[from].Input.Length;
            int count = Math.Min(options.BatchSize ?? Math.Max(1, options.BatchTokens / length), rows.Length - from);
            Score(rows.AsSpan(from, count), requests, scores);
            for (int end = from + count; from < end; from++)
                done += rows[from].Requests.Count;
            progress?.Invoke(done);
        }

        return scores;
    }

    // The distinct inputs, longest first, equal lengths in the order of the requests.
    private Row[] Gather(IReadOnlyList<ScoringRequest> requests)
    {
        Dictionary<int[], Row> rows = new(Comparer.Instance);
        for (int i = 0; i < requests.Count; i++)
        {
            ScoringRequest request = requests[i];
            if (request.Scored < 0 || request.Scored >= request.Tokens.Length)
                throw new CaldException($"request {i} scores {request.Scored} of {request.Tokens.Length} tokens; at least one must come before those scored");
            if (request.Scored > context)
                throw new CaldException($"the continuation of request {i} has {request.Scored} tokens, more than the {context} that the model reads; leave it out, or take a model without such a limit");
            foreach (int token in request.Tokens)
            {
                if ((uint)token >= (uint)scorer.Model.VocabularySize)
                    throw new CaldException($"token {token} is beyond the vocabulary of {scorer.Model.VocabularySize} of this {scorer.Model.Architecture}; the tokenizer belongs to another model");
            }

            if (request.Scored == 0)
                continue;

            // The last token is predicted, not read.
            int end = request.Tokens.Length - 1;
            int[] input = request.Tokens[Math.Max(0, end - (context ?? end))..end];
            if (!rows.TryGetValue(input, out Row? row))
            {
                row = new Row(input, []);
                rows.Add(input, row);
            }

            row.Requests.Add(i);
        }

        return [.. rows.Values.OrderByDescending(row => row.Input.Length)];
    }

    private void Score(ReadOnlySpan<Row> rows, IReadOnlyList<ScoringRequest> requests, ContinuationScore[] scores)
    {
        int length = rows[0].Input.Length;
        int[] ids = new int[rows.Length * length], lengths = new int[rows.Length];
        List<int> positions = [], labels = [];
        for (int r = 0; r < rows.Length; r++)
        {
            rows[r].Input.CopyTo(ids.AsSpan(r * length));
            lengths[r] = rows[r].Input.Length;
            foreach (int request in rows[r].Requests)
            {
                int scored = requests[request].Scored;
                positions.AddRange(Enumerable.Range((r * length) + lengths[r] - scored, scored));
                labels.AddRange(requests[request].Tokens[^scored..]);
            }
        }

        TokenScore[] tokens = scorer.Score(ids, lengths, length, positions.ToArray(), labels.ToArray());
        int at = 0;
        foreach (Row row in rows)
        {
            foreach (int request in row.Requests)
            {
                ReadOnlySpan<TokenScore> own = tokens.AsSpan(at, requests[request].Scored);
                scores[request] = Total(own);
                at += own.Length;
            }
        }
    }

    private static ContinuationScore Total(ReadOnlySpan<TokenScore> tokens)
    {
        double sum = 0;
        bool greedy = true;
        foreach (TokenScore token in tokens)
        {
            sum += token.LogLikelihood;
            greedy &= token.IsGreedy;
        }

        return new ContinuationScore(sum, greedy, tokens.Length);
    }

    private sealed record Row(int[] Input, List<int> Requests);

    private sealed class Comparer : IEqualityComparer<int[]>
    {
        public static readonly Comparer Instance = new();

        public bool Equals(int[]? a, int[]? b) => a.AsSpan().SequenceEqual(b);

        public int GetHashCode(int[] values)
        {
            HashCode hash = default;
            hash.AddBytes(System.Runtime.InteropServices.MemoryMarshal.AsBytes<int>(values));
            return hash.ToHashCode();
        }
    }
}
