using System.Text;
using FsCheck;
using FsCheck.Fluent;

namespace LinearCald.Data.Tests.Tokenizers;

/// <summary>Random texts of valid Unicode: words, blanks, punctuation, accents, marks, ideographs, Hangul, emoji, controls, anything assigned or not.</summary>
internal static class Texts
{
    private static readonly string[] Snippets =
    [
        " ", " ", " ", "  ", "\n", "\t", "\r\n", "the", " of", "'s", "'ll", "''", "don't", "1", "42", "²", "é", "e\u0301", "ﬁ", "İ", "ß", "中", "文", "한", "\u1112\u1161\u11AB", "👨‍👩‍👧",
        "😀", "𝐀", "\u0000", "\u007F", "\uFEFF", "\u200B", "\u00A0", "\u3000", "<s>", "</s>", "<pad>", "[CLS]", "Ġ", "##", "_", "--", "...", "AbC", "naïve",
    ];

    /// <summary>Any scalar value of Unicode.</summary>
    private static readonly Gen<string> AnyScalar =
        Gen.OneOf(Gen.Choose(0, 0x2FF), Gen.Choose(0, 0xD7FF), Gen.Choose(0xE000, 0x10FFFF)).Select(code => new Rune(code).ToString());

    /// <summary>Texts with characters of every plane.</summary>
    public static Arbitrary<string> Any { get; } =
        Gen.OneOf(Gen.Elements(Snippets), Gen.Elements(Snippets), AnyScalar).ArrayOf().Select(string.Concat).ToArbitrary();

    /// <summary>Texts of the basic plane only.</summary>
    public static Arbitrary<string> BasicPlane { get; } =
        Any.Generator.Select(text => string.Concat(text.EnumerateRunes().Where(rune => rune.IsBmp))).ToArbitrary();

    /// <summary>Two texts.</summary>
    public static Arbitrary<(string First, string Second)> Two { get; } =
        Any.Generator.SelectMany(first => Any.Generator.Select(second => (first, second))).ToArbitrary();
}
