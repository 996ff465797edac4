using System.CommandLine;
using LinearCald.Data.Speech;
using LinearCald.Data.Speech.Decoding;
using LinearCald.Distillation.Speech.Transcription;

namespace LinearCald.Cli.Commands;

/// <summary>How the outputs of a CTC head become text: options of the commands that recognise speech.</summary>
internal static class DecodingOptions
{
    private const int WidthWithLanguageModel = 64;

    private static readonly Option<int?> Beam =
        CommonOptions.WholeNumber("--beam", "Speech: beginnings of texts that are followed at a time (default: 1, the most likely character of every frame; with --lm 64)", 1, 10_000);

    private static readonly Option<string?> LanguageModel = new("--lm") { Description = "Speech: n-gram model of words in ARPA form that the beam search heeds", HelpName = "FILE.arpa" };

    private static readonly Option<double?> LanguageWeight = CommonOptions.Number("--lm-weight", "Speech: weight of the language model's ln p beside the model's own (default: 0.5)", "W", 0, 100);

    private static readonly Option<double?> WordBonus = CommonOptions.Number("--word-bonus", "Speech: added to the score for every word, against short texts (default: 0; with --lm 1)", "B", -100, 100);

    /// <summary>In the order of the help.</summary>
    public static IReadOnlyList<Option> All => [Beam, LanguageModel, LanguageWeight, WordBonus];

    public static void AddTo(Command command)
    {
        foreach (Option option in All)
            command.Add(option);
    }

    /// <summary>The decoder that the command line asks for.</summary>
    /// <exception cref="CaldException">The language model cannot be read, or there are weights for none.</exception>
    public static SpeechDecoder DecoderOf(Session session, CharacterVocabulary vocabulary)
    {
        string? file = session.Arguments.GetValue(LanguageModel);
        int width = session.Arguments.GetValue(Beam) ?? (file is null ? 1 : WidthWithLanguageModel);
        double? weight = session.Arguments.GetValue(LanguageWeight), bonus = session.Arguments.GetValue(WordBonus);
        if (file is null && weight is not null)
            throw new CaldException("--lm-weight was given without a language model; name one with --lm FILE.arpa");
        if (width == 1 && file is null && bonus is null)
            return new SpeechDecoder(vocabulary);
        return new SpeechDecoder(vocabulary, new CtcBeamOptions
        {
            Width = width,
            LanguageModel = file is null ? null : ArpaLanguageModel.Load(file),
            LanguageWeight = weight ?? 0.5,
            WordBonus = bonus ?? (file is null ? 0 : 1),
        });
    }
}
