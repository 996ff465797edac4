using LinearCald.Data.Tasks;

namespace LinearCald.Data.Tests.Tasks;

public class GlueReaderTests
{
    private const string QqpHeader = "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate";
    private const string MrpcHeader = "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String";

    [Fact]
    public void Sst2()
    {
        using TaskFolder folder = new();
        TextTask task = folder.With("train.tsv", "sentence\tlabel", "hide new \"secretions \t0", "moving \t1")
            .With("dev.tsv", "sentence\tlabel", "a 'charming' film\t1")
            .With("test.tsv", "index\tsentence", "0\tunlabelled").Load(TaskFormat.Sst2);
        Assert.Equal("sst2", task.Name);
        Assert.Equal(["negative", "positive"], task.Labels);
        Assert.Equal([new("hide new \"secretions ", null, 0), new("moving ", null, 1)], task.Train);
        Assert.Equal([new("a 'charming' film", null, 1)], task.Validation);
        Assert.Null(task.Test);
    }

    [Theory]
    [InlineData(TaskFormat.Qnli, "index\tquestion\tsentence\tlabel")]
    [InlineData(TaskFormat.Rte, "index\tsentence1\tsentence2\tlabel")]
    public void Qnli_and_rte(TaskFormat format, string header)
    {
        using TaskFolder folder = new();
        TextTask task = folder.With("train.tsv", header, "0\tWhen?\tThen.\tnot_entailment", "1\tWho?\tYou.\tentailment")
            .With("dev.tsv", header, "0\tA\tB\tentailment")
            .Load(format);
        Assert.Equal(["entailment", "not_entailment"], task.Labels);
        Assert.Equal([new("When?", "Then.", 1), new("Who?", "You.", 0)], task.Train);
        Assert.Equal([new("A", "B", 0)], task.Validation);
    }

    [Fact]
    public void Qqp_leaves_out_a_few_damaged_rows_and_counts_them()
    {
        using TaskFolder folder = new(), worse = new();
        TextTask task = folder.With("QQP/train.tsv", QqpHeader, "1\t2\t3\tWhy?\tHow?\t0", "4\t5\t6\tbroken", "7\t8\t9\tWho?\tWho is it?\t1")
            .With("QQP/dev.tsv", QqpHeader, "1\t2\t3\ta\tb\t1")
            .Load(TaskFormat.Qqp);
        Assert.Equal(["not_duplicate", "duplicate"], task.Labels);
        Assert.Equal([new("Why?", "How?", 0), new("Who?", "Who is it?", 1)], task.Train);
        Assert.Contains("1 damaged row left out (line 3)", Assert.Single(task.Warnings), StringComparison.Ordinal);
        worse.With("train.tsv", [QqpHeader, .. Enumerable.Repeat("broken\trow", 11)])
            .With("dev.tsv", QqpHeader)
            .Refuses(TaskFormat.Qqp, null, "train.tsv:12: 2 columns where the header has 6");
    }

    [Fact]
    public void Mrpc_of_glue()
    {
        using TaskFolder folder = new();
        TextTask task = folder.With("train.tsv", MrpcHeader, "1\t70\t71\tHe said \"so.\tSo he said.").With("dev.tsv", MrpcHeader, "0\t1\t2\ta\tb")
            .With("msr_paraphrase_test.txt", "\uFEFF" + MrpcHeader, "1\t3\t4\tc\td").Load(TaskFormat.Mrpc);
        Assert.Equal(["not_equivalent", "equivalent"], task.Labels);
        Assert.Equal([new("He said \"so.", "So he said.", 1)], task.Train);
        Assert.Equal([new("a", "b", 0)], task.Validation);
        Assert.Equal([new("c", "d", 1)], task.Test!);
    }

    [Fact]
    public void Mrpc_of_its_publisher()
    {
        using TaskFolder folder = new();
        folder.With("msr_paraphrase_train.txt", "\uFEFF" + MrpcHeader, "1\t70\t71\ta\tb", "0\t80\t81\tc\td")
            .With("msr_paraphrase_test.txt", "\uFEFF" + MrpcHeader, "1\t3\t4\te\tf");
        TextTask whole = folder.Load(TaskFormat.Mrpc);
        Assert.Equal(2, whole.Train.Count);
        Assert.Equal([new("e", "f", 1)], whole.Validation);
        Assert.Null(whole.Test);
        Assert.Contains(whole.Warnings, w => w.Contains("msr_paraphrase_test.txt is the validation part", StringComparison.Ordinal));
        TextTask split = folder.With("dev_ids.tsv", "80\t81").Load(TaskFormat.Mrpc);
        Assert.Equal([new("a", "b", 1)], split.Train);
        Assert.Equal([new("c", "d", 0)], split.Validation);
        Assert.Equal([new("e", "f", 1)], split.Test!);
    }

    [Fact]
    public void Classes_may_be_put_into_another_order()
    {
        using TaskFolder folder = new();
        folder.With("train.tsv", "sentence\tlabel", "bad\t0", "good\t1").With("dev.tsv", "sentence\tlabel", "good\t1");
        TextTask task = folder.Load(TaskFormat.Sst2, o => o with { Labels = ["positive", "negative"] });
        Assert.Equal(["positive", "negative"], task.Labels);
        Assert.Equal([new("bad", null, 1), new("good", null, 0)], task.Train);
        folder.Refuses(TaskFormat.Sst2, o => o with { Labels = ["good", "bad"] }, "task.labels [good, bad]", "negative, positive");
        folder.Refuses(TaskFormat.Sst2, o => o with { LabelColumn = "label" }, "sst2 has columns of its own");
    }

    [Fact]
    public void Files_of_another_task_are_refused()
    {
        using TaskFolder stsb = new(), unlabelled = new(), label = new(), headerOnly = new();
        stsb.With("train.tsv", "index\tgenre\tsentence1\tsentence2\tscore")
            .With("dev.tsv", "")
            .Refuses(TaskFormat.Rte, null, "train.tsv:1: no column \"label\"", "STS-B", "regression");
        unlabelled.With("train.tsv", "sentence\tlabel", "a\t0")
            .With("dev.tsv", "index\tsentence", "0\ta")
            .Refuses(TaskFormat.Sst2, null, "dev.tsv:1", "test files have no labels");
        label.With("train.tsv", "sentence\tlabel", "a\t2")
            .With("dev.tsv", "sentence\tlabel", "a\t0")
            .Refuses(TaskFormat.Sst2, null, "train.tsv:2: label \"2\"", "\"0\", \"1\"");
        headerOnly.With("train.tsv", "sentence\tlabel").With("dev.tsv", "").Refuses(TaskFormat.Sst2, null, "train.tsv has no examples");
        headerOnly.With("train.tsv", "sentence\tlabel", "a\t1\tx").Refuses(TaskFormat.Sst2, null, "train.tsv:2: 3 columns where the header has 2");
    }

    [Fact]
    public void Names_of_tasks()
    {
        Assert.Equal(TaskFormat.Sst2, TaskFormats.Parse("SST-2"));
        Assert.Equal(TaskFormat.Qnli, TaskFormats.Parse("qnli"));
        Assert.Contains("regression is not supported", Assert.Throws<CaldException>(() => TaskFormats.Parse("sts-b")).Message, StringComparison.Ordinal);
        Assert.Contains("tsv or jsonl", Assert.Throws<CaldException>(() => TaskFormats.Parse("MNLI")).Message, StringComparison.Ordinal);
        Assert.Contains("known are sample, tsv", Assert.Throws<CaldException>(() => TaskFormats.Parse("squad")).Message, StringComparison.Ordinal);
    }
}
