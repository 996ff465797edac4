using System.Text.RegularExpressions;
using FsCheck.Fluent;
using LinearCald.Data.Tokenizers;
using LinearCald.Data.Tokenizers.PreTokenizers;

namespace LinearCald.Data.Tests.Tokenizers;

public partial class PreTokenizerTests
{
    [Fact]
    public void Gpt2WordsAreTheMatchesOfItsRegularExpression() => Prop.ForAll(Texts.BasicPlane, text =>
        Assert.Equal(Gpt2Pattern().Matches(text).Select(match => match.Value), Words(new ByteLevelPreTokenizer(false, true), text))).Holds();

    [Fact]
    public void Gpt2WordsKnowLettersBeyondTheBasicPlane() =>
        Assert.Equal(["a𝐀b", " 😀", "𝟏", "x"], Words(new ByteLevelPreTokenizer(false, true), "a𝐀b 😀𝟏x"));

    [Theory]
    [InlineData(SplitBehavior.Removed, "the|final|countdown")]
    [InlineData(SplitBehavior.Isolated, "the|-|final|-|-|countdown")]
    [InlineData(SplitBehavior.MergedWithPrevious, "the-|final-|-|countdown")]
    [InlineData(SplitBehavior.MergedWithNext, "the|-final|-|-countdown")]
    [InlineData(SplitBehavior.Contiguous, "the|-|final|--|countdown")]
    internal void SplitTreatsDelimitersAsAsked(SplitBehavior behavior, string expected)
    {
        Assert.Equal(expected.Split('|'), Words(new SplitPreTokenizer(new Regex("-"), behavior, invert: false), "the-final--countdown"));
        Assert.Equal(expected.Split('|'), Words(new PunctuationPreTokenizer(behavior), "the-final--countdown"));
        Assert.Equal(expected.Split('|'), Words(new SplitPreTokenizer(new Regex("[a-z]+|(?<=-)(?=-)"), behavior, invert: true), "the-final--countdown").SelectMany(Rejoin));

        // Inverted, the two hyphens in a row are one stretch; cut apart where the straight form does.
        IEnumerable<string> Rejoin(string word) => behavior switch
        {
            SplitBehavior.Isolated when word == "--" => ["-", "-"],
            SplitBehavior.MergedWithPrevious when word == "final--" => ["final-", "-"],
            SplitBehavior.MergedWithNext when word == "--countdown" => ["-", "-countdown"],
            _ => [word],
        };
    }

    [Fact]
    public void ClassesOfCharactersPartWords()
    {
        Assert.Equal(["Hey", "you", "!", "a", "-", "b"], Words(new BertPreTokenizer(), " Hey you! a-b "));
        Assert.Equal(["Hey", "you", "!?", "a_b", "…"], Words(new WhitespacePreTokenizer(true), "Hey you!? a_b\u3000…"));
        Assert.Equal(["Hey", "you!?", "a_b"], Words(new WhitespacePreTokenizer(false), "Hey you!?\n a_b "));
        Assert.Equal(["a", "12", "b", "3"], Words(new DigitsPreTokenizer(false), "a12b3"));
        Assert.Equal(["a", "1", "2", "b", "3"], Words(new DigitsPreTokenizer(true), "a12b3"));
        Assert.Equal(["a", "1", "2", " b"], Words(new PreTokenizerSequence([new DigitsPreTokenizer(true), new ByteLevelPreTokenizer(false, true)]), "a12 b"));
    }

    [Fact]
    public void PiecesOfEveryPreTokenizerLieInOrderWithinTheText()
    {
        PreTokenizer[] all =
        [
            new ByteLevelPreTokenizer(false, true), new BertPreTokenizer(), new WhitespacePreTokenizer(true), new WhitespacePreTokenizer(false), new DigitsPreTokenizer(true),
            new PunctuationPreTokenizer(SplitBehavior.Contiguous), new SplitPreTokenizer(new Regex(@"\s+|."), SplitBehavior.MergedWithNext, false),
        ];
        Prop.ForAll(Texts.Any, text =>
        {
            foreach (PreTokenizer one in all)
            {
                int done = 0;
                foreach (Piece piece in Pieces(one, text))
                {
                    Assert.True(piece.Length > 0 && piece.Start >= done && piece.Start + piece.Length <= text.Length);
                    Assert.False(char.IsLowSurrogate(piece.Span[0]) || char.IsHighSurrogate(piece.Span[^1]));
                    done = piece.Start + piece.Length;
                }
            }
        }).Holds();
    }

    private static IEnumerable<string> Words(PreTokenizer one, string text) => Pieces(one, text).Select(piece => piece.Span.ToString());

    private static List<Piece> Pieces(PreTokenizer one, string text)
    {
        List<Piece> output = [];
        one.Split(new Piece(new NormalizedText(text), 0, text.Length), output);
        return output;
    }

    [GeneratedRegex(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")]
    private static partial Regex Gpt2Pattern();
}
