using LinearCald.Data.Tasks;

namespace LinearCald.Data.Tests.Tasks;

public class ImdbReaderTests
{
    [Theory]
    [InlineData("")]
    [InlineData("aclImdb/")]
    public void Reviews_come_in_the_order_of_their_ids(string above)
    {
        using TaskFolder folder = Reviews(above);
        TextTask task = folder.Load(TaskFormat.Imdb);
        Assert.Equal("imdb", task.Name);
        Assert.Equal(["neg", "pos"], task.Labels);
        Assert.Equal([new("train neg 2", null, 0), new("train pos 2", null, 1), new("train neg 10", null, 0), new("train pos 10", null, 1)], task.Train);
        Assert.Equal(["test neg 2", "test pos 2", "test neg 10", "test pos 10"], task.Validation.Select(e => e.Text));
        Assert.Null(task.Test);
        Assert.Contains("test part is used", Assert.Single(task.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Limits_keep_both_classes()
    {
        using TaskFolder folder = Reviews("");
        TextTask task = folder.Load(TaskFormat.Imdb, o => o with { MaxTrainRows = 2, MaxEvalRows = 3 });
        Assert.Equal([0, 1], task.Train.Select(e => e.Label));
        Assert.Equal([0, 1, 0], task.Validation.Select(e => e.Label));
    }

    [Fact]
    public void Validation_may_be_held_out_of_the_training_part()
    {
        using TaskFolder folder = Reviews("");
        TextTask task = folder.Load(TaskFormat.Imdb, o => o with { HeldOutRows = 1 });
        Assert.Equal(3, task.Train.Count);
        Assert.StartsWith("train", Assert.Single(task.Validation).Text, StringComparison.Ordinal);
        Assert.Equal(4, task.Test!.Count);
        Assert.Empty(task.Warnings);
    }

    [Fact]
    public void Incomplete_folders_are_refused()
    {
        using TaskFolder none = new(), noTest = new(), empty = new();
        none.Refuses(TaskFormat.Imdb, null, Path.Combine("train", "neg"), "aclImdb");
        noTest.With("train/neg/0_1.txt", "a").With("train/pos/0_9.txt", "b").Refuses(TaskFormat.Imdb, null, Path.Combine("test", "neg"), "validation part");
        empty.With("train/neg/0_1.html", "a").Refuses(TaskFormat.Imdb, null, "holds no .txt file");
    }

    private static TaskFolder Reviews(string above)
    {
        TaskFolder folder = new();
        foreach (string part in (string[])["train", "test"])
        {
            foreach ((string label, int rating) in ((string, int)[])[("neg", 2), ("pos", 9)])
                folder.WithBytes($"{above}{part}/{label}/10_{rating}.txt", [.. System.Text.Encoding.UTF8.GetBytes($"{part} {label} 10")])
                    .With($"{above}{part}/{label}/2_{rating}.txt", $"{part} {label} 2");
        }

        return folder.With($"{above}train/unsup/0_0.txt", "unlabelled");
    }
}
