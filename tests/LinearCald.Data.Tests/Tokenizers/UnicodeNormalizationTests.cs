using System.Globalization;
using System.Text;
using FsCheck.Fluent;
using LinearCald.Data.Tokenizers;
using LinearCald.Data.Tokenizers.Normalizers;
using LinearCald.Data.Tokenizers.Unicode;

namespace LinearCald.Data.Tests.Tokenizers;

public class UnicodeNormalizationTests
{
    [Fact]
    public void EveryGoldenTextComesOutAsTheUnicodeDatabaseHasIt()
    {
        string[] lines = File.ReadAllLines(TestFiles.InCheckout("tests/LinearCald.Data.Tests/Tokenizers/normalization.golden.tsv"));
        Assert.Equal(700, lines.Length);
        foreach (string line in lines)
        {
            string[] fields = [.. line.Split('\t').Select(FromHex)];
            foreach ((UnicodeForm form, int column) in ((UnicodeForm, int)[])[(UnicodeForm.Nfc, 1), (UnicodeForm.Nfd, 2), (UnicodeForm.Nfkc, 3), (UnicodeForm.Nfkd, 4)])
            {
                Assert.Equal((form, Hex(fields[column])), (form, Hex(UnicodeNormalization.Normalize(fields[0], form))));
            }

            Assert.Equal(Hex(fields[5]), Hex(new LowercaseNormalizer().Normalize(new NormalizedText(fields[0])).Text));
        }
    }

    [Fact]
    public void NormalisingTwiceChangesNothingMore() => Prop.ForAll(Texts.Any, text =>
    {
        foreach (UnicodeForm form in Enum.GetValues<UnicodeForm>())
        {
            string once = UnicodeNormalization.Normalize(text, form);
            Assert.Equal(once, UnicodeNormalization.Normalize(once, form));
        }

        Assert.Equal(UnicodeNormalization.Normalize(text, UnicodeForm.Nfc), UnicodeNormalization.Normalize(UnicodeNormalization.Normalize(text, UnicodeForm.Nfd), UnicodeForm.Nfc));
    }).Holds();

    [Fact]
    public void DecomposedCharactersPointToTheirOrigin()
    {
        NormalizedText result = UnicodeNormalization.Normalize(new NormalizedText("aé한"), UnicodeForm.Nfd);
        Assert.Equal("ae\u0301\u1112\u1161\u11AB", result.Text);
        Assert.Equal([0, 1, 1, 2, 2, 2], Enumerable.Range(0, 6).Select(result.OriginalStart));
        Assert.Equal([1, 2, 2, 3, 3, 3], Enumerable.Range(0, 6).Select(result.OriginalEnd));
    }

    [Fact]
    public void AlignmentSurvivesEveryNormalizer()
    {
        Normalizer[] normalizers =
        [
            new BertNormalizer(true, true, null, true), new UnicodeFormNormalizer(UnicodeForm.Nfkc), new MarkStripper(CharClass.Mark), new LowercaseNormalizer(),
            new PrependNormalizer("▁"), new StripNormalizer(true, true), new ReplaceNormalizer(new System.Text.RegularExpressions.Regex(" +"), "_"),
        ];
        Prop.ForAll(Texts.Any, text =>
        {
            foreach (Normalizer normalizer in normalizers)
            {
                NormalizedText result = normalizer.Normalize(new NormalizedText(text));
                for (int i = 0; i < result.Text.Length; i++)
                {
                    Assert.InRange(result.OriginalStart(i), 0, text.Length - 1);
                    Assert.InRange(result.OriginalEnd(i), result.OriginalStart(i) + 1, text.Length);
                }
            }
        }).Holds();
    }

    [Theory]
    [InlineData("Café CAFE\u0301", "cafe cafe")]
    [InlineData("a\u0000b\uFFFDc\u200Dd", "abcd")]
    [InlineData("a\tb\u00A0c\r\n", "a b c  ")]
    [InlineData("x中文y", "x 中  文 y")]
    [InlineData("İΣ", "iσ")]
    public void BertCleansUp(string text, string expected) =>
        Assert.Equal(expected, new BertNormalizer(true, true, null, true).Normalize(new NormalizedText(text)).Text);

    private static string FromHex(string field) =>
        string.Concat(field.Split(' ').Select(code => new Rune(int.Parse(code, NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToString()));

    private static string Hex(string text) => string.Join(' ', text.EnumerateRunes().Select(rune => rune.Value.ToString("X", CultureInfo.InvariantCulture)));
}
