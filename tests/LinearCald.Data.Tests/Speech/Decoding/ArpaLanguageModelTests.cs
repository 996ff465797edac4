using System.IO.Compression;
using System.Text;
using LinearCald.Data.Speech.Decoding;

namespace LinearCald.Data.Tests.Speech.Decoding;

public sealed class ArpaLanguageModelTests
{
    private const string Good = """
        made by hand
        \data\
        ngram 1=5
        ngram 2=3
        ngram 3=1

        \1-grams:
        -1.5	<unk>
        -99	<s>	-0.2
        -0.6	</s>
        -1.1	cat	-0.3
        -0.4	the	-0.1

        \2-grams:
        -0.1	<s> the	-0.05
        -0.5	the cat	-0.25
        -0.2	cat </s>

        \3-grams:
        -0.02	<s> the cat

        \end\
        """;

    [Theory]
    [InlineData("the cat", -0.1 + -0.02 + (-0.25 + -0.2))] // (the cat) backs off to (cat </s>)
    [InlineData("cat", (-0.2 + -1.1) + -0.2)]
    [InlineData("The CAT", -0.1 + -0.02 + (-0.25 + -0.2))]
    [InlineData("the", -0.1 + (-0.05 + -0.1 + -0.6))]
    [InlineData("cat the cat", (-0.2 + -1.1) + (-0.3 + -0.4) + -0.5 + (-0.25 + -0.2))]
    [InlineData("dog", (-0.2 + -1.5) + -0.6)]
    [InlineData("", -0.2 + -0.6)]
    public void LongestNgramsCountAndOthersBackOff(string sentence, double log10)
    {
        ArpaLanguageModel model = Load(Good);
        Assert.Equal(3, model.Order);
        Assert.Equal(5, model.Count);
        Assert.Equal(log10 * Math.Log(10), model.LogProbability(sentence), 1e-5);
    }

    [Fact]
    public void WithoutAnUnknownWordOthersCostMuch()
    {
        ArpaLanguageModel model = Load("\\data\\\nngram 1=1\n\\1-grams:\n-0.5 a\n\\end\\\n");
        Assert.Equal(-10.5 * Math.Log(10), model.LogProbability("b a"), 1e-4);
    }

    [Fact]
    public void GzipIsReadToo()
    {
        using TemporaryFolder folder = new();
        using MemoryStream packed = new();
        using (GZipStream gzip = new(packed, CompressionMode.Compress, leaveOpen: true))
        {
            gzip.Write(Encoding.UTF8.GetBytes(Good));
        }

        Assert.Equal(3, ArpaLanguageModel.Load(folder.Write("good.arpa.gz", packed.ToArray())).Order);
    }

    [Theory]
    [InlineData("made by hand\n\\data\\", "made by hand", @"it has no line \data\")]
    [InlineData("\\end\\", "", @"ends without \end\")]
    [InlineData("-0.5\tthe cat\t-0.25\n", "", "2 2-grams were listed, but 3 announced")]
    [InlineData("-0.5\tthe cat", "-0.5\tthe dog", "the word 'dog' is not among the 1-grams")]
    [InlineData("-0.5\tthe cat\t-0.25", "-0.5\tthe", "2 fields in")]
    [InlineData("-0.5\tthe cat", "-0.5\tthe cat is there", "6 fields in")]
    [InlineData("-0.5\tthe cat", "much\tthe cat", "'much' is no number")]
    [InlineData("-0.5\tthe cat", "NaN\tthe cat", "'NaN' is no number")]
    [InlineData("-0.5\tthe cat", "0.5\tthe cat", "it cannot be above 0")]
    [InlineData("-0.5\tthe cat", "-0.1\t<s> the", "'<s> the' is listed twice")]
    [InlineData("\\2-grams:", "\\3-grams:", @"stands where \2-grams: should begin")]
    [InlineData("\\3-grams:", "\\end\\", @"\end\ comes before the section of 3-grams")]
    [InlineData("ngram 2=3", "ngram 5=3", "should read 'ngram 2=COUNT'")]
    [InlineData("ngram 2=3", "ngram 2=-3", "should read 'ngram 2=COUNT'")]
    [InlineData("ngram 2=3", "ngram 2=99999999999", "of a kind are read")]
    [InlineData("ngram 1=5\nngram 2=3\nngram 3=1\n", "", "announces no n-grams")]
    [InlineData("ngram 3=1\n", "", @"a section of 3-grams that \data\ does not announce")]
    public void WhatIsWrongIsSaidOnceWithItsLine(string old, string changed, string message)
    {
        string text = Good.ReplaceLineEndings("\n");
        Assert.Contains(old, text, StringComparison.Ordinal);
        string said = Assert.Throws<CaldException>(() => Load(text.Replace(old, changed, StringComparison.Ordinal))).Message;
        Assert.Contains(message, said, StringComparison.Ordinal);
        Assert.Contains("model.arpa", said, StringComparison.Ordinal);
    }

    [Fact]
    public void NoMutationOfAFileBringsAnotherKindOfError()
    {
        byte[] good = Encoding.UTF8.GetBytes(Good);
        Random random = new(5);
        using TemporaryFolder folder = new();
        for (int i = 0; i < 2000; i++)
        {
            byte[] bytes = [.. good];
            for (int change = random.Next(1, 4); change > 0; change--)
            {
                bytes[random.Next(bytes.Length)] = random.Next(3) == 0 ? (byte)random.Next(256) : good[random.Next(good.Length)];
            }

            try
            {
                ArpaLanguageModel.Load(folder.Write("model.arpa", bytes.AsSpan(0, random.Next(bytes.Length / 2, bytes.Length + 1)).ToArray())).LogProbability("the cat dog");
            }
            catch (CaldException)
            {
                // one clear error is right
            }
        }
    }

    private static ArpaLanguageModel Load(string text)
    {
        using TemporaryFolder folder = new();
        return ArpaLanguageModel.Load(folder.Write("model.arpa", Encoding.UTF8.GetBytes(text)));
    }
}
