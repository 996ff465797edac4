using LinearCald.Data.Tokenizers;
using LinearCald.Data.ZeroShot;
using LinearCald.Distillation.Scoring;
using LinearCald.Models.Tests.Language;
using LinearCald.Tensors;

namespace LinearCald.Distillation.Tests.Scoring;

public sealed class ZeroShotTests : IDisposable
{
    private readonly Tokenizer _tokenizer = Tokenizer.Load(TestFiles.InCheckout("weights/roberta-tiny"));
    private readonly RecurrentTableModel _model;
    private readonly RequestEncoder _encoder;
    private readonly TemporaryFolder _folder = new();

    public ZeroShotTests()
    {
        _model = new RecurrentTableModel(_tokenizer.VocabularySize, 4);
        _encoder = new RequestEncoder(_tokenizer);
    }

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Blanks_at_the_end_of_the_context_go_to_the_continuation()
    {
        int[] context = Ids("The answer is:"), whole = Ids("The answer is: \n yes");
        ScoringRequest request = _encoder.Encode("The answer is: \n ", "yes");
        Assert.Equal(whole, request.Tokens);
        Assert.Equal(whole.Length - context.Length, request.Scored);
        Assert.Equal(Ids("The answer is: yes"), _encoder.Encode("The answer is:", " yes").Tokens);

        // The four separators of ASCII are white space to the harness.
        Assert.Equal(Ids("a\u001Cb").Length - Ids("a").Length, _encoder.Encode("a\u001C", "b").Scored);
    }

    [Theory]
    [InlineData("", "word")]
    [InlineData(" \n", "word")]
    public void An_empty_context_is_the_token_that_begins_a_text(string context, string continuation)
    {
        ScoringRequest request = _encoder.Encode(context, continuation);
        Assert.Equal([_encoder.Prefix, .. Ids(context + continuation)], request.Tokens);
        Assert.Equal(request.Tokens.Length - 1, request.Scored);
    }

    [Fact]
    public void Tokens_that_would_join_context_and_continuation_stay_with_the_context()
    {
        // "wel" + "l done": joint encoding has other tokens than the context alone.
        ScoringRequest request = _encoder.Encode("We did wel", "l done");
        int[] head = Ids("We did wel"), whole = Ids("We did well done");
        Assert.Equal([.. head, .. whole[Math.Min(head.Length, whole.Length)..]], request.Tokens);
        Assert.Equal(Math.Max(0, whole.Length - head.Length), request.Scored);
    }

    [Fact]
    public void Accuracies_are_those_of_brute_force()
    {
        ZeroShotExample[] examples =
        [
            .. Enumerable.Range(0, 12).Select(i => new ZeroShotExample(
                [.. Enumerable.Range(0, 2 + (i % 3)).Select(c => new ZeroShotCandidate($"Question {i}: what is it?\nAnswer:", $" choice {new string((char)('a' + c), 1 + (c * 3))} of {i}", 9 + (4 * c)))],
                i % 2, i + 1)),
        ];
        ZeroShotTask task = new("quiz", "quiz.jsonl", [ZeroShotMetric.Accuracy, ZeroShotMetric.NormalizedAccuracy], examples);
        int asked = 0;
        ZeroShotResult result = Evaluator().Evaluate(task, progress: (done, all) => asked = done == all ? all : asked);
        int right = 0, rightNormalized = 0;
        foreach ((ZeroShotExample example, ZeroShotAnswer answer) in examples.Zip(result.Answers))
        {
            double[] sums = [.. example.Candidates.Select(BruteForce)];
            double[] normalized = [.. sums.Zip(example.Candidates, (sum, c) => sum / c.Characters)];
            Assert.Equal(Array.IndexOf(sums, sums.Max()), answer.Choice);
            Assert.Equal(Array.IndexOf(normalized, normalized.Max()), answer.NormalizedChoice);
            right += answer.Choice == example.Gold ? 1 : 0;
            rightNormalized += answer.NormalizedChoice == example.Gold ? 1 : 0;
        }

        Assert.Equal(examples.Sum(e => e.Candidates.Count), asked);
        Assert.Equal([right / 12.0, rightNormalized / 12.0], result.Figures.Select(f => f.Value));
        double p = right / 12.0;
        Assert.Equal(Math.Sqrt(p * (1 - p) / 11), result.Figures[0].StandardError, 1e-12);
        Assert.Equal(3, Evaluator().Evaluate(task, limit: 3).Answers.Count);
    }

    [Fact]
    public void Equal_scores_choose_the_first()
    {
        ZeroShotCandidate same = new("A context", " and its end", 11);
        ZeroShotTask task = new("ties", "ties.jsonl", [ZeroShotMetric.Accuracy], [new ZeroShotExample([same, same, same], 1, 1)]);
        ZeroShotResult result = Evaluator().Evaluate(task);
        Assert.Equal(0, result.Answers[0].Choice);
        Assert.Equal(0, result.Figures[0].Value);
        Assert.True(double.IsNaN(result.Figures[0].StandardError));
    }

