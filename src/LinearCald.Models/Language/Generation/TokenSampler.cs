using LinearCald.Tensors;

namespace LinearCald.Models.Language.Generation;

/// <summary>Chooses tokens from logits on the host, by <see cref="GenerationOptions"/>. One sampler a text.</summary>
public sealed class TokenSampler : IDisposable
{
    private readonly GenerationOptions _options;
    private readonly HashSet<int> _seen = [];
    private readonly Tensor _draw = Tensor.Persistent(() => Tensor.Empty(Device.Parse("cpu"), DType.Float64, new Shape(1)));
    private readonly RandomGenerator _random;
    private Candidate[] _candidates = [];

    /// <exception cref="CaldException">An option is out of range.</exception>
    public TokenSampler(GenerationOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        _options = options;
        _random = new RandomGenerator(options.Seed);
    }

    /// <summary>Tells of a token of the text, for the repetition penalty.</summary>
    public void Observe(int token) => _seen.Add(token);

    /// <summary>Chooses the next token and observes it.</summary>
    /// <param name="logits">One a token of the vocabulary; overwritten.</param>
    /// <param name="newTokens">New tokens so far.</param>
    /// <exception cref="CaldException">A logit is NaN, or none is above −∞.</exception>
    public int Next(Span<float> logits, int newTokens)
    {
        Penalize(logits);
        if (_options.EndOfText is { } end && newTokens < _options.MinNewTokens && end < logits.Length)
        {
            logits[end] = float.NegativeInfinity;
        }

        int best = Best(logits);
        int chosen = _options.Temperature == 0 ? best : Draw(Keep(logits, best));
        Observe(chosen);
        return chosen;
    }

    public void Dispose() => _draw.Dispose();

    /// <summary>The tokens that may be drawn and their probabilities, not yet divided by their sum; by falling probability, equal ones by id.</summary>
    internal ReadOnlySpan<Candidate> Keep(ReadOnlySpan<float> logits, int best)
    {
        if (_candidates.Length < logits.Length)
        {
            _candidates = new Candidate[logits.Length];
        }

        float least = _options.TopK > 0 && _options.TopK < logits.Length ? Ranked(logits, _options.TopK) : float.NegativeInfinity;
        int count = 0;
        double total = 0;
        for (int i = 0; i < logits.Length; i++)
        {
            if (logits[i] >= least && logits[i] > float.NegativeInfinity)
            {
                double weight = Math.Exp((logits[i] - (double)logits[best]) / _options.Temperature);
                _candidates[count++] = new Candidate(i, weight);
                total += weight;
            }
        }

        return _options.TopP < 1 ? Nucleus(count, total) : _candidates.AsSpan(0, count);
    }

    // A token goes when it and all less likely ones together have no more than 1 − p. The most likely one stays always.
    private ReadOnlySpan<Candidate> Nucleus(int count, double total)
    {
        double rest = (1 - _options.TopP) * total;

        // Tokens that would go even if all were as unlikely are not worth sorting.
        int kept = 0;
        for (int i = 0; i < count; i++)
        {
            if (_candidates[i].Weight * count > rest)
            {
                _candidates[kept++] = _candidates[i];
            }
        }

        Span<Candidate> sorted = _candidates.AsSpan(0, kept);
        sorted.Sort(static (a, b) => b.Weight != a.Weight ? b.Weight.CompareTo(a.Weight) : a.Token.CompareTo(b.Token));
        double before = 0;
        for (int i = 0; i < kept; i++)
        {
            if (i > 0 && total - before <= rest)
            {
                return sorted[..i];
            }

            before += sorted[i].Weight;
        }

        return sorted;
    }

    private int Draw(ReadOnlySpan<Candidate> candidates)
    {
        double total = 0;
        foreach (Candidate candidate in candidates)
        {
            total += candidate.Weight;
        }

        _draw.FillUniform(0, 1, _random.Next());
        double left = _draw.Item() * total;
        foreach (Candidate candidate in candidates)
        {
            left -= candidate.Weight;
            if (left < 0)
            {
                return candidate.Token;
            }
        }

        return candidates[^1].Token;
    }

    private void Penalize(Span<float> logits)
    {
        if (_options.RepetitionPenalty == 1)
        {
            return;
        }

        foreach (int token in _seen)
        {
            float logit = logits[token];
            logits[token] = (float)(logit < 0 ? logit * _options.RepetitionPenalty : logit / _options.RepetitionPenalty);
        }
    }

    private static int Best(ReadOnlySpan<float> logits)
    {
        int best = 0;
        for (int i = 0; i < logits.Length; i++)
        {
            if (float.IsNaN(logits[i]))
            {
                throw new CaldException($"the model's logit of token {i} is NaN: its weights are damaged or its precision is too low; look at them with cald inspect, or use --precision fp32");
            }

            best = logits[i] > logits[best] ? i : best;
        }

        return logits.Length > 0 && logits[best] > float.NegativeInfinity ? best
            : throw new CaldException("the model rules out every token: its weights are damaged; look at them with cald inspect");
    }

    // The k-th largest, by a heap of the k largest so far.
    private static float Ranked(ReadOnlySpan<float> logits, int k)
    {
        PriorityQueue<int, float> largest = new(k + 1);
        foreach (float logit in logits)
        {
            if (largest.Count < k)
            {
                largest.Enqueue(0, logit);
            }
            else if (largest.TryPeek(out _, out float least) && logit > least)
            {
                largest.DequeueEnqueue(0, logit);
            }
        }

        largest.TryPeek(out _, out float last);
        return last;
    }

    /// <summary>A token that may be drawn.</summary>
    /// <param name="Token">Its id.</param>
    /// <param name="Weight">Its probability as a multiple of the most likely token's.</param>
    internal readonly record struct Candidate(int Token, double Weight);
}
