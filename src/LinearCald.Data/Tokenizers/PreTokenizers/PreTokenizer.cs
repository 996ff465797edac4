namespace LinearCald.Data.Tokenizers.PreTokenizers;

/// <summary>A stretch of a text that later stages cut further or give to the model.</summary>
/// <param name="Source">The text.</param>
/// <param name="Start">First UTF-16 unit.</param>
/// <param name="Length">UTF-16 units; never 0 among the pieces that are passed on.</param>
internal readonly record struct Piece(NormalizedText Source, int Start, int Length)
{
    public ReadOnlySpan<char> Span => Source.Text.AsSpan(Start, Length);

    /// <summary>A part of this piece; <paramref name="start"/> counts from the piece's own start.</summary>
    public Piece Part(int start, int length) => new(Source, Start + start, length);
}

/// <summary>The second stage: cuts a piece into words. Stateless and safe to share among threads.</summary>
internal abstract class PreTokenizer
{
    /// <summary>Appends the parts of <paramref name="piece"/> in order, without empty ones.</summary>
    public abstract void Split(Piece piece, List<Piece> output);

    /// <summary>Appends a part unless it is empty.</summary>
    protected static void Emit(Piece piece, int start, int end, List<Piece> output)
    {
        if (end > start)
        {
            output.Add(piece.Part(start, end - start));
        }
    }
}

/// <summary>Several pre-tokenizers, each cutting what the one before it left.</summary>
/// <param name="parts">In order of application.</param>
internal sealed class PreTokenizerSequence(IReadOnlyList<PreTokenizer> parts) : PreTokenizer
{
    public override void Split(Piece piece, List<Piece> output)
    {
        List<Piece> current = [piece];
        foreach (PreTokenizer part in parts)
        {
            List<Piece> next = new(current.Count);
            foreach (Piece item in current)
            {
                part.Split(item, next);
            }

            current = next;
        }

        output.AddRange(current);
    }
}
