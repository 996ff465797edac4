using System.Text;
using LinearCald.Data.Tokenizers;

namespace LinearCald.Data.Language.Files;

/// <summary>Texts as token ids.</summary>
/// <param name="Documents">The ids of each text that is not blank, the end-of-text token at its end.</param>
/// <param name="Counts">How much there is.</param>
internal sealed record TokenizedTexts(IReadOnlyList<int[]> Documents, CorpusCounts Counts)
{
    public static TokenizedTexts Of(IEnumerable<string> texts, Tokenizer tokenizer, int endOfText)
    {
        List<int[]> documents = [];
        CorpusCounts counts = CorpusCounts.Zero;
        List<int> ids = [];
        foreach (string text in texts)
        {
            ids.Clear();
            if (!string.IsNullOrWhiteSpace(text))
            {
                foreach (string piece in TextPieces.Of(text))
                    ids.AddRange(tokenizer.EncodePlain(piece));
            }

            if (ids.Count == 0)
            {
                counts = counts.Plus(new CorpusCounts(0, 1, 0, 0, 0));
                continue;
            }

            counts = counts.Plus(new CorpusCounts(1, 0, ids.Count, CodePoints(text), Encoding.UTF8.GetByteCount(text)));
            ids.Add(endOfText);
            documents.Add([.. ids]);
        }

        return new TokenizedTexts(documents, counts);
    }

    private static int CodePoints(string text)
    {
        int pairs = 0;
        for (int i = text.AsSpan().IndexOfAnyInRange('\uD800', '\uDBFF'); i >= 0 && i < text.Length; i++)
            pairs += char.IsLowSurrogate(text[i]) ? 1 : 0;
        return text.Length - pairs;
    }
}
