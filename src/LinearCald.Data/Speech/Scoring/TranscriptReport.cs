using System.Globalization;

namespace LinearCald.Data.Speech.Scoring;

/// <summary>An utterance with what was recognised.</summary>
/// <param name="Name">Its name in the corpus.</param>
/// <param name="Reference">What was said.</param>
/// <param name="Hypothesis">What was recognised.</param>
/// <param name="Words">Errors in words.</param>
/// <param name="Characters">Errors in characters.</param>
public sealed record ScoredTranscript(string Name, string Reference, string Hypothesis, EditScore Words, EditScore Characters);

/// <summary>Errors of a corpus, utterance by utterance.</summary>
public sealed class TranscriptReport
{
    private readonly List<ScoredTranscript> _utterances = [];

    /// <summary>Errors in words of all utterances; its rate is the WER.</summary>
    public EditScore Words { get; private set; }

    /// <summary>Errors in characters of all utterances; its rate is the CER.</summary>
    public EditScore Characters { get; private set; }

    /// <summary>The utterances in the order in which they were added.</summary>
    public IReadOnlyList<ScoredTranscript> Utterances => _utterances;

    /// <summary>The share of utterances with any error in words.</summary>
    public double UtteranceErrorRate => _utterances.Count(utterance => utterance.Words.Errors > 0) / (double)Math.Max(1, _utterances.Count);

    /// <summary>Scores an utterance.</summary>
    public ScoredTranscript Add(string name, string reference, string hypothesis)
    {
        ScoredTranscript scored = new(name, reference, hypothesis, ErrorRates.Words(reference, hypothesis), ErrorRates.Characters(reference, hypothesis));
        _utterances.Add(scored);
        Words += scored.Words;
        Characters += scored.Characters;
        return scored;
    }

    /// <summary>The utterances with the highest word error rate, the worst first; of equal ones the one with more errors, then the earlier.</summary>
    public IReadOnlyList<ScoredTranscript> Worst(int count) =>
        [.. _utterances.Where(utterance => utterance.Words.Errors > 0).OrderByDescending(utterance => utterance.Words.Rate)
            .ThenByDescending(utterance => utterance.Words.Errors).Take(count)];

    /// <summary>Writes totals, and the worst utterances word by word.</summary>
    /// <param name="to">Where to.</param>
    /// <param name="count">Utterances, at most.</param>
    /// <param name="width">Characters a line.</param>
    public void Write(TextWriter to, int count = 20, int width = 120)
    {
        ArgumentNullException.ThrowIfNull(to);
        to.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{_utterances.Count} utterances, {UtteranceErrorRate:P1} with errors; WER {Summary(Words)}; CER {Summary(Characters)}"));
        foreach (ScoredTranscript utterance in Worst(count))
        {
            to.WriteLine();
            to.WriteLine($"{utterance.Name}: WER {Summary(utterance.Words)}; CER {Summary(utterance.Characters)}");
            to.Write(Alignment.Words(utterance.Reference, utterance.Hypothesis).Render(width));
        }
    }

    private static string Summary(EditScore score) => string.Create(CultureInfo.InvariantCulture,
        $"{100 * score.Rate:F2} % (S {score.Substitutions}, I {score.Insertions}, D {score.Deletions} of {score.ReferenceLength})");
}
