using LinearCald.Data.Speech;
using LinearCald.Data.Speech.Decoding;

namespace LinearCald.Distillation.Speech.Transcription;

/// <summary>From the outputs of a CTC head to text: the most likely character of every frame, or a beam search. Any number of threads may decode at a time.</summary>
public sealed class SpeechDecoder
{
    private readonly CtcBeamDecoder? _beam;

    /// <param name="vocabulary">The model's characters.</param>
    /// <param name="beam">How to search; null for the most likely character of every frame. Its vocabulary is set here.</param>
    /// <exception cref="CaldException">A setting of the search has no meaning.</exception>
    public SpeechDecoder(CharacterVocabulary vocabulary, CtcBeamOptions? beam = null)
    {
        ArgumentNullException.ThrowIfNull(vocabulary);
        Vocabulary = vocabulary;
        _beam = beam is null ? null : new CtcBeamDecoder(beam with { Vocabulary = vocabulary });
    }

    public CharacterVocabulary Vocabulary { get; }

    /// <summary>Tokens and their frames.</summary>
    /// <param name="logits">[T, V], before the softmax.</param>
    public CtcPath Decode(ReadOnlySpan<float> logits) =>
        _beam?.Decode(logits, Vocabulary.Size, Vocabulary.Blank) ?? CtcGreedyDecoder.Decode(logits, Vocabulary.Size, Vocabulary.Blank);

    /// <summary>What a path says, one space between words.</summary>
    public string Text(CtcPath path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return string.Join(' ', Vocabulary.Decode(path.Tokens).Split(' ', StringSplitOptions.RemoveEmptyEntries));
    }

    /// <summary>The words of a path. A word lasts from the first frame of its first character to the end of the first frame of its last.</summary>
    /// <param name="path">Of <see cref="Decode"/>.</param>
    /// <param name="secondsPerFrame">From one frame to the next.</param>
    public IReadOnlyList<TimedWord> Words(CtcPath path, double secondsPerFrame)
    {
        ArgumentNullException.ThrowIfNull(path);
        List<TimedWord> words = [];
        int first = 0;
        for (int i = 0; i <= path.Tokens.Length; i++)
        {
            if (i < path.Tokens.Length && path.Tokens[i] != Vocabulary.Delimiter)
            {
                continue;
            }

            string text = Vocabulary.Decode(path.Tokens.AsSpan(first, i - first));
            if (text.Length > 0)
            {
                words.Add(new TimedWord(text, path.Frames[first] * secondsPerFrame, (path.Frames[i - 1] + 1) * secondsPerFrame));
            }

            first = i + 1;
        }

        return words;
    }
}
