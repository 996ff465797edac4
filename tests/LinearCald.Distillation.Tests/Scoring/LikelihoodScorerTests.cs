using FsCheck;
using FsCheck.Fluent;
using LinearCald.Distillation.Scoring;
using LinearCald.Models.GptNeoX;
using LinearCald.Models.Language;
using LinearCald.Models.Mamba;
using LinearCald.Models.Tests.Language;
using LinearCald.Nn;
using LinearCald.Tensors;

namespace LinearCald.Distillation.Tests.Scoring;

/// <summary>Batched scores against a scorer that takes one request, one token at a time.</summary>
public sealed class LikelihoodScorerTests
{
    private const int Vocabulary = 23;

    private static readonly Gen<ScoringRequest> Requests =
        from tokens in Gen.Choose(0, Vocabulary - 1).NonEmptyListOf().Where(list => list.Count > 1)
        from scored in Gen.Choose(0, Math.Min(tokens.Count - 1, 6))
        select new ScoringRequest([.. tokens], scored);

    [Fact]
    public void Batches_change_nothing()
    {
        using RecurrentTableModel model = new(Vocabulary, 5);
        Arbitrary<(ScoringRequest[] Requests, int? Size, int Tokens, int? Context)> cases =
            (from requests in Requests.ArrayOf()
             from doubled in Gen.Elements(false, true)
             from size in Gen.Elements<int?>(null, 1, 3, 8)
             from tokens in Gen.Elements(1, 16, 4096)
             from context in Gen.Elements<int?>(null, 6, 9)
             select (doubled ? [.. requests, .. requests] : requests, size, tokens, context)).ToArbitrary();
        Prop.ForAll(cases, c =>
        {
            model.BatchSizes.Clear();
            LikelihoodScorer scorer = new(Of(model), new LikelihoodOptions { BatchSize = c.Size, BatchTokens = c.Tokens, Context = c.Context });
            int done = 0;
            ContinuationScore[] scores = scorer.Score(c.Requests, now => done = now);
            Assert.Equal(c.Requests.Length, scores.Length);
            Assert.True(done == c.Requests.Length || c.Requests.All(r => r.Scored == 0));
            Assert.All(model.BatchSizes, rows => Assert.InRange(rows, 1, c.Size ?? Math.Max(1, c.Tokens)));
            foreach ((ScoringRequest request, ContinuationScore score) in c.Requests.Zip(scores))
            {
                (double sum, bool greedy) = OneByOne(model, request, c.Context);
                Assert.Equal(request.Scored, score.Tokens);
                Assert.Equal(sum, score.LogLikelihood, 1e-5 * Math.Max(1, Math.Abs(sum)));
                Assert.Equal(greedy, score.IsGreedy);
            }
        }).Holds();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Padding_does_not_reach_a_score(bool student)
    {
        GptNeoXConfig config = new()
        {
            VocabularySize = Vocabulary,
            HiddenSize = 16,
            Layers = 2,
            Heads = 2,
            IntermediateSize = 32,
            MaximumPositions = 64,
            InitialiserRange = 0.4,
            Mamba = student ? MambaConfig.For(16) : null,
        };
        using LayeredLanguageModel model = LanguageModelFiles.Build(config, BuildContext.For(Device.Parse("cpu"), 2));
        TokenScorer scorer = new(model, Device.Parse("cpu"));
        ScoringRequest[] requests = [.. Enumerable.Range(2, 30).Select(length => new ScoringRequest([.. Enumerable.Range(0, length).Select(i => ((i * i) + length) % Vocabulary)], 1 + (length % 3 % (length - 1))))];
        ContinuationScore[] alone = new LikelihoodScorer(scorer, new LikelihoodOptions { BatchSize = 1 }).Score(requests);
        ContinuationScore[] together = new LikelihoodScorer(scorer).Score(requests);
        Assert.All(alone.Zip(together), pair =>
        {
            Assert.Equal(pair.First.LogLikelihood, pair.Second.LogLikelihood, 1e-5 * Math.Abs(pair.First.LogLikelihood));
            Assert.Equal(pair.First.IsGreedy, pair.Second.IsGreedy);
        });
        Assert.Contains(alone, score => score.Tokens > 1);
    }

    [Fact]
    public void Equal_inputs_share_a_row()
    {
        using RecurrentTableModel model = new(Vocabulary, 5);
        ContinuationScore[] scores = new LikelihoodScorer(Of(model)).Score([.. Enumerable.Range(0, 4).Select(last => new ScoringRequest([7, 3, last], 1))]);
        Assert.Equal([1], model.BatchSizes);
        double[] expected = model.LogProbabilities([7, 3])[^1];
        Assert.All(scores.Select((s, i) => (s, i)), pair => Assert.Equal(expected[pair.i], pair.s.LogLikelihood, 1e-5));
    }

    [Fact]
    public void Contexts_lose_their_beginning()
    {
        using RecurrentTableModel model = new(Vocabulary, 5, positions: 4);
        int[] tokens = [1, 2, 3, 4, 5, 6, 7, 8];
        ContinuationScore score = new LikelihoodScorer(Of(model)).Score([new ScoringRequest(tokens, 2)])[0];
        double[][] expected = model.LogProbabilities(tokens[3..7]);
        Assert.Equal(expected[2][7] + expected[3][8], score.LogLikelihood, 1e-5);
    }

    [Fact]
    public void What_cannot_be_scored_is_named()
    {
        using RecurrentTableModel model = new(Vocabulary, 5, positions: 4);
        LikelihoodScorer scorer = new(Of(model));
        Assert.Contains("continuation of request 1 has 5 tokens, more than the 4", Fails([1, 2], [1, 2, 3, 4, 5, 6]), StringComparison.Ordinal);
        Assert.Contains("token 23 is beyond the vocabulary of 23", Fails([1, 23], []), StringComparison.Ordinal);
        Assert.Contains("at least one must come before", Fails([1], []), StringComparison.Ordinal);
        Assert.Contains(
            "5 tokens is longer than the 4 positions", Assert.Throws<CaldException>(() => new LikelihoodScorer(Of(model), new LikelihoodOptions { Context = 5 })).Message, StringComparison.Ordinal);

        string Fails(int[] first, int[] second)
        {
            ScoringRequest[] requests = second.Length == 0 ? [new ScoringRequest(first, 1)] : [new ScoringRequest(first, 1), new ScoringRequest(second, second.Length - 1)];
            return Assert.Throws<CaldException>(() => scorer.Score(requests)).Message;
        }
    }

    private static TokenScorer Of(RecurrentTableModel model) => new(model, Device.Parse("cpu"));

    private static (double Sum, bool Greedy) OneByOne(RecurrentTableModel model, ScoringRequest request, int? context)
    {
        int[] read = request.Tokens[..^1];
        double[][] predictions = model.LogProbabilities(read[Math.Max(0, read.Length - (context ?? read.Length))..]);
        double sum = 0;
        bool greedy = true;
        for (int i = 1; i <= request.Scored; i++)
        {
            double[] p = predictions[^i];
            sum += p[request.Tokens[^i]];
            greedy &= p.Max() == p[request.Tokens[^i]];
        }

        return (sum, greedy);
    }
}
