using FsCheck;
using FsCheck.Fluent;
using LinearCald.Data.Tokenizers.Models;

namespace LinearCald.Data.Tests.Tokenizers;

public class PairMergerTests
{
    /// <summary>Both ways of merging equal the plain one, over random merges of a small alphabet (where ties and cascades are common).</summary>
    [Fact]
    public void MergesLikeTheReference()
    {
        Gen<int[]> merges = Gen.Choose(0, 1 << 20).ArrayOf(24);
        Gen<int[]> word = Gen.Choose(0, 3).ArrayOf();
        Gen<int[]> longWord = Gen.Choose(0, 3).ArrayOf(80);
        Prop.ForAll(merges.SelectMany(m => Gen.OneOf(word, longWord).Select(w => (m, w))).ToArbitrary(), sample =>
        {
            MergeTable table = RandomTable(sample.m);
            int[] ids = [.. sample.w];
            int[] firsts = new int[ids.Length];
            int count = PairMerger.Merge(table, ids, firsts);
            Assert.Equal(PairMergerReference.Merge(table, sample.w), ids[..count]);
            Assert.True(count == 0 || firsts[0] == 0);
            Assert.Equal(firsts[..count].Order().Distinct(), firsts[..count]);
        }).Holds();
    }

    /// <summary>Each number picks the two tokens that join next, of those made so far; tokens are written in the letters a to d.</summary>
    private static MergeTable RandomTable(int[] picks)
    {
        List<string> tokens = ["a", "b", "c", "d"];
        List<(string, string)> merges = [];
        foreach (int pick in picks)
        {
            string left = tokens[pick % tokens.Count], right = tokens[pick / 1024 % tokens.Count];
            if ((left + right).Length <= 12 && !tokens.Contains(left + right))
            {
                tokens.Add(left + right);
                merges.Add((left, right));
            }
        }

        Vocabulary vocabulary = new([.. tokens.Select((token, id) => new KeyValuePair<string, int>(token, id))], "test");
        return new MergeTable(merges, vocabulary, "test");
    }
}
