using System.Text;
using FsCheck;
using FsCheck.Fluent;
using LinearCald.Data.Tokenizers;

namespace LinearCald.Data.Tests.Tokenizers;

/// <summary>Text that comes token by token or piece by piece is the text that comes at once.</summary>
public sealed class TextStreamTests
{
    private static readonly Tokenizer Tokenizer = Tokenizer.Load(TestFiles.InCheckout("weights/roberta-tiny"));

    [Fact]
    public void Streamed_text_adds_up_to_the_decoded_text()
    {
        // Any ids: also bytes that are no UTF-8, and special tokens.
        Gen<int> token = Gen.OneOf(Gen.Choose(0, Tokenizer.VocabularySize - 1), Gen.Choose(4, 260));
        Prop.ForAll(token.ListOf().ToArbitrary(), Gen.Elements(true, false).ToArbitrary(), (tokens, skip) =>
        {
            TokenTextStream stream = new(Tokenizer, skip);
            string text = string.Concat(tokens.Select(stream.Append)) + stream.Flush();
            Assert.Equal(Tokenizer.Decode(tokens, skip), text);
        }).Holds();
    }

    [Fact]
    public void A_character_comes_with_its_last_byte()
    {
        int[] ids = Tokenizer.Encode("né 🙂 本", addSpecialTokens: false).Ids;
        TokenTextStream stream = new(Tokenizer);
        string[] pieces = [.. ids.Select(stream.Append)];
        Assert.Equal("né 🙂 本", string.Concat(pieces));
        Assert.All(pieces, piece => Assert.True(piece.EnumerateRunes().All(rune => rune != Rune.ReplacementChar)));
        Assert.Contains("", pieces);
        Assert.Equal("", stream.Flush());

        stream.Append(ids[Array.IndexOf(pieces, "")]);
        Assert.Equal("\uFFFD", stream.Flush().TrimStart());
    }

    [Fact]
    public void Stop_strings_are_found_wherever_the_pieces_end()
    {
        Gen<string> words = Gen.Elements('a', 'b', 'c').ListOf().Select(list => new string([.. list]));
        Gen<string> stop = Gen.Elements("ab", "abc", "bca", "cc", "aab", "b", "cabca");
        Arbitrary<(string Text, string[] Stops, int Seed)> cases =
            (from text in words
             from stops in stop.ArrayOf()
             from seed in Gen.Choose(0, 1000)
             select (text, stops[..Math.Min(3, stops.Length)], seed)).ToArbitrary();
        Prop.ForAll(cases, c =>
        {
            StopStrings filter = new(c.Stops);
            StringBuilder given = new();
            Random random = new(c.Seed);
            for (int from = 0; from < c.Text.Length;)
            {
                int length = Math.Min(random.Next(1, 5), c.Text.Length - from);
                given.Append(filter.Append(c.Text.Substring(from, length)));
                from += length;
            }

            given.Append(filter.Flush());

            // The string that is complete first; of those the one that begins first.
            (int At, string Stop)[] matches = [.. c.Stops.Select(s => (c.Text.IndexOf(s, StringComparison.Ordinal), s)).Where(m => m.Item1 >= 0).OrderBy(m => m.Item1 + m.s.Length).ThenBy(m => m.Item1)];
            Assert.Equal(matches.Length == 0 ? c.Text : c.Text[..matches[0].At], given.ToString());
            Assert.Equal(matches.Length == 0 ? null : matches[0].Stop, filter.Found);
        }).Holds();
    }

    [Fact]
    public void Only_what_may_become_a_stop_string_is_held_back()
    {
        StopStrings filter = new(["\n\n", "END"]);
        Assert.Equal("one", filter.Append("one\n"));
        Assert.Equal("\ntwo ", filter.Append("two E"));
        Assert.Equal("Ex", filter.Append("x"));
        Assert.Equal("y", filter.Append("yEND of it"));
        Assert.Equal("END", filter.Found);
        Assert.Equal("", filter.Append("more") + filter.Flush());
        Assert.Throws<CaldException>(() => new StopStrings(["a", ""]));
    }
}
