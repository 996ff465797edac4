using LinearCald.Data.Tokenizers;

namespace LinearCald.Data.Tests.Tokenizers;

/// <summary>Every text and pair that an independent implementation encoded.</summary>
public class TokenizerFixtureTests
{
    [SharedFact("tokenizers/roberta-base")]
    public void RobertaFromTokenizerJson() => Check("roberta-base", "tokenizer.json");

    [SharedFact("tokenizers/roberta-base")]
    public void RobertaFromVocabularyAndMerges() => Check("roberta-base", "vocab.json");

    [SharedFact("tokenizers/gpt-neox-20b")]
    public void PythiaFromTokenizerJson() => Check("gpt-neox-20b", "tokenizer.json");

    [SharedFact("tokenizers/bert-base")]
    public void BertFromTokenizerJson() => Check("bert-base", "tokenizer.json");

    [SharedFact("tokenizers/bert-base")]
    public void BertFromVocabulary() => Check("bert-base", "vocab.txt");

    [Fact]
    public void MismatchesAreCountedAndShown()
    {
        string folder = Directory.CreateTempSubdirectory().FullName;
        File.WriteAllText(Path.Combine(folder, "fixtures.jsonl"), """
            {"text":"Hello world!","ids":[44,986,83,2087,5],"tokens":["H","ell","o","Ġworld","!"],"decoded":"Hello world!"}
            {"text":"Hello","ids":[44,986,84],"offsets":[[0,1],[1,4],[4,5]]}
            """);
        TokenizerFixtureResult result = TokenizerFixture.Verify(folder, Tokenizer.Load(TestFiles.InCheckout("weights/roberta-tiny")));
        Assert.Equal((2, 0, 1, false), (result.Texts, result.Pairs, result.Failures, result.Pass));
        TokenizerMismatch mismatch = Assert.Single(result.Mismatches);
        Assert.Equal(("fixtures.jsonl", 2, "ids"), (mismatch.File, mismatch.Line, mismatch.Field));
        Assert.Contains("84", mismatch.Expected, StringComparison.Ordinal);
        Assert.Contains("83", mismatch.Found, StringComparison.Ordinal);
    }

    private static void Check(string name, string file)
    {
        string folder = TestFiles.InShared($"tokenizers/{name}")!;
        TokenizerFixtureResult result = TokenizerFixture.Verify(folder, Tokenizer.Load(Path.Combine(folder, file)));
        Assert.True(result.Pass, string.Join('\n', result.Mismatches));
        Assert.Equal((1356, 200), (result.Texts, result.Pairs));
    }
}
