namespace LinearCald.Data.Language.Files;

/// <summary>
/// Cuts a long document into pieces that can be tokenised one by one. A cut is made before a blank that follows a character that is none: there
/// every word pattern of the byte-level kind ends, so the tokens of the pieces are those of the whole.
/// </summary>
internal static class TextPieces
{
    /// <summary>Pieces are about this long, in UTF-16 units.</summary>
    public const int PieceLength = 1 << 17;

    public static IEnumerable<string> Of(string text, int pieceLength = PieceLength)
    {
        int start = 0;
        while (text.Length - start > pieceLength)
        {
            int end = start + pieceLength;
            while (end > start && !IsCut(text, end))
                end--;
            if (end == start)
            {
                end = start + pieceLength;
                while (end < text.Length && !IsCut(text, end))
                    end++;
            }

            yield return text[start..end];
            start = end;
        }

        yield return start == 0 ? text : text[start..];
    }

    private static bool IsCut(string text, int at) => text[at] is ' ' or '\n' && !char.IsWhiteSpace(text[at - 1]);
}
