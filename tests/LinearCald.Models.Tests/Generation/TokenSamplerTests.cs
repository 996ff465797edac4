using FsCheck;
using FsCheck.Fluent;
using LinearCald.Models.Language.Generation;

namespace LinearCald.Models.Tests.Generation;

public sealed class TokenSamplerTests
{
    private static readonly Gen<float[]> Logits =
        from count in Gen.Choose(1, 60)
        from values in Gen.Choose(-40, 40).ArrayOf(count)
        from impossible in Gen.Choose(0, count)
        select Array.ConvertAll(values, v => v % 7 == 3 && impossible > 0 && v != values.Max() ? float.NegativeInfinity : v / 8f);

    [Fact]
    public void Greedy_takes_the_first_of_the_largest()
    {
        Prop.ForAll(Logits.ToArbitrary(), logits =>
        {
            using TokenSampler sampler = new(new GenerationOptions());
            Assert.Equal(Array.IndexOf(logits, logits.Max()), sampler.Next((float[])logits.Clone(), 0));
        }).Holds();
    }

    [Fact]
    public void Filters_keep_what_their_definitions_say()
    {
        Arbitrary<(float[] Logits, int K, double P, double Temperature)> cases =
            (from logits in Logits
             from k in Gen.Elements(0, 1, 2, 5, 100)
             from p in Gen.Elements(0.01, 0.3, 0.9, 0.999, 1)
             from temperature in Gen.Elements(0.3, 1, 4.0)
             select (logits, k, p, temperature)).ToArbitrary();
        Prop.ForAll(cases, c =>
        {
            using TokenSampler sampler = new(new GenerationOptions { TopK = c.K, TopP = c.P, Temperature = c.Temperature });
            int best = Array.IndexOf(c.Logits, c.Logits.Max());
            TokenSampler.Candidate[] kept = sampler.Keep(c.Logits, best).ToArray();
            Dictionary<int, double> expected = Filtered(c.Logits, c.K, c.P, c.Temperature);
            Assert.Equal(expected.Keys.Order(), kept.Select(x => x.Token).Order());
            double total = kept.Sum(x => x.Weight);
            Assert.All(kept, x => Assert.Equal(expected[x.Token] / expected.Values.Sum(), x.Weight / total, 1e-9));
        }).Holds();
    }

    [Fact]
    public void The_penalty_is_for_tokens_seen_and_by_their_sign()
    {
        using TokenSampler sampler = new(new GenerationOptions { RepetitionPenalty = 2 });
        sampler.Observe(0);
        sampler.Observe(0);
        sampler.Observe(2);
        float[] logits = [3, 2, -1, -1.5f];
        Assert.Equal(1, sampler.Next(logits, 0));
        Assert.Equal([1.5f, 2, -2, -1.5f], logits);

        // What was chosen is observed.
        float[] again = [1, 2, 0, 0];
        sampler.Next(again, 1);
        Assert.Equal([0.5f, 1, 0, 0], again);
    }

    [Fact]
    public void The_end_waits_for_the_least_number_of_tokens()
    {
        using TokenSampler sampler = new(new GenerationOptions { EndOfText = 1, MinNewTokens = 2 });
        Assert.Equal(2, sampler.Next([0, 5, 1], 1));
        Assert.Equal(1, sampler.Next([0, 5, 1], 2));
    }

    [Fact]
    public void Draws_follow_the_probabilities_and_the_seed()
    {
        GenerationOptions options = new() { Temperature = 1, Seed = 7 };
        float[] logits = [0, MathF.Log(2), float.NegativeInfinity, MathF.Log(5)];
        int[] first = Draws(options), second = Draws(options), other = Draws(options with { Seed = 8 });
        Assert.Equal(first, second);
        Assert.NotEqual(first, other);
        Assert.DoesNotContain(2, first);
        foreach ((int token, double p) in ((int, double)[])[(0, 0.125), (1, 0.25), (3, 0.625)])
        {
            // Four standard deviations.
            Assert.Equal(p, first.Count(t => t == token) / 4000.0, 4 * Math.Sqrt(p * (1 - p) / 4000));
        }

        int[] Draws(GenerationOptions chosen)
        {
            using TokenSampler sampler = new(chosen);
            return [.. Enumerable.Range(0, 4000).Select(i => sampler.Next((float[])logits.Clone(), i))];
        }
    }

    [Fact]
    public void Logits_that_are_no_numbers_are_named()
    {
        using TokenSampler sampler = new(new GenerationOptions());
        Assert.Contains("token 1 is NaN", Assert.Throws<CaldException>(() => sampler.Next([0, float.NaN], 0)).Message, StringComparison.Ordinal);
        Assert.Contains("rules out every token", Assert.Throws<CaldException>(() => sampler.Next([float.NegativeInfinity], 0)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_out_of_range_are_refused()
    {
        foreach (GenerationOptions options in (GenerationOptions[])
            [
                new() { Temperature = -1 }, new() { TopP = 0 }, new() { TopP = 1.5 }, new() { TopK = -1 }, new() { RepetitionPenalty = 0 }, new() { MaxNewTokens = 0 },
                new() { MinNewTokens = 9, MaxNewTokens = 8 }, new() { Temperature = double.NaN },
            ])
        {
            Assert.Throws<CaldException>(() => new TokenSampler(options));
        }
    }

    // The definitions as HuggingFace has them, on the whole vocabulary: top-k by the k-th value, then top-p on what is left, ascending.
    private static Dictionary<int, double> Filtered(float[] logits, int k, double p, double temperature)
    {
        double[] scaled = Array.ConvertAll(logits, l => l / temperature);
        if (k > 0)
        {
            double least = scaled.OrderDescending().ElementAt(Math.Min(k, scaled.Length) - 1);
            scaled = Array.ConvertAll(scaled, s => s < least ? double.NegativeInfinity : s);
        }

        double sum = scaled.Sum(Math.Exp);
        (int Token, double P)[] ascending = [.. scaled.Select((s, i) => (Token: i, P: Math.Exp(s) / sum)).OrderBy(x => x.P).ThenByDescending(x => x.Token)];
        HashSet<int> removed = [];
        double cumulative = 0;
        foreach ((int token, double probability) in ascending[..^1])
        {
            cumulative += probability;
            if (p < 1 && cumulative <= 1 - p)
            {
                removed.Add(token);
            }
        }

        return ascending.Where(x => x.P > 0 && !removed.Contains(x.Token)).ToDictionary(x => x.Token, x => x.P);
    }
}
