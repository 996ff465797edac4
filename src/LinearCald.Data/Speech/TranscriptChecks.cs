using LinearCald.Data.Speech.Readers;

namespace LinearCald.Data.Speech;

/// <summary>Which transcripts a CTC model can learn.</summary>
internal static class TranscriptChecks
{
    public static SpeechCorpus Fit(SpeechCorpus corpus, CharacterVocabulary vocabulary, SpeechOptions options)
    {
        ArgumentNullException.ThrowIfNull(vocabulary);
        ArgumentNullException.ThrowIfNull(options);
        ProblemList unknown = new(options.UnknownCharacters,
            "transcript with characters outside the vocabulary", "transcripts with characters outside the vocabulary",
            "Normalise the transcripts, use a vocabulary that has these characters, or allow for them (unknown characters: skip or keep).");
        ProblemList tooLong = new(options.LongLabels,
            "transcript that needs more frames than its audio makes", "transcripts that need more frames than their audio makes",
            "CTC needs a frame a character, and a blank between two equal ones. Correct the transcripts, or allow for them (long labels: skip or keep).");
        int unknownKept = 0, tooLongKept = 0;
        bool Fits(SpeechExample example, bool training)
        {
            int[] labels = vocabulary.Encode(example.Transcript, out string characters);
            bool keep = true;
            if (characters.Length > 0)
            {
                unknown.Add($"{example.Name} has {string.Join(' ', characters.EnumerateRunes().Select(c => $"'{c}'"))}");
                keep = Stays(unknown, training, ref unknownKept);
            }

            int needed = SpeechFrames.Needed(labels), frames = options.Frames(example.Samples);
            if (needed > frames)
            {
                tooLong.Add($"{example.Name} needs {needed} frames and has {frames}");
                keep &= Stays(tooLong, training, ref tooLongKept);
            }

            return keep;
        }

        SpeechExample[] train = [.. corpus.Parts.Train.Where(example => Fits(example, training: true))];
        SpeechExample[] validation = [.. corpus.Parts.Validation.Where(example => Fits(example, training: false))];
        SpeechExample[] test = [.. corpus.Parts.Test.Where(example => Fits(example, training: false))];
        List<string> notes = [.. corpus.Notes];
        unknown.Settle(corpus.Name, notes, unknownKept);
        tooLong.Settle(corpus.Name, notes, tooLongKept);
        if (train.Length == 0 && corpus.Parts.Train.Count > 0)
        {
            throw new CaldException($"{corpus.Name}: none of {corpus.Parts.Train.Count} training utterances has a transcript that a model with this vocabulary can learn");
        }

        return corpus with { Parts = new SpeechSplit(train, validation, test), Notes = notes };
    }

    // What is evaluated stays under Skip: leaving hard utterances out would flatter the error rate.
    private static bool Stays(ProblemList problem, bool training, ref int kept)
    {
        bool stays = problem.Rule == ProblemRule.Keep || (problem.Rule == ProblemRule.Skip && !training);
        kept += stays ? 1 : 0;
        return stays;
    }
}
