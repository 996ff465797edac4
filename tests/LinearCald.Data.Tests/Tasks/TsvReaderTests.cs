using FsCheck;
using FsCheck.Fluent;
using LinearCald.Data.Tasks;

namespace LinearCald.Data.Tests.Tasks;

public class TsvReaderTests
{
    private static readonly Gen<string> Text = Gen
        .Elements("a", "b\rc", "\"quoted", "ü", "日本", "𝄞", " lead", "x\u2028y", "\u0085", "", "1")
        .NonEmptyListOf()
        .Select(parts => string.Concat(parts));

    [Fact]
    public void Texts_come_back_as_they_were_written() => Prop.ForAll(
        Gen.Zip(Text, Gen.Zip(Text, Gen.Elements("yes", "no"))).NonEmptyListOf().ToArbitrary(), Gen.Elements("\n", "\r\n").ToArbitrary(), (drawn, end) =>
    {
        (string Text, string Pair, string Label)[] rows = [("t", "p", "yes"), ("t", "p", "no"), .. drawn.Select(r => (r.Item1, r.Item2.Item1, r.Item2.Item2))];
        using TaskFolder folder = new();
        byte[] file = System.Text.Encoding.UTF8.GetBytes(string.Join(end, rows.Select(r => $"{r.Text}\t{r.Pair}\t{r.Label}")));
        TextTask task = folder.WithBytes("train.tsv", file).With("valid.tsv", "t\tp\tno").Load(TaskFormat.Tsv);
        Assert.Equal(["no", "yes"], task.Labels);
        Assert.True(task.IsPair);
        Assert.Null(task.Test);
        Assert.Equal(rows.Select(r => new TextExample(r.Text, r.Pair, r.Label == "yes" ? 1 : 0)), task.Train);
    }).Holds(40);

    [Fact]
    public void One_text_three_parts_a_byte_order_mark_and_gzip()
    {
        using TaskFolder folder = new();
        TextTask task = folder.With("train.tsv", "\uFEFFone\tb", "two\ta", "", "three\tb")
            .WithGzip("dev.tsv.gz", "four\ta")
            .With("test.tsv", "five\tb")
            .Load(TaskFormat.Tsv);
        Assert.Equal(["a", "b"], task.Labels);
        Assert.False(task.IsPair);
        Assert.Equal([new("one", null, 1), new("two", null, 0), new("three", null, 1)], task.Train);
        Assert.Equal([new("four", null, 0)], task.Validation);
        Assert.Equal([new("five", null, 1)], task.Test!);
        Assert.Equal(Path.GetFileName(folder.Path), task.Name);
        Assert.Empty(task.Warnings);
    }

    [Fact]
    public void Integer_classes_are_ordered_by_value_and_names_by_code()
    {
        using TaskFolder numbers = new(), names = new();
        Assert.Equal(["-1", "2", "10"], numbers.With("train.tsv", "x\t10", "x\t2", "x\t-1", "y\t10").With("valid.tsv", "x\t2").Load(TaskFormat.Tsv).Labels);
        Assert.Equal(["B", "a", "ä"], names.With("train.tsv", "x\tä", "x\ta", "x\tB", "y\tä").With("valid.tsv", "x\ta").Load(TaskFormat.Tsv).Labels);
    }

