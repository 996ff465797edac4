using LinearCald.Data.Tokenizers.Unicode;

namespace LinearCald.Data.Tokenizers.PreTokenizers;

/// <summary>BERT's words: white space separates and goes, every punctuation character stands alone.</summary>
internal sealed class BertPreTokenizer : PreTokenizer
{
    public override void Split(Piece piece, List<Piece> output)
    {
        ReadOnlySpan<char> text = piece.Span;
        int word = 0;
        for (int i = 0, units; i < text.Length; i += units)
        {
            CharClass kind = CharClasses.Of(CharClasses.CodePointAt(text, i, out units));
            if ((kind & (CharClass.WhiteSpace | CharClass.Punctuation)) == 0)
            {
                continue;
            }

            Emit(piece, word, i, output);
            if ((kind & CharClass.WhiteSpace) == 0)
            {
                Emit(piece, i, i + units, output);
            }

            word = i + units;
        }

        Emit(piece, word, text.Length, output);
    }
}

/// <summary>White space separates and goes; where <paramref name="splitSymbols"/>, runs of word characters and runs of others are also parted (<c>\w+|[^\w\s]+</c>).</summary>
/// <param name="splitSymbols">True for HuggingFace's <c>Whitespace</c>, false for its <c>WhitespaceSplit</c>.</param>
internal sealed class WhitespacePreTokenizer(bool splitSymbols) : PreTokenizer
{
    public override void Split(Piece piece, List<Piece> output)
    {
        ReadOnlySpan<char> text = piece.Span;
        CharClass mask = splitSymbols ? CharClass.WhiteSpace | CharClass.Word : CharClass.WhiteSpace;
        CharClass previous = CharClass.WhiteSpace;
        int word = 0;
        for (int i = 0, units; i < text.Length; i += units)
        {
            CharClass kind = CharClasses.Of(CharClasses.CodePointAt(text, i, out units)) & mask;
            if (kind != previous)
            {
                EndRun(piece, word, i, previous, output);
                word = i;
                previous = kind;
            }
        }

        EndRun(piece, word, text.Length, previous, output);
    }

    private static void EndRun(Piece piece, int start, int end, CharClass kind, List<Piece> output)
    {
        if ((kind & CharClass.WhiteSpace) == 0)
        {
            Emit(piece, start, end, output);
        }
    }
}

/// <summary>Parts numbers from everything else.</summary>
/// <param name="individually">Each digit is a piece; otherwise each run of digits.</param>
internal sealed class DigitsPreTokenizer(bool individually) : PreTokenizer
{
    public override void Split(Piece piece, List<Piece> output)
    {
        ReadOnlySpan<char> text = piece.Span;
        bool inNumber = false;
        int start = 0;
        for (int i = 0, units; i < text.Length; i += units)
        {
            bool number = (CharClasses.Of(CharClasses.CodePointAt(text, i, out units)) & CharClass.Number) != 0;
            if (number != inNumber || (number && individually))
            {
                Emit(piece, start, i, output);
                start = i;
                inNumber = number;
            }
        }

        Emit(piece, start, text.Length, output);
    }
}
