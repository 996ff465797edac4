namespace LinearCald.Data.Tokenizers.PreTokenizers;

/// <summary>
/// Cuts by GPT-2's word pattern, if asked to. The mapping of bytes to printable characters that HuggingFace does here is left to the
/// model, which reads its pieces as UTF-8 bytes when this stage is the last.
/// </summary>
/// <param name="addPrefixSpace">A piece that does not begin with a blank is given one; it aligns with the first character.</param>
/// <param name="useRegex">Cut into words; otherwise the piece stays whole.</param>
internal sealed class ByteLevelPreTokenizer(bool addPrefixSpace, bool useRegex) : PreTokenizer
{
    private static readonly Normalizers.PrependNormalizer Blank = new(" ");

    public override void Split(Piece piece, List<Piece> output)
    {
        if (addPrefixSpace && piece.Length > 0 && piece.Span[0] != ' ')
        {
            NormalizedText prefixed = Blank.Normalize(piece.Source.Slice(piece.Start, piece.Length));
            piece = new Piece(prefixed, 0, prefixed.Text.Length);
        }

        if (!useRegex)
        {
            Emit(piece, 0, piece.Length, output);
            return;
        }

        ReadOnlySpan<char> text = piece.Span;
        for (int start = 0; start < text.Length;)
        {
            int end = Gpt2Words.End(text, start);
            output.Add(piece.Part(start, end - start));
            start = end;
        }
    }
}
