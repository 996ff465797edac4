using FsCheck;
using FsCheck.Fluent;
using LinearCald.Distillation.Scoring;
using LinearCald.Models.Language;
using LinearCald.Models.Tests.Language;
using LinearCald.Tensors;

namespace LinearCald.Distillation.Tests.Scoring;

public sealed class PerplexityTests
{
    private const int Vocabulary = 19;

    [Fact]
    public void Every_token_is_in_one_window_and_the_last_window_reaches_back()
    {
        Prop.ForAll(Gen.Choose(0, 40).ToArbitrary(), Gen.Choose(1, 12).ToArbitrary(), (tokens, context) =>
        {
            int[] document = [.. Enumerable.Range(0, tokens + 1)];
            TextWindow[] windows = [.. TextWindows.Of(document, context)];
            Assert.Equal(document[1..], windows.SelectMany(w => w.Labels.ToArray()));
            foreach (TextWindow window in windows)
            {
                // The label of an input token is the token after it.
                Assert.Equal(window.Input.Span[^1] + 1, window.Labels.Span[^1]);
                Assert.Equal(Math.Min(context, window.Labels.Span[^1]), window.Input.Length);
            }
        }).Holds();
    }

    [Fact]
    public void Documents_score_as_one_token_at_a_time()
    {
        using RecurrentTableModel model = new(Vocabulary, 6);
        Gen<int[]> document = Gen.Choose(0, Vocabulary - 1).ListOf().Select(list => (int[])[0, .. list]);
        Arbitrary<(int[][] Documents, int? Context, int BatchTokens)> cases =
            (from documents in document.ArrayOf()
             from context in Gen.Elements<int?>(null, 1, 5, 64)
             from tokens in Gen.Elements(1, 7, 1000)
             select (documents, context, tokens)).ToArbitrary();
        Prop.ForAll(cases, c =>
        {
            PerplexityEvaluator evaluator = new(new TokenScorer(model, Device.Parse("cpu")), new PerplexityOptions { Context = c.Context, BatchTokens = c.BatchTokens });
            LanguageScore score = evaluator.Documents(c.Documents.Select(d => new TokenizedDocument(d, 3, 2)));
            double expected = c.Documents.Sum(d => -TextWindows.Of(d, c.Context ?? Math.Max(1, d.Length)).Sum(w => Alone(model, w)));
            Assert.Equal(c.Documents.Sum(d => d.Length - 1), score.Tokens);
            Assert.Equal((3L * c.Documents.Length, 2L * c.Documents.Length), (score.Bytes, score.Characters));
            Assert.Equal(expected, score.NegativeLogLikelihood, 1e-5 * Math.Max(1, expected));
        }).Holds();
    }

    [Fact]
    public void Rows_leave_out_negative_labels()
    {
        using RecurrentTableModel model = new(Vocabulary, 6);
        PerplexityEvaluator evaluator = new(new TokenScorer(model, Device.Parse("cpu")));
        using Tensor ids = Tensor.From(Device.Parse("cpu"), new Shape(2, 3), [4, 5, 6, 7, 8, 9]);
        LanguageScore score = evaluator.Rows(new LanguageInput(ids), [5, 6, -100, 8, -1, 3]);
        double[][] first = model.LogProbabilities([4, 5, 6]), second = model.LogProbabilities([7, 8, 9]);
        Assert.Equal(4, score.Tokens);
        Assert.Equal(-(first[0][5] + first[1][6] + second[0][8] + second[2][3]), score.NegativeLogLikelihood, 1e-4);
        Assert.Contains("2 labels", Assert.Throws<CaldException>(() => evaluator.Rows(new LanguageInput(ids), [1, 2])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Figures_of_a_uniform_guess()
    {
        LanguageScore score = new LanguageScore(3 * Math.Log(8), 3, 9, 4) + new LanguageScore(Math.Log(8), 1, 3, 4);
        Assert.Equal(8, score.Perplexity, 1e-12);
        Assert.Equal(1, score.BitsPerByte, 1e-12);
        Assert.Equal(1.5, score.BitsPerCharacter, 1e-12);
    }

    [Fact]
    public void Windows_beyond_the_positions_are_refused()
    {
        using RecurrentTableModel model = new(Vocabulary, 6, positions: 8);
        TokenScorer scorer = new(model, Device.Parse("cpu"));
        Assert.Contains(
            "9 tokens is longer than the 8 positions", Assert.Throws<CaldException>(() => new PerplexityEvaluator(scorer, new PerplexityOptions { Context = 9 })).Message, StringComparison.Ordinal);

        // Without a choice the windows are the model's positions.
        int[] document = [.. Enumerable.Range(0, 19)];
        double expected = -TextWindows.Of(document, 8).Sum(w => Alone(model, w));
        Assert.Equal(expected, new PerplexityEvaluator(scorer).Documents([new TokenizedDocument(document, 1, 1)]).NegativeLogLikelihood, 1e-4);
    }

    private static double Alone(RecurrentTableModel model, TextWindow window)
    {
        double[][] predictions = model.LogProbabilities(window.Input.ToArray());
        int skipped = window.Input.Length - window.Labels.Length;
        return window.Labels.ToArray().Select((label, i) => predictions[skipped + i][label]).Sum();
    }
}
