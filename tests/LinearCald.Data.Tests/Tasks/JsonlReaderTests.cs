using System.Text.Json;
using FsCheck.Fluent;
using LinearCald.Data.Tasks;

namespace LinearCald.Data.Tests.Tasks;

public class JsonlReaderTests
{
    [Fact]
    public void Any_text_comes_back_as_it_was_written() => Prop.ForAll(ArbMap.Default.ArbFor<string?>(), drawn =>
    {
        string text = new([.. (drawn ?? "").Where(c => !char.IsSurrogate(c))]);
        using TaskFolder folder = new();
        TextTask task = folder.With("train.jsonl", JsonSerializer.Serialize(new { text, label = 3 }), """{"text": "b", "label": 12}""")
            .With("valid.jsonl", """{"text": "c", "label": 12}""").Load(TaskFormat.Jsonl);
        Assert.Equal(["3", "12"], task.Labels);
        Assert.Equal([new(text, null, 0), new("b", null, 1)], task.Train);
    }).Holds(40);

    [Fact]
    public void Pairs_and_named_fields()
    {
        using TaskFolder usual = new(), named = new();
        TextTask task = usual
            .With("train.jsonl", """{"text": "a", "pair": "b", "label": "x", "more": [1]}""", "", """{"pair": "d", "text": "c", "label": "y"}""")
            .With("dev.jsonl", """{"text": "e", "pair": "f", "label": "y"}""")
            .With("test.jsonl", """{"text": "g", "pair": "h", "label": "x"}""")
            .Load(TaskFormat.Jsonl);
        Assert.True(task.IsPair);
        Assert.Equal([new("a", "b", 0), new("c", "d", 1)], task.Train);
        Assert.Equal([new("g", "h", 0)], task.Test!);
        task = named.With("train.jsonl", """{"q": "a", "s": "b", "gold": "no"}""").With("valid.jsonl", """{"q": "c", "s": "d", "gold": "yes"}""")
            .Load(TaskFormat.Jsonl, o => o with { TextColumns = ["s", "q"], LabelColumn = "gold", Labels = ["yes", "no"] });
        Assert.Equal([new("b", "a", 1)], task.Train);
        Assert.Equal([new("d", "c", 0)], task.Validation);
    }

    [Theory]
    [InlineData("""{"text": "a", "label": "x" """, "train.jsonl:2: not JSON")]
    [InlineData("""["a", "x"]""", "train.jsonl:2: a JSON Array where an object")]
    [InlineData("""{"sentence": "a", "label": "x"}""", "no field \"text\"; this row has \"sentence\", \"label\"; name the fields with task.text_columns")]
    [InlineData("""{"text": "a"}""", "no field \"label\"; this row has \"text\"; name the fields with task.label_column")]
    [InlineData("""{"text": 3, "label": "x"}""", "field \"text\" is a JSON Number where a text was expected")]
    [InlineData("""{"text": "a", "label": 0.5}""", "regression is not supported")]
    [InlineData("""{"text": "a", "label": true}""", "label field \"label\" is a JSON True")]
    [InlineData("""{"text": "\uD800", "label": "x"}""", "half a surrogate pair")]
    public void Damaged_rows_are_refused(string row, string said)
    {
        using TaskFolder folder = new();
        folder.With("train.jsonl", """{"text": "a", "label": "x"}""", row).With("valid.jsonl", """{"text": "a", "label": "x"}""");
        folder.Refuses(TaskFormat.Jsonl, null, "train.jsonl:2", said);
    }
}
