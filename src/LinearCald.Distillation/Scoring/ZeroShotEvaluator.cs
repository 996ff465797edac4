using System.Diagnostics;
using LinearCald.Data.ZeroShot;

namespace LinearCald.Distillation.Scoring;

/// <summary>Zero-shot evaluation by the rules of lm-evaluation-harness 0.4.</summary>
/// <param name="scorer">Scores requests.</param>
/// <param name="encoder">Makes them.</param>
public sealed class ZeroShotEvaluator(LikelihoodScorer scorer, RequestEncoder encoder)
{
    /// <summary>Evaluates a task.</summary>
    /// <param name="task">Its questions.</param>
    /// <param name="limit">Only the first questions; null for all.</param>
    /// <param name="progress">Is told the candidates done and all of them.</param>
    /// <exception cref="CaldException">A continuation is too long for the model; the message names the task.</exception>
    public ZeroShotResult Evaluate(ZeroShotTask task, int? limit = null, Action<int, int>? progress = null)
    {
        ArgumentNullException.ThrowIfNull(task);
        long start = Stopwatch.GetTimestamp();
        ZeroShotExample[] examples = [.. task.Examples.Take(limit ?? int.MaxValue)];
        if (examples.Length == 0)
            throw new CaldException($"{task.Name}: no examples to evaluate; give a limit of at least 1");
        ScoringRequest[] requests = [.. examples.SelectMany(e => e.Candidates).Select(c => encoder.Encode(c.Context, c.Continuation))];
        ContinuationScore[] scores;
        try
        {
            scores = scorer.Score(requests, progress is null ? null : done => progress(done, requests.Length));
        }
        catch (CaldException e)
        {
            throw new CaldException($"{task.Name}: {e.Message}", e);
        }

        List<ZeroShotAnswer> answers = new(examples.Length);
        int at = 0;
        foreach (ZeroShotExample example in examples)
        {
            answers.Add(Answer(example, scores[at..(at + example.Candidates.Count)]));
            at += example.Candidates.Count;
        }

        return new ZeroShotResult(task.Name, [.. task.Metrics.Select(metric => Figure(metric, answers))], answers, Stopwatch.GetElapsedTime(start).TotalSeconds);
    }

    private static ZeroShotAnswer Answer(ZeroShotExample example, ContinuationScore[] scores) => new(
        example.Line, example.Gold,
        First(scores, (score, _) => score.LogLikelihood),
        First(scores, (score, i) => score.LogLikelihood / example.Candidates[i].Characters),
        scores);

    // NaN counts as the largest, as NumPy has it.
    private static int First(ContinuationScore[] scores, Func<ContinuationScore, int, double> value)
    {
        int best = 0;
        for (int i = 1; i < scores.Length; i++)
        {
            double held = value(scores[best], best), next = value(scores[i], i);
            if (next > held || (double.IsNaN(next) && !double.IsNaN(held)))
                best = i;
        }

        return best;
    }

    private static ZeroShotFigure Figure(ZeroShotMetric metric, List<ZeroShotAnswer> answers)
    {
        double[] values = metric switch
        {
            ZeroShotMetric.Accuracy => [.. answers.Select(a => a.IsRight ? 1.0 : 0.0)],
            ZeroShotMetric.NormalizedAccuracy => [.. answers.Select(a => a.IsRightNormalized ? 1.0 : 0.0)],
            _ => [.. answers.Select(a => a.Scores[0].LogLikelihood)],
        };
        return metric == ZeroShotMetric.Perplexity
            ? new ZeroShotFigure(metric, SampleStatistics.Perplexity(values), SampleStatistics.PerplexityError(values))
            : new ZeroShotFigure(metric, values.Average(), SampleStatistics.StandardError(values));
    }
}
