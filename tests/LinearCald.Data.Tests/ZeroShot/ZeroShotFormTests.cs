using System.IO.Compression;
using System.Text;
using FsCheck.Fluent;
using LinearCald.Data.ZeroShot;

namespace LinearCald.Data.Tests.ZeroShot;

/// <summary>Every form of question, against the prompts that the harness makes of it.</summary>
public class ZeroShotFormTests
{
    public static TheoryData<string, string[], int?> Forms => new()
    {
        { """{"context": "They went to the ", "continuation": "docks"}""", ["They went to the| docks|5"], null },
        { """{"context_options": ["so Ann", "so Eve "], "continuation": "left.", "gold": 1}""", ["so Ann| left.|6", "so Eve| left.|6"], 1 },
        { """{"query": "Question: Why?", "choices": ["so", "é😀"], "gold": 0}""", ["Question: Why?\nAnswer:| so|2", "Question: Why?\nAnswer:| é😀|2"], 0 },
        { """{"query": "Question: Why?\n", "choices": ["a", "b"], "gold": 0}""", ["Question: Why?\nAnswer:| a|1", "Question: Why?\nAnswer:| b|1"], 0 },
        { """{"query": "Context: x\nAnswer:", "choices": ["A", "B"], "gold": 1}""", ["Context: x\nAnswer:| A|1", "Context: x\nAnswer:| B|1"], 1 },
        { """{"query": "It rained, so", "choices": ["we left", "no"], "gold": 0}""", ["It rained, so| we left|7", "It rained, so| no|2"], 0 },
        { """{"goal": "Dry hair", "sol1": "towel", "sol2": "sun", "label": 1}""", ["Question: Dry hair\nAnswer:| towel|5", "Question: Dry hair\nAnswer:| sun|3"], 1 },
        { """{"sentence": "He saw _ and ran.", "option1": "Al", "option2": "Bo", "answer": "2"}""", ["He saw Al| and ran.|9", "He saw Bo| and ran.|9"], 1 },
        {
            """{"question": "Q?", "correct_answer": "c", "distractor1": "x", "distractor2": "y", "distractor3": "z", "support": " S."}""",
            ["S.\nQuestion: Q?\nAnswer:| x|1", "S.\nQuestion: Q?\nAnswer:| y|1", "S.\nQuestion: Q?\nAnswer:| z|1", "S.\nQuestion: Q?\nAnswer:| c|1"], 3
        },
        { """{"id": "7", "question": "Q?", "choices": {"text": ["x", "y"], "label": ["1", "2"]}, "answerKey": "2"}""", ["Question: Q?\nAnswer:| x|1", "Question: Q?\nAnswer:| y|1"], 1 },
        {
            """{"question": {"stem": "Q?", "choices": [{"text": "x", "label": "A"}, {"text": "y", "label": "B"}]}, "answerKey": "A"}""",
            ["Question: Q?\nAnswer:| x|1", "Question: Q?\nAnswer:| y|1"], 0
        },
        {
            """{"label": "b", "context": "P", "question": "Q", "options": ["x", "y"]}""",
            ["Passage: P\nQuestion: Q\nChoices:\nA. x\nB. y\nAnswer:| x|1", "Passage: P\nQuestion: Q\nChoices:\nA. x\nB. y\nAnswer:| y|1"], 1
        },
        { """{"text": "all but the last"}""", ["all but the| last|4"], null },
        {
            """{"text": "Joan thanked Susan. She smiled.", "pronoun": "She", "pronoun_loc": 20, "options": ["Joan", "The girl"], "label": 0}""",
            ["Joan thanked Susan. Joan|  smiled.|24", "Joan thanked Susan. The girl|  smiled.|28"], 0
        },
        {
            """{"text": "😀 I saw  him take his hat.", "pronoun": "his", "pronoun_loc": 18, "options": ["The man", "Bob"], "label": 1}""",
            ["😀 I saw him take the man's|  hat.|26", "😀 I saw him take Bob's|  hat.|22"], 1
        },
    };

    [Theory]
    [MemberData(nameof(Forms))]
    public void A_line_becomes_the_harness_s_prompt(string line, string[] candidates, int? gold)
    {
        using TemporaryFolder folder = new();
        string path = folder["task.jsonl"];
        File.WriteAllText(path, "\n" + line + "\n");
        ZeroShotExample example = Assert.Single(ZeroShotTasks.LoadFile(path).Examples);
        Assert.Equal(candidates, example.Candidates.Select(c => $"{c.Context}|{c.Continuation}|{c.Characters}"));
        Assert.Equal((gold, 2), (example.Gold, example.Line));
    }