    [Fact]
    public void A_single_candidate_is_right_when_it_is_the_greedy_one()
    {
        ZeroShotCandidate[] candidates = [.. Enumerable.Range(0, 20).Select(i => new ZeroShotCandidate($"Some text number {i} ends", " here", 4))];
        string best = _tokenizer.Decode([Greedy("Some text number 3 ends")]);
        candidates[3] = candidates[3] with { Continuation = best };
        ZeroShotTask task = new("words", "words.jsonl", [ZeroShotMetric.Accuracy, ZeroShotMetric.Perplexity], [.. candidates.Select((c, i) => new ZeroShotExample([c], null, i + 1))]);
        ZeroShotResult result = Evaluator().Evaluate(task);
        double[] sums = [.. candidates.Select(BruteForce)];
        double mean = sums.Average(), error = Math.Sqrt(sums.Sum(s => (s - mean) * (s - mean)) / 19 / 20);
        Assert.Equal(Math.Exp(-mean), result.Figures[1].Value, 1e-3 * Math.Exp(-mean));
        Assert.Equal(Math.Exp(-mean) * error, result.Figures[1].StandardError, 1e-3 * Math.Exp(-mean) * error);
        Assert.Equal(Ids("Some text number 3 ends" + best).Length == Ids("Some text number 3 ends").Length + 1, result.Answers[3].IsRight);
        Assert.Equal(result.Answers.Count(a => a.IsRight) / 20.0, result.Figures[0].Value);
    }

    [Fact]
    public void The_table_looks_as_users_of_the_harness_know_it()
    {
        ZeroShotResult piqa = new("piqa", [new(ZeroShotMetric.Accuracy, 0.5, 0.01234), new(ZeroShotMetric.NormalizedAccuracy, 0.625, 0.0125)], [], 1);
        ZeroShotResult lambada = new("lambada_openai", [new(ZeroShotMetric.Accuracy, 0.25, 0.01), new(ZeroShotMetric.Perplexity, 123.45678, double.NaN)], [], 1);
        Assert.Equal(
            """
            |    Tasks     |Version|Filter|n-shot|  Metric  | | Value  | |Stderr|
            |--------------|------:|------|-----:|----------|-|-------:|-|-----:|
            |piqa          |      1|none  |     0|acc       |↑|  0.5000|±|0.0123|
            |              |       |none  |     0|acc_norm  |↑|  0.6250|±|0.0125|
            |lambada_openai|      1|none  |     0|acc       |↑|  0.2500|±|0.0100|
            |              |       |none  |     0|perplexity|↓|123.4568|±|   N/A|

            """.ReplaceLineEndings("\n"), ZeroShotTable.Of([piqa, lambada]));
        Assert.Equal(0.375, ZeroShotTable.MeanAccuracy([piqa, lambada]));
    }

    [Fact]
    public void Predictions_are_compared_question_by_question()
    {
        ZeroShotTask task = new("quiz", "quiz.jsonl", [ZeroShotMetric.Accuracy], [
            new ZeroShotExample([new("One and", " two", 3), new("One and", " three", 5)], 0, 1),
            new ZeroShotExample([new("Up and", " down", 4), new("Up and", " left", 4)], 1, 3)]);
        ZeroShotResult result = Evaluator().Evaluate(task);
        string[] lines = [.. result.Answers.Select(a => a.ToJson("quiz"))];
        string same = _folder.Write("same.jsonl", System.Text.Encoding.UTF8.GetBytes(string.Join('\n', lines.Append(result.Answers[0].ToJson("other")))));
        PredictionComparison comparison = PredictionFile.Read(same).Compare(result);
        Assert.Equal((2, 0, 0.0), (comparison.Examples, comparison.Differences.Count, comparison.LargestError));

        string flipped = lines[1].Replace($"\"choice\":{result.Answers[1].Choice}", $"\"choice\":{1 - result.Answers[1].Choice}", StringComparison.Ordinal);
        string other = _folder.Write("other.jsonl", System.Text.Encoding.UTF8.GetBytes($"{lines[0]}\n{flipped}"));
        Assert.Equal([3], PredictionFile.Read(other).Compare(result).Differences);
        string few = _folder.Write("few.jsonl", System.Text.Encoding.UTF8.GetBytes(lines[0]));
        Assert.Contains("no answer to line 3 of quiz", Assert.Throws<CaldException>(() => PredictionFile.Read(few).Compare(result)).Message, StringComparison.Ordinal);
        string bad = _folder.Write("bad.jsonl", System.Text.Encoding.UTF8.GetBytes($"{lines[0]}\n[1]"));
        Assert.Contains("bad.jsonl:2", Assert.Throws<CaldException>(() => PredictionFile.Read(bad)).Message, StringComparison.Ordinal);
    }

    private ZeroShotEvaluator Evaluator() => new(new LikelihoodScorer(new TokenScorer(_model, Device.Parse("cpu"))), _encoder);

    private int[] Ids(string text) => _tokenizer.Encode(text, addSpecialTokens: false).Ids;

    private int Greedy(string text)
    {
        double[] p = _model.LogProbabilities(Ids(text))[^1];
        return Array.IndexOf(p, p.Max());
    }

    private double BruteForce(ZeroShotCandidate candidate)
    {
        ScoringRequest request = _encoder.Encode(candidate.Context, candidate.Continuation);
        double[][] predictions = _model.LogProbabilities(request.Tokens[..^1]);
        return Enumerable.Range(1, request.Scored).Sum(i => predictions[^i][request.Tokens[^i]]);
    }
}
