using FsCheck.Fluent;
using LinearCald.Data.Speech;
using LinearCald.Data.Speech.Text;

namespace LinearCald.Data.Tests.Speech;

public class TedLiumTextTests
{
    [Theory]
    [InlineData("it 's fine", "it 's fine")]
    [InlineData("[laughs] R&D + 5% @ home", "laughs r and d plus five percent at home")]
    [InlineData("so <unk> went <unk>", "so [UNK] went [UNK]")]
    [InlineData("caf\u00e9 na\u00efve Stra\u00dfe \u201cquoted\u201d it\u2019s", "cafe naive strasse \"quoted\" it's")]
    [InlineData("$5", "five dollars")]
    [InlineData("$1", "one dollar")]
    [InlineData("$1.00", "one dollar")]
    [InlineData("$2.50 each", "two dollars fifty cents each")]
    [InlineData("$1.01", "one dollar one cent")]
    [InlineData("$0.99", "ninety nine cents")]
    [InlineData("$.05", "five cents")]
    [InlineData("$0.00", "zero dollars")]
    [InlineData("$1,250", "one thousand two hundred fifty dollars")]
    [InlineData("$1,234,567.89.", "one million two hundred thirty four thousand five hundred sixty seven dollars eighty nine cents .")]
    [InlineData("$1.5 million", "one point five million dollars")]
    [InlineData("a $20 billion-dollar", "a twenty billion dollars -dollar")]
    [InlineData("$3.505", "three point five zero five dollars")]
    [InlineData("$1999", "one thousand nine hundred ninety nine dollars")]
    [InlineData("\u00a35.20 or \u20ac1 or \u00a5300", "five pounds twenty pence or one euro or three hundred yen")]
    [InlineData("3.14", "three point one four")]
    [InlineData("1,000.5", "one thousand point five")]
    [InlineData("v 1.2.3", "v one point two point three")]
    [InlineData(".5 of it", "point five of it")]
    [InlineData("1st 2nd 3rd 12th 21st 30th 100th 1,000th", "first second third twelfth twenty first thirtieth one hundredth one thousandth")]
    [InlineData("the 1990s and 60s and '80s", "the nineteen nineties and sixties and ' eighties")]
    [InlineData("1000 1001 1066 1900 1999 2000 2001 2009 2010 2100 2999 3000", "one thousand ten oh one ten sixty six nineteen hundred nineteen ninety nine two thousand two thousand one two thousand nine twenty ten twenty one hundred twenty nine ninety nine three thousand")]
    [InlineData("1,500 people in 1500", "one thousand five hundred people in fifteen hundred")]
    [InlineData("007", "zero zero seven")]
    [InlineData("0", "zero")]
    [InlineData("3d mp3 h1n1", "three d mp three h one n one")]
    [InlineData("12345678901234567890", "one two three four five six seven eight nine zero one two three four five six seven eight nine zero")]
    [InlineData("1,2345", "one , twenty three forty five")]
    [InlineData("", "")]
    public void Text_becomes_what_is_said(string written, string spoken) => Assert.Equal(spoken, TedLiumText.Normalise(written));

    [Fact]
    public void Nothing_is_left_to_normalise() => Prop.ForAll(
        Gen.ListOf(Gen.Elements("$", "1", "9", "0", ",", ".", "st", "s", "a", " ", "'", "%", "-", "million", "\u20ac", "12,500", "<unk>")).Select(string.Concat).ToArbitrary(),
        text =>
        {
            string once = TedLiumText.Normalise(text);
            Assert.DoesNotContain(once, char.IsAsciiDigit);
            Assert.Equal(once, string.Join(' ', once.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
            Assert.Equal(once.Replace("[UNK]", "unk", StringComparison.Ordinal), TedLiumText.Normalise(once).Replace("[UNK]", "unk", StringComparison.Ordinal));
        }).Holds(300);

    [Fact]
    public void Numbers_are_read_back() => Prop.ForAll(
        Gen.Choose(0, int.MaxValue).Zip(Gen.Choose(0, 40)).Select(pair => ((ulong)pair.Item1 << 31) >> pair.Item2).ToArbitrary(), number =>
        {
            Assert.Equal(number, Read(NumberWords.Cardinal(number)));
        }).Holds(300);

    [Theory]
    [InlineData(0ul, "zero", "zeroth")]
    [InlineData(8ul, "eight", "eighth")]
    [InlineData(13ul, "thirteen", "thirteenth")]
    [InlineData(90ul, "ninety", "ninetieth")]
    [InlineData(105ul, "one hundred five", "one hundred fifth")]
    [InlineData(18446744073709551615ul, "eighteen quintillion four hundred forty six quadrillion seven hundred forty four trillion seventy three billion seven hundred nine million five hundred fifty one thousand six hundred fifteen", null)]
    public void Numbers_have_words(ulong number, string cardinal, string? ordinal)
    {
        Assert.Equal(cardinal, NumberWords.Cardinal(number));
        if (ordinal is not null)
        {
            Assert.Equal(ordinal, NumberWords.Ordinal(number));
        }
    }

    [Theory]
    [InlineData(TranscriptRule.AsWritten, " It 's [UNK] - OK ", "It 's [UNK] - OK")]
    [InlineData(TranscriptRule.Tidy, "it 's [UNK] well-known  [UNK]", "it's well known")]
    [InlineData(TranscriptRule.Letters, "\u201cDon\u2019t!\u201d \u2014 'no', she said; rock 'n' roll 'tis 42.", "don't no she said rock n roll 'tis 42")]
    [InlineData(TranscriptRule.Letters, "E\u0301t\u00e9 ' '' \u042f\u0431\u043b\u043e\u043a\u043e", "\u00e9t\u00e9 \u044f\u0431\u043b\u043e\u043a\u043e")]
    public void Rules_of_transcripts(TranscriptRule rule, string written, string expected) => Assert.Equal(expected, TranscriptText.Apply(rule, written));

    /// <summary>The value of a cardinal: scales below 1,000 multiply what stands before them, larger ones close a group.</summary>
    private static ulong Read(string words)
    {
        Dictionary<string, ulong> values = Enumerable.Range(0, 100).Select(n => (ulong)n).Where(n => n < 20 || n % 10 == 0).ToDictionary(NumberWords.Cardinal);
        ulong total = 0, group = 0;
        foreach (string word in words.Split(' '))
        {
            ulong scale = word switch
            {
                "hundred" => 100,
                "thousand" => 1_000,
                "million" => 1_000_000,
                "billion" => 1_000_000_000,
                "trillion" => 1_000_000_000_000,
                "quadrillion" => 1_000_000_000_000_000,
                "quintillion" => 1_000_000_000_000_000_000,
                _ => 0,
            };
            if (scale == 0)
            {
                group += values[word];
            }
            else if (scale == 100)
            {
                group *= 100;
            }
            else
            {
                total += group * scale;
                group = 0;
            }
        }

        return total + group;
    }
}
