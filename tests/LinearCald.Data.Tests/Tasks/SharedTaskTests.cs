using LinearCald.Data.Tasks;

namespace LinearCald.Data.Tests.Tasks;

/// <summary>The readers on real sets, whose sizes are known.</summary>
public class SharedTaskTests
{
    [SharedTheory("data/text")]
    [InlineData("sections", 24, false, 10_006, 959, 1_111)]
    [InlineData("pairs", 2, true, 23_996, 1_999, 3_000)]
    [InlineData("rte", 2, true, 1_244, 139, 692)]
    [InlineData("mrpc", 2, true, 3_576, 500, 862)]
    [InlineData("trecqa", 2, true, 4_718, 1_148, 791)]
    [InlineData("sentiment", 2, false, 60_614, 5_182, 436)]
    public void Tsv_sets_have_their_rows(string name, int classes, bool pair, int train, int validation, int test)
    {
        TextTask task = TaskLoader.Load(new TaskOptions { Format = TaskFormat.Tsv, Folder = TestFiles.InShared($"data/text/{name}") });
        Assert.Equal(name, task.Name);
        Assert.Equal(classes, task.Labels.Count);
        Assert.Equal(pair, task.IsPair);
        Assert.Equal((train, validation, test), (task.Train.Count, task.Validation.Count, task.Test!.Count));
        Assert.Empty(task.Warnings);
        Assert.All(task.Train, e => Assert.Equal(pair, e.Pair is not null));
        Assert.Equal(classes, task.Train.Select(e => e.Label).Distinct().Count());
    }

    [SharedFact("data/text/imdb/train.tsv.xz")]
    public void An_xz_file_is_refused_with_the_way_out()
    {
        CaldException error = Assert.Throws<CaldException>(
            () => TaskLoader.Load(new TaskOptions { Format = TaskFormat.Tsv, Folder = TestFiles.InShared("data/text/imdb") }));
        Assert.Contains("unpack it first", error.Message, StringComparison.Ordinal);
    }
}
