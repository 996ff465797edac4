using FsCheck;
using FsCheck.Fluent;
using LinearCald.Data.Language;

namespace LinearCald.Data.Tests.Language;

public class LanguageRowsTests
{
    private const int EndOfText = 0;

    private static readonly Gen<int[][]> Documents =
        from documents in Gen.Choose(1, 99).ArrayOf().NonEmptyListOf()
        where documents.Sum(document => document.Length) > 0
        select documents.ToArray();

    [Fact]
    public void Rows_are_the_documents_end_to_end() => Prop.ForAll((
        from documents in Documents
        from length in Gen.Choose(1, 12)
        from rule in Gen.Elements(EndOfTextRule.Insert, EndOfTextRule.AsStored)
        select (documents, length, rule)).ToArbitrary(), c =>
    {
        int[] stream = [.. c.documents.SelectMany(document => c.rule == EndOfTextRule.Insert ? document.Append(EndOfText) : document)];
        int[] owner = [.. c.documents.SelectMany((document, d) => Enumerable.Repeat(d, document.Length + (c.rule == EndOfTextRule.Insert ? 1 : 0)))];
        using MemoryTokens source = new(c.documents);
        LanguageRowOptions options = new()
        {
            SequenceLength = c.length,
            EndOfText = EndOfText,
            EndOfTextRule = c.rule,
            Documents = DocumentMixing.Separate,
            IgnoreAcrossDocuments = true,
        };
        int rows = source.PackedLength == c.length + 1 && c.rule == EndOfTextRule.AsStored ? stream.Length / (c.length + 1) : (stream.Length - 1) / c.length;
        if (rows == 0)
        {
            Assert.Contains("less than one row", Assert.Throws<CaldException>(() => LanguageRows.Create(source, options)).Message, StringComparison.Ordinal);
            return;
        }

        LanguageRows view = LanguageRows.Create(source, options);
        Assert.Equal(rows, view.Count);
        bool packed = c.rule == EndOfTextRule.AsStored && source.PackedLength is not null;
        LanguageBatch batch = view.Collate([.. Enumerable.Range(0, rows)]);
        LanguageBatch mixed = LanguageRows.Create(source, options with { Documents = DocumentMixing.Mixed }).Collate([.. Enumerable.Range(0, rows)]);
        Assert.Null(mixed.Sequences);
        for (int row = 0; row < rows; row++)
        {
            int start = row * (view.StoredAsRows ? c.length + 1 : c.length);
            for (int t = 0; t < c.length; t++)
            {
                int at = row * c.length + t;
                Assert.Equal(stream[start + t], batch.Ids[at]);
                Assert.Equal((stream[start + t], stream[start + t + 1]), (mixed.Ids[at], mixed.Labels[at]));
                bool crosses = !packed && owner[start + t] != owner[start + t + 1];
                Assert.Equal(crosses ? LanguageBatch.IgnoredLabel : stream[start + t + 1], batch.Labels[at]);
                if (!packed)
                    Assert.Equal(owner[start..(start + t + 1)].Distinct().Count() - 1, batch.Sequences![at]);
            }
        }

        Assert.Equal(batch.Labels.Count(label => label != LanguageBatch.IgnoredLabel), batch.TargetCount);
    }).Holds(300);

    [Fact]
    public void Stored_rows_are_taken_as_they_are()
    {
        using MemoryTokens source = new([[1, 2, 0, 3], [4, 5, 6, 7], [8, 0, 0, 9]]);
        LanguageRows rows = LanguageRows.Create(source, new() { SequenceLength = 3, EndOfText = EndOfText, Documents = DocumentMixing.Separate, IgnoreAcrossDocuments = true });
        Assert.True(rows.StoredAsRows && !rows.InsertsEndOfText);
        LanguageBatch batch = rows.Collate([2, 0]);
        Assert.Equal([8, 0, 0, 1, 2, 0], batch.Ids);
        Assert.Equal([0, -100, -100, 2, 0, -100], batch.Labels);
        Assert.Equal([0, 0, 1, 0, 0, 0], batch.Sequences!);
        Assert.Equal((2, 3, 3), (batch.Count, batch.Length, batch.TargetCount));

        // Another length: rows of the stream, with nothing put between what was cut before.
        rows = LanguageRows.Create(source, new() { SequenceLength = 5, EndOfText = EndOfText });
        Assert.Equal((2, false, false), (rows.Count, rows.StoredAsRows, rows.InsertsEndOfText));
        Assert.Equal([1, 2, 0, 3, 4, 5, 6, 7, 8, 0], rows.Collate([0, 1]).Ids);
        Assert.Contains("not known", Assert.Throws<CaldException>(
            () => LanguageRows.Create(source, new() { SequenceLength = 3, Documents = DocumentMixing.Separate })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_end_of_text_is_put_where_it_is_missing()
    {
        using MemoryTokens without = new([[1, 2, 3], [4, 5]]), with = new([[1, 2, 3, 0], [4, 5, 0]]);
        LanguageRowOptions options = new() { SequenceLength = 3, EndOfText = EndOfText };
        LanguageRows inserted = LanguageRows.Create(without, options), stored = LanguageRows.Create(with, options);
        Assert.True(inserted.InsertsEndOfText && !stored.InsertsEndOfText);
        Assert.Equal(stored.Collate([0, 1]).Labels, inserted.Collate([0, 1]).Labels);
        Assert.Contains("name its id", Assert.Throws<CaldException>(() => LanguageRows.Create(without, options with { EndOfText = null })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Budgets_and_slices_take_the_first_rows()
    {
        using MemoryTokens source = new([[.. Enumerable.Range(1, 101)]]);
        LanguageRowOptions options = new() { SequenceLength = 10 };
        Assert.Equal(10, LanguageRows.Create(source, options).Count);
        LanguageRows rows = LanguageRows.Create(source, options with { MaxTokens = 49 });
        Assert.Equal((4, 40), (rows.Count, rows.PositionCount));
        Assert.Equal(1, LanguageRows.Create(source, options with { MaxTokens = 1 }).Count);
        LanguageRows slice = rows.Slice(1, 2).Slice(1, 1);
        Assert.Equal([.. Enumerable.Range(21, 10)], slice.Collate([0]).Ids);
        Assert.Throws<ArgumentOutOfRangeException>(() => rows.Slice(3, 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => slice.Read(1, new int[11]));
        Assert.Throws<CaldException>(() => LanguageRows.Create(source, options with { SequenceLength = 0 }));
        Assert.Throws<CaldException>(() => LanguageRows.Create(source, options with { MaxTokens = 0 }));
        Assert.Throws<CaldException>(() => new MemoryTokens([[], []]));
    }
}
