namespace LinearCald.Data.Speech;

/// <summary>What is to be done about utterances with a certain fault.</summary>
public enum ProblemRule
{
    /// <summary>One error that counts them all and lists the first.</summary>
    Error,

    /// <summary>They are left out of training, and of evaluation where they cannot be evaluated; counted in the corpus's notes.</summary>
    Skip,

    /// <summary>They stay, counted in the corpus's notes. Not possible for audio that cannot be read or is too short for any frame.</summary>
    Keep,
}

/// <summary>What to read of a corpus, and what to do about faults in it.</summary>
public sealed record SpeechOptions
{
    /// <summary>
    /// Names of the splits that make up the training part: values of the column <c>split</c>, or names of the folders or manifests of a
    /// format; empty = the usual ones. VoxCeleb1 numbers its parts and takes no names.
    /// </summary>
    public IReadOnlyList<string> Train { get; init; } = [];

    /// <summary>The same for the validation part.</summary>
    public IReadOnlyList<string> Validation { get; init; } = [];

    /// <summary>The same for the test part.</summary>
    public IReadOnlyList<string> Test { get; init; } = [];

    /// <summary>Name of the manifest inside the folder; null = <c>transcripts.tsv</c>, or one of VoxCeleb1's usual names.</summary>
    public string? Manifest { get; init; }

    /// <summary>Folder of the audio when it is not where the format has it; relative to the corpus's folder.</summary>
    public string? AudioFolder { get; init; }

    /// <summary>Transcripts: the column of what is said; null = <c>norm</c> where it exists, else <c>text</c>.</summary>
    public string? TranscriptColumn { get; init; }

    /// <summary>Transcripts: only rows with this value in the column <c>lang</c>; null = all.</summary>
    public string? Language { get; init; }

    /// <summary>
    /// What utterances are classified by. Transcripts: names of columns (<c>speaker</c>); SLURP: <c>scenario</c>, <c>action</c>, <c>intent</c>;
    /// the others: <c>speaker</c>. VoxCeleb1 always has it.
    /// </summary>
    public IReadOnlyList<string> Targets { get; init; } = [];

    /// <summary>
    /// Targets with the classes of a model that exists already, by name; others get the classes that occur in any part, sorted. A label
    /// outside the given classes is an error.
    /// </summary>
    public IReadOnlyList<SpeechTarget> Classes { get; init; } = [];

    /// <summary>How transcripts are normalised; null = the format's usual way: <see cref="TranscriptRule.Tidy"/> for TED-LIUM (after its own normaliser), else as written.</summary>
    public TranscriptRule? Normalisation { get; init; }

    /// <summary>When given, transcripts are checked against it as by <see cref="SpeechCorpus.Fit"/>.</summary>
    public CharacterVocabulary? Vocabulary { get; init; }

    /// <summary>Frames that the model makes of so many samples; wav2vec 2.0's convolutions unless set.</summary>
    public Func<long, int> Frames { get; init; } = SpeechFrames.Count;

    /// <summary>Shortest audio that makes a frame, in samples at 16 kHz.</summary>
    public int ReceptiveField { get; init; } = SpeechFrames.ReceptiveField;

    /// <summary>Longer utterances are left out of training and counted, in samples at 16 kHz; 0 = no limit. Evaluation has all.</summary>
    public int MaximumTrainSamples { get; init; }

    /// <summary>Use a sample of so many training utterances, always the same one, in the order of the corpus; 0 = all.</summary>
    public int MaximumTrainExamples { get; init; }

    /// <summary>The same for the validation part and for the test part.</summary>
    public int MaximumEvaluationExamples { get; init; }

    /// <summary>Files that a manifest names and that are not there.</summary>
    public ProblemRule MissingFiles { get; init; } = ProblemRule.Error;

    /// <summary>Files that are no audio, or whose header is damaged; segments that lie outside their file.</summary>
    public ProblemRule UnreadableFiles { get; init; } = ProblemRule.Error;

    /// <summary>Audio shorter than <see cref="ReceptiveField"/>.</summary>
    public ProblemRule ShortClips { get; init; } = ProblemRule.Error;

    /// <summary>Transcripts with characters outside the vocabulary. Kept ones have the unknown token in their place.</summary>
    public ProblemRule UnknownCharacters { get; init; } = ProblemRule.Error;

    /// <summary>
    /// Transcripts that need more frames than the audio makes: one a character, and a blank between two equal ones. Kept ones contribute
    /// nothing to a loss that zeroes infinities. In validation and test they stay under <see cref="ProblemRule.Skip"/> too: leaving them out
    /// would flatter the error rate.
    /// </summary>
    public ProblemRule LongLabels { get; init; } = ProblemRule.Error;

    /// <summary>Threads that read audio headers; 0 = one a core.</summary>
    public int Threads { get; init; }

    internal void Check()
    {
        foreach ((string name, ProblemRule rule) in (ReadOnlySpan<(string, ProblemRule)>)
                 [(nameof(MissingFiles), MissingFiles), (nameof(UnreadableFiles), UnreadableFiles), (nameof(ShortClips), ShortClips)])
        {
            if (rule == ProblemRule.Keep)
            {
                throw new CaldException($"SpeechOptions.{name} cannot be Keep: there is no audio to keep; choose Error or Skip");
            }
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(ReceptiveField, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(MaximumTrainSamples);
        ArgumentOutOfRangeException.ThrowIfNegative(MaximumTrainExamples);
        ArgumentOutOfRangeException.ThrowIfNegative(MaximumEvaluationExamples);
    }
}
