using LinearCald.Data.Speech;
using LinearCald.Data.Speech.Scoring;
using LinearCald.Distillation.Reporting;

namespace LinearCald.Distillation.Speech.Evaluation;

/// <summary>An utterance that was recognised.</summary>
/// <param name="Example">What was heard.</param>
/// <param name="Transcript">What is said and what the model makes of it, in the case of the model's characters.</param>
/// <param name="LogProbability">ln of the probability of the hypothesis, as the decoder counts it.</param>
/// <param name="Loss">−ln p(reference); infinite where it does not fit the frames.</param>
/// <param name="Labels">Characters of the reference, as the model spells it.</param>
public sealed record RecognisedUtterance(SpeechExample Example, ScoredTranscript Transcript, double LogProbability, double Loss, int Labels)
{
    /// <summary>The utterance as one JSON object.</summary>
    public string ToJson() => new JsonLine()
        .Add("name", Example.Name).Add("file", Example.File).Add("seconds", Math.Round(Example.Seconds, 3)).Add("speaker", Example.Speaker)
        .Add("reference", Transcript.Reference).Add("hypothesis", Transcript.Hypothesis)
        .Add("wer", Transcript.Words.Rate).Add("cer", Transcript.Characters.Rate)
        .Add("substitutions", Transcript.Words.Substitutions).Add("insertions", Transcript.Words.Insertions).Add("deletions", Transcript.Words.Deletions)
        .Add("words", Transcript.Words.ReferenceLength)
        .Add("log_probability", LogProbability).Add("loss", Loss).ToString();
}

/// <summary>How well a model recognises.</summary>
/// <param name="Utterances">In the order given.</param>
/// <param name="Report">Errors of all, in the same order.</param>
/// <param name="Seconds">Wall-clock time, reading and decoding included.</param>
public sealed record RecognitionResult(IReadOnlyList<RecognisedUtterance> Utterances, TranscriptReport Report, double Seconds)
{
    /// <summary>−ln p of all references over their labels. A reference that does not fit its frames counts as nothing, as in training.</summary>
    public double Loss => Fitting.Sum(u => u.Loss) / Math.Max(1, Fitting.Sum(u => (long)u.Labels));

    /// <summary>References that do not fit their frames.</summary>
    public int Infeasible => Utterances.Count - Fitting.Count();

    /// <summary>Length of the audio.</summary>
    public double AudioSeconds => Utterances.Sum(u => u.Example.Seconds);

    /// <summary>By the names that recipes use: <c>wer</c> and <c>cer</c>.</summary>
    public IReadOnlyDictionary<string, double> Metrics => new Dictionary<string, double> { ["wer"] = Report.Words.Rate, ["cer"] = Report.Characters.Rate };

    private IEnumerable<RecognisedUtterance> Fitting => Utterances.Where(u => !double.IsPositiveInfinity(u.Loss));
}
