using FsCheck;
using FsCheck.Fluent;
using LinearCald.Data.Batching;
using LinearCald.Data.Tasks;

namespace LinearCald.Data.Tests.Batching;

public class TokenizedDatasetTests
{
    private static readonly Gen<int[]> Lengths = Gen.NonEmptyListOf(Gen.Choose(1, 40)).Select(list => list.ToArray());

    [Fact]
    public void Keeps_the_tokens_and_the_labels_in_order() => Prop.ForAll(Lengths.ToArbitrary(), lengths =>
    {
        TokenizedDataset data = SyntheticData.Of(lengths);
        Assert.Equal(lengths, data.Lengths());
        Assert.Equal(lengths.Length, data.Count);
        Assert.Equal(lengths.Sum(), data.TokenCount);
        Assert.Equal(0, data.TruncatedCount);
        for (int i = 0; i < lengths.Length; i++)
        {
            Assert.Equal(Enumerable.Range(i * SyntheticData.IdsPerExample, lengths[i]), data.Ids(i).ToArray());
            Assert.Equal(i % 3, data.Label(i));
        }
    }).Holds();

    [Fact]
    public void Does_not_depend_on_the_number_of_threads()
    {
        int[] lengths = [.. Enumerable.Range(0, 700).Select(i => 1 + (i * 7 % 31))];
        TokenizedDataset one = SyntheticData.Of(lengths, threads: 1), many = SyntheticData.Of(lengths, threads: 7);
        Assert.Equal(one.Lengths(), many.Lengths());
        for (int i = 0; i < lengths.Length; i++)
            Assert.True(one.Ids(i).SequenceEqual(many.Ids(i)));
    }

    [Fact]
    public void Counts_what_was_cut() => Prop.ForAll(Lengths.ToArbitrary(), Gen.Choose(1, 40).ToArbitrary(), (lengths, longest) =>
    {
        TokenizedDataset data = SyntheticData.Of(lengths, longest);
        Assert.Equal(lengths.Count(length => length > longest), data.TruncatedCount);
        Assert.Equal(lengths.Select(length => Math.Min(length, longest)), data.Lengths());
    }).Holds();

    [Fact]
    public void Collate_pads_on_the_right() => Prop.ForAll(Lengths.ToArbitrary(), Gen.Choose(1, 16).ToArbitrary(), (lengths, multiple) =>
    {
        const int Pad = -7;
        TokenizedDataset data = SyntheticData.Of(lengths, maxLength: 30);
        int[] rows = [.. Enumerable.Range(0, lengths.Length).Reverse()];
        TokenBatch batch = data.Collate(rows, Pad, multiple);
        int longest = rows.Max(data.Length);
        Assert.Equal(rows.Length, batch.Count);
        Assert.InRange(batch.Length, longest, Math.Min(30, longest + multiple - 1));
        Assert.True(batch.Length % multiple == 0 || batch.Length == 30);
        Assert.Equal(rows.Length * batch.Length, batch.Ids.Length);
        Assert.Equal(rows.Sum(data.Length), batch.TokenCount);
        for (int row = 0; row < rows.Length; row++)
        {
            ReadOnlySpan<int> ids = batch.Ids.AsSpan(row * batch.Length, batch.Length);
            Assert.Equal(data.Length(rows[row]), batch.Lengths[row]);
            Assert.Equal(data.Label(rows[row]), batch.Labels[row]);
            Assert.True(ids[..batch.Lengths[row]].SequenceEqual(data.Ids(rows[row])));
            Assert.Equal(-1, ids[batch.Lengths[row]..].IndexOfAnyExcept(Pad));
        }
    }).Holds();

    [Fact]
    public void Padding_to_the_longest_length_makes_batches_of_one_length() =>
        Assert.Equal(64, SyntheticData.Of([3, 5], maxLength: 64).Collate([1], padId: 0, padMultiple: 64).Length);

    [Fact]
    public void A_tokenizer_that_breaks_its_limits_is_refused()
    {
        TextExample[] examples = [new("a", null, 0), new("b", null, 0)];
        CaldException none = Assert.Throws<CaldException>(() => TokenizedDataset.Tokenize(examples, Fixed(0), 8));
        CaldException many = Assert.Throws<CaldException>(() => TokenizedDataset.Tokenize(examples, Fixed(9), 8));
        Assert.Contains("example 0: 0 tokens", none.Message, StringComparison.Ordinal);
        Assert.Contains("9 tokens where 1 to 8", many.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_the_tokenizer_throws_comes_out_as_it_is()
    {
        static int[] Refuse(string text, string? pair, int maxLength, out bool truncated) => throw new CaldException("refused");
        CaldException error = Assert.Throws<CaldException>(() => TokenizedDataset.Tokenize([new("a", null, 0)], Refuse, 8));
        Assert.Equal("refused", error.Message);
    }

    private static EncodeText Fixed(int length) => (string _, string? _, int _, out bool truncated) =>
    {
        truncated = false;
        return new int[length];
    };
}
