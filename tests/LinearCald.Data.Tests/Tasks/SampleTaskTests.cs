using LinearCald.Data.Batching;
using LinearCald.Data.Tasks;
using LinearCald.Data.Tokenizers;

namespace LinearCald.Data.Tests.Tasks;

public class SampleTaskTests
{
    [Fact]
    public void Sections_has_balanced_classes_and_parts_without_common_texts()
    {
        TextTask task = SampleTasks.Sections();
        Assert.Equal(["admin", "devel", "gnu-r", "java", "javascript", "libs", "net", "perl", "python", "ruby", "science", "utils"], task.Labels);
        Assert.Equal(3200, task.Train.Count);
        Assert.Equal(800, task.Validation.Count);
        Assert.False(task.IsPair);
        Assert.Null(task.Test);
        Assert.Empty(task.Warnings);
        Assert.All(task.Train.CountBy(e => e.Label), c => Assert.InRange(c.Value, 266, 267));
        Assert.All(task.Validation.CountBy(e => e.Label), c => Assert.InRange(c.Value, 66, 67));
        Assert.Empty(task.Train.Select(e => e.Text).Intersect(task.Validation.Select(e => e.Text)));
        Assert.All(task.Train.Concat(task.Validation), e => Assert.InRange(e.Text.Length, 40, 250));
    }

    [Fact]
    public void Sections_in_tokens_of_the_tiny_teacher()
    {
        TextTask task = SampleTasks.Sections();
        Tokenizer tokenizer = Tokenizer.Load(TestFiles.InCheckout("weights/roberta-tiny"));
        TokenizedDataset data = TokenizedDataset.Tokenize(task.Validation, tokenizer, maxLength: 48);
        Assert.Equal(48, data.Lengths().Max());
        Assert.InRange(data.TruncatedCount, 1, 799);
        for (int i = 0; i < data.Count; i++)
        {
            TokenEncoding whole = tokenizer.Encode(task.Validation[i].Text);
            Assert.Equal(Math.Min(48, whole.Ids.Length), data.Length(i));
            Assert.Equal(whole.Ids.AsSpan(0, data.Length(i) - 1), data.Ids(i)[..^1]);
            Assert.Equal(tokenizer.EosId, data.Ids(i)[^1]);
        }
    }

    [Fact]
    public void The_loader_applies_limits_to_it()
    {
        TextTask whole = SampleTasks.Sections();
        TextTask part = TaskLoader.Load(new TaskOptions { MaxTrainRows = 100, MaxEvalRows = 50 });
        Assert.Equal(whole.Train.Take(100), part.Train);
        Assert.Equal(whole.Validation.Take(50), part.Validation);
        Assert.Equal(3100, TaskLoader.Load(new TaskOptions { HeldOutRows = 100 }).Train.Count);
        Assert.Throws<CaldException>(() => TaskLoader.Load(new TaskOptions { TextColumns = ["0"] }));
    }
}