    [Fact]
    public void Columns_files_classes_and_limits_are_chosen()
    {
        using TaskFolder folder = new();
        TextTask task = folder.With("t.tsv", "7\tno\tq1\ts1", "8\tyes\tq2\ts2", "9\tno\tq3\ts3")
            .With("v.tsv", "1\tyes\tq4\ts4", "2\tno\tq5\ts5")
            .Load(TaskFormat.Tsv, o => o with
            {
                TrainFile = "t.tsv",
                ValidationFile = "v.tsv",
                TestFile = "t.tsv",
                TextColumns = ["3", "2"],
                LabelColumn = "1",
                Labels = ["yes", "no", "perhaps"],
                MaxTrainRows = 2,
                MaxEvalRows = 1,
            });
        Assert.Equal([new("s1", "q1", 1), new("s2", "q2", 0)], task.Train);
        Assert.Equal([new("s4", "q4", 0)], task.Validation);
        Assert.Equal([new("s1", "q1", 1)], task.Test!);
        Assert.Contains("no training row of the class perhaps", Assert.Single(task.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Held_out_rows_are_drawn_off_the_training_part()
    {
        using TaskFolder folder = new();
        folder.With("train.tsv", [.. Enumerable.Range(0, 100).Select(i => $"text {i}\t{i % 2}")]);
        TextTask task = folder.Load(TaskFormat.Tsv, o => o with { HeldOutRows = 30 });
        TextTask again = folder.Load(TaskFormat.Tsv, o => o with { HeldOutRows = 30, MaxTrainRows = 10 });
        Assert.Equal(70, task.Train.Count);
        Assert.Equal(30, task.Validation.Count);
        Assert.Equal(100, task.Train.Concat(task.Validation).Select(e => e.Text).Distinct().Count());
        Assert.Equal(task.Validation, again.Validation);
        Assert.Equal(task.Train.Take(10), again.Train);
        Assert.NotEqual(Enumerable.Range(0, 30).Select(i => $"text {i}"), task.Validation.Select(e => e.Text));
        folder.Refuses(TaskFormat.Tsv, o => o with { HeldOutRows = 100 }, "train.tsv", "100 rows are to be held out", "hold out fewer");
    }

    [Fact]
    public void A_header_and_empty_texts_are_pointed_out()
    {
        using TaskFolder folder = new();
        TextTask task = folder.With("train.tsv", "sentence\tlabel", "x\t0", "\t1", "z\t0").With("valid.tsv", "x\t0").Load(TaskFormat.Tsv);
        Assert.Contains(task.Warnings, w => w.Contains("train.tsv:1: no other row has the label \"label\"", StringComparison.Ordinal));
        Assert.Contains(task.Warnings, w => w.Contains("1 of 4 rows have an empty text", StringComparison.Ordinal));
    }

    [Fact]
    public void A_label_outside_the_classes_is_refused()
    {
        using TaskFolder folder = new();
        folder.With("train.tsv", "x\tcat", "y\tdog").With("valid.tsv", "x\tcat", "y\tDog");
        folder.Refuses(TaskFormat.Tsv, null, "valid.tsv:2", "\"Dog\"", "\"cat\", \"dog\"", "task.labels");
        folder.Refuses(TaskFormat.Tsv, o => o with { Labels = ["cat", "cow"] }, "train.tsv:2", "\"dog\"", "\"cat\", \"cow\"");
    }

    [Fact]
    public void Wrong_columns_are_refused()
    {
        using TaskFolder one = new(), four = new(), ragged = new();
        one.With("train.tsv", "only a text").With("valid.tsv", "").Refuses(TaskFormat.Tsv, null, "train.tsv:1: 1 column;", "text and label");
        four.With("train.tsv", "a\tb\tc\td").With("valid.tsv", "").Refuses(TaskFormat.Tsv, null, "train.tsv:1: 4 columns", "task.text_columns");
        four.Refuses(TaskFormat.Tsv, o => o with { TextColumns = ["4"] }, "task.text_columns 4", "0 to 3");
        four.Refuses(TaskFormat.Tsv, o => o with { TextColumns = ["1", "3"] }, "column 3 twice");
        ragged.With("train.tsv", "a\t0", "b\t1", "c\td\t1").With("valid.tsv", "a\t0");
        ragged.Refuses(TaskFormat.Tsv, null, "train.tsv:3: 3 columns where 2 were expected");
    }

    [Fact]
    public void Labels_that_are_no_classes_are_refused()
    {
        using TaskFolder scores = new(), one = new(), many = new(), empty = new();
        empty.With("train.tsv", "a\t1", "b\t0", "c\t ").With("valid.tsv", "a\t1").Refuses(TaskFormat.Tsv, null, "train.tsv:3: the label is empty", "task.label_column");
        scores.With("train.tsv", "a\t0.5", "b\t1", "c\t2.25").With("valid.tsv", "a\t1").Refuses(TaskFormat.Tsv, null, "regression is not supported");
        one.With("train.tsv", "a\t1", "b\t1").With("valid.tsv", "a\t1").Refuses(TaskFormat.Tsv, null, "every label is \"1\"");
        many.With("train.tsv", [.. Enumerable.Range(0, 1001).Select(i => $"a\tl{i}")]).With("valid.tsv", "a\tl1");
        many.Refuses(TaskFormat.Tsv, null, "1001 different labels", "task.label_column");
    }

    [Fact]
    public void Missing_and_empty_parts_are_refused()
    {
        using TaskFolder folder = new(), empty = new();
        folder.Refuses(TaskFormat.Tsv, null, "no train part", "train.tsv", "the folder is empty", "task.train_file");
        folder.With("train.tsv", "a\t0", "b\t1")
            .Refuses(TaskFormat.Tsv, null, "no validation part", "valid.tsv or validation.tsv or dev.tsv", "it holds train.tsv");
        folder.With("valid.tsv", "a\t0")
            .Refuses(TaskFormat.Tsv, o => o with { TestFile = "final.tsv" }, "final.tsv does not exist", "task.test_file");
        empty.With("train.tsv").With("valid.tsv", "a\t0").Refuses(TaskFormat.Tsv, null, "train.tsv has no examples");
        folder.Refuses(TaskFormat.Tsv, o => o with { Folder = null }, "no folder was given", "--data");
        folder.Refuses(TaskFormat.Tsv, o => o with { Folder = Path.Combine(folder.Path, "no") }, "does not exist");
        folder.Refuses(TaskFormat.Tsv, o => o with { Folder = Path.Combine(folder.Path, "train.tsv") }, "is a file");
    }

    [Fact]
    public void Bytes_that_are_not_utf8_are_refused()
    {
        using TaskFolder folder = new();
        folder.WithBytes("train.tsv", [.. "a\t0\nb"u8, 0xFF, .. "\t1\n"u8]).With("valid.tsv", "a\t0");
        folder.Refuses(TaskFormat.Tsv, null, "train.tsv:2", "not valid UTF-8", "0xFF at position 1");
    }

    [Fact]
    public void Compressed_files_that_are_not_read_are_named()
    {
        using TaskFolder byName = new(), byContent = new(), damaged = new();
        byName.WithBytes("train.tsv.xz", [1]).Refuses(TaskFormat.Tsv, null, "train.tsv.xz", "xz -dk");
        byContent.WithBytes("train.tsv", [0xFD, .. "7zXZ\0..."u8])
            .With("valid.tsv", "a\t0")
            .Refuses(TaskFormat.Tsv, null, "compressed with xz", "unpack it first");
        damaged.WithBytes("train.tsv.gz", [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 0xFF, 0xFF, 0xFF])
            .With("valid.tsv", "a\t0")
            .Refuses(TaskFormat.Tsv, null, "train.tsv.gz", "damaged");
    }

    [Fact]
    public void A_gzip_file_that_was_cut_off_is_refused()
    {
        using TaskFolder folder = new();
        Random random = new(1);
        folder.WithGzip("train.tsv.gz", [.. Enumerable.Range(0, 2000).Select(i => $"text {random.NextInt64()}\t{i % 2}")]).With("valid.tsv", "a\t0");
        byte[] whole = File.ReadAllBytes(Path.Combine(folder.Path, "train.tsv.gz"));
        folder.WithBytes("train.tsv.gz", whole[..(whole.Length / 2)]).Refuses(TaskFormat.Tsv, null, "train.tsv.gz", "damaged");
        folder.WithBytes("train.tsv.gz", whole[..^4]).Refuses(TaskFormat.Tsv, null, "train.tsv.gz", "damaged");
    }

    [Fact]
    public void A_line_longer_than_the_buffer_is_read_whole()
    {
        using TaskFolder folder = new();
        string text = string.Concat(Enumerable.Repeat("long über ", 30_000));
        TextTask task = folder.With("train.tsv", $"{text}\t0", $"b\t1").With("valid.tsv", "a\t0").Load(TaskFormat.Tsv);
        Assert.Equal(text, task.Train[0].Text);
        Assert.Equal("b", task.Train[1].Text);
    }
}
