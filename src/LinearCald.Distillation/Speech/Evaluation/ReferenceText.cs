using System.Text;
using LinearCald.Data.Speech;

namespace LinearCald.Distillation.Speech.Evaluation;

/// <summary>Transcripts in the spelling of a model, so that case and spaces are no errors. Characters that the model does not have stay: it cannot get them right.</summary>
internal static class ReferenceText
{
    public static string Spell(CharacterVocabulary vocabulary, string transcript) =>
        string.Join(' ', transcript.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Select(word => Word(vocabulary, word)));

    private static string Word(CharacterVocabulary vocabulary, string word)
    {
        int[] ids = vocabulary.Encode(word, out string unknown);
        if (unknown.Length == 0)
        {
            return vocabulary.Decode(ids);
        }

        StringBuilder text = new();
        foreach (Rune character in word.EnumerateRunes())
        {
            int[] own = vocabulary.Encode(character.ToString(), out string missing);
            text.Append(missing.Length == 0 ? vocabulary.Decode(own) : character.ToString());
        }

        return text.ToString();
    }
}
