using System.Text;
using LinearCald.Data.Language;
using LinearCald.Data.Tokenizers;

namespace LinearCald.Data.Tests.Language;

public class SampleCorpusTests
{
    [Fact]
    public void The_sample_has_its_chapters()
    {
        Assert.InRange(SampleCorpus.Train.Sum(text => text.Length), 850_000, 950_000);
        Assert.InRange(SampleCorpus.Validation.Sum(text => text.Length), 80_000, 100_000);
        Assert.All(SampleCorpus.Train.Concat(SampleCorpus.Validation), text => Assert.True(text.Length > 1_000 && text.Trim() == text && !text.Contains("\n\n", StringComparison.Ordinal)));
        Assert.Empty(SampleCorpus.Train.Intersect(SampleCorpus.Validation));
    }

    [SharedFact("weights/pythia-tiny")]
    public void The_tiny_teacher_s_tokenizer_reads_it()
    {
        Tokenizer tokenizer = Tokenizer.Load(TestFiles.InShared("weights/pythia-tiny")!);
        (MemoryTokens tokens, CorpusCounts counts) = MemoryTokens.Tokenize(SampleCorpus.Validation, tokenizer, name: SampleCorpus.Name);
        Assert.Equal((SampleCorpus.Validation.Count, counts.StoredTokens), (counts.Documents, tokens.TokenCount));
        Assert.Equal(SampleCorpus.Validation.Sum(Encoding.UTF8.GetByteCount), counts.Utf8Bytes);
        Assert.InRange((double)counts.Utf8Bytes / counts.Tokens, 2.5, 5);
        int[] first = new int[tokens.DocumentStart(1)];
        tokens.Read(0, first);
        Assert.Equal(tokenizer.Special.Eos, first[^1]);
        Assert.Equal(SampleCorpus.Validation[0], tokenizer.Decode(first[..^1], skipSpecialTokens: false));
        LanguageRows rows = LanguageRows.Create(tokens, new() { SequenceLength = 256, EndOfText = tokenizer.Special.Eos });
        Assert.False(rows.InsertsEndOfText);
        Assert.InRange(rows.Count, 60, 200);
    }
}