    [Theory]
    [InlineData("{\"query\": \"Q\", \"choices\": [\"a\", \"b\"], \"gold\": 2}", "number 2, counted from 0, of 2")]
    [InlineData("{\"query\": \"Q\", \"choices\": [\"a\", \"b\"], \"gold\": -1}", "number -1")]
    [InlineData("{\"query\": \"Q\", \"choices\": [\"a\"], \"gold\": 0}", "1 choices")]
    [InlineData("{\"query\": \"Q\", \"choices\": [\"a\", \" \"], \"gold\": 0}", "choice 1 is blank")]
    [InlineData("{\"query\": \"Q\", \"choices\": [\"a\", 3], \"gold\": 0}", "\"choices\"[1] is a JSON Number")]
    [InlineData("{\"query\": \"Q\", \"choices\": [\"a\", \"b\"], \"gold\": 0.5}", "an integer was expected")]
    [InlineData("{\"query\": \"\\ud800\", \"choices\": [\"a\", \"b\"], \"gold\": 0}", "half a surrogate pair")]
    [InlineData("{\"query\": 1, \"choices\": [\"a\", \"b\"], \"gold\": 0}", "\"query\" is a JSON Number")]
    [InlineData("{\"query\": \"Q\", \"gold\": 0}", "no field \"choices\"")]
    [InlineData("{\"query\": ", "not JSON")]
    [InlineData("[]", "a JSON Array")]
    public void A_malformed_line_is_named(string line, string expected)
    {
        using TemporaryFolder folder = new();
        string path = folder["piqa.jsonl"];
        File.WriteAllText(path, "{\"query\": \"Q\", \"choices\": [\"a\", \"b\"], \"gold\": 0}\n" + line + "\n");
        CaldException error = Assert.Throws<CaldException>(() => ZeroShotTasks.Load(folder.Path, "piqa"));
        Assert.StartsWith($"{path}:2: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Tasks_are_found_by_either_name_and_packed()
    {
        using TemporaryFolder folder = new();
        using (GZipStream packed = new(File.Create(folder["logi_qa.jsonl.gz"]), CompressionLevel.Fastest))
            packed.Write("{\"query\": \"Q\", \"choices\": [\"a\", \"b\"], \"gold\": 0}\n"u8);
        Assert.Equal(["logiqa"], ZeroShotTasks.In(folder.Path));
        foreach (string name in (string[])["logiqa", "logi_qa"])
        {
            ZeroShotTask task = ZeroShotTasks.Load(folder.Path, name);
            Assert.Equal("logiqa", task.Name);
            Assert.Equal([ZeroShotMetric.Accuracy, ZeroShotMetric.NormalizedAccuracy], task.Metrics);
        }

        Assert.Contains("Tasks found there: logiqa", Assert.Throws<CaldException>(() => ZeroShotTasks.Load(folder.Path, "piqa")).Message, StringComparison.Ordinal);
        string empty = folder["copa.jsonl"];
        File.WriteAllText(empty, "\n \n");
        Assert.Contains("no question", Assert.Throws<CaldException>(() => ZeroShotTasks.LoadFile(empty)).Message, StringComparison.Ordinal);
        File.WriteAllText(empty, "{\"other\": 1}\n");
        Assert.Contains("no form that is known", Assert.Throws<CaldException>(() => ZeroShotTasks.LoadFile(empty)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Damaged_lines_give_clear_errors_or_questions()
    {
        string[] lines = [.. Forms.Select(row => (string)((object[])row)[0]!)];
        using TemporaryFolder folder = new();
        string path = folder["task.jsonl"];
        int refused = 0;
        var cases = from line in Gen.Elements(lines) from place in Gen.Choose(0, 999) from value in Gen.Choose(32, 126) from cut in Gen.Choose(0, 3) select (line, place, value, cut);
        Prop.ForAll(cases.ToArbitrary(), c =>
        {
            StringBuilder text = new(c.line);
            text[c.place % text.Length] = (char)c.value;
            if (c.cut == 0)
                text.Length = c.place % text.Length;
            File.WriteAllBytes(path, Encoding.UTF8.GetBytes($"{text}\n")); // half a surrogate pair becomes U+FFFD
            try
            {
                Assert.All(ZeroShotTasks.LoadFile(path).Examples, e => Assert.InRange(e.Gold ?? 0, 0, e.Candidates.Count - 1));
            }
            catch (CaldException error)
            {
                Assert.StartsWith(path, error.Message, StringComparison.Ordinal);
                refused++;
            }
        }).Holds(400);
        Assert.True(refused > 50, $"{refused} refused");
    }

    [SharedTheory("data/lm_eval")]
    [InlineData("lambada_openai", 3865, 1)]
    [InlineData("piqa", 1379, 2)]
    [InlineData("winogrande", 951, 2)]
    [InlineData("wsc273", 205, 2)]
    [InlineData("arc_easy", 1782, 4)]
    [InlineData("arc_challenge", 879, 4)]
    [InlineData("logiqa", 489, 4)]
    [InlineData("openbookqa", 375, 4)]
    [InlineData("copa", 75, 2)]
    [InlineData("boolq", 2453, 2)]
    [InlineData("social_iqa", 1466, 2)]
    [InlineData("commonsense_qa", 916, 4)]
    public void Shared_tasks_have_their_questions(string name, int count, int choices)
    {
        ZeroShotTask task = ZeroShotTasks.Load(TestFiles.InShared("data/lm_eval")!, name);
        Assert.Equal(count, task.Examples.Count);
        Assert.All(task.Examples, e => Assert.Equal(choices, e.Candidates.Count));
        Assert.All(task.Examples, e => Assert.Equal(choices == 1, e.Gold is null));
        Assert.All(task.Examples.SelectMany(e => e.Candidates), c => Assert.True(c.Continuation[0] == ' ' && c.Continuation[1] != ' ' && c.Context[^1] != ' '));
    }
}
