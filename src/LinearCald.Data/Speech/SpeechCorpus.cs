namespace LinearCald.Data.Speech;

/// <summary>The parts of a corpus; a part that the corpus does not have is empty.</summary>
/// <param name="Train">What is learnt from.</param>
/// <param name="Validation">What chooses the best checkpoint.</param>
/// <param name="Test">What is reported in the end.</param>
public sealed record SpeechSplit(IReadOnlyList<SpeechExample> Train, IReadOnlyList<SpeechExample> Validation, IReadOnlyList<SpeechExample> Test)
{
    /// <summary>Utterances of all parts.</summary>
    public int Count => Train.Count + Validation.Count + Test.Count;

    /// <summary>All parts, one after another.</summary>
    public IEnumerable<SpeechExample> All => Train.Concat(Validation).Concat(Test);
}

/// <summary>Something to classify utterances by: speaker, scenario, action.</summary>
/// <param name="Name">What is asked for.</param>
/// <param name="Classes">Names of the answers in the order of a model's outputs.</param>
public sealed record SpeechTarget(string Name, IReadOnlyList<string> Classes);

/// <summary>Recorded speech with transcripts, classes, or both.</summary>
/// <param name="Name">A short name for tables: of the folder.</param>
/// <param name="Parts">The utterances.</param>
/// <param name="Targets">What utterances are classified by; empty for recognition alone.</param>
/// <param name="Notes">What a user should know: what was left out, how often and why; parts that are missing.</param>
public sealed record SpeechCorpus(string Name, SpeechSplit Parts, IReadOnlyList<SpeechTarget> Targets, IReadOnlyList<string> Notes)
{
    /// <summary>Samples a second of all audio that reaches a model.</summary>
    public const int SampleRate = 16_000;

    /// <summary>
    /// The corpus with only those utterances that a CTC model with this vocabulary can learn: characters outside the vocabulary and labels
    /// longer than the frames are treated as <see cref="SpeechOptions.UnknownCharacters"/> and <see cref="SpeechOptions.LongLabels"/> say.
    /// </summary>
    /// <exception cref="CaldException">There are such transcripts and the options do not allow for them; all are counted and the first listed.</exception>
    public SpeechCorpus Fit(CharacterVocabulary vocabulary, SpeechOptions options) => TranscriptChecks.Fit(this, vocabulary, options);
}
