using LinearCald.Data.Language;
using LinearCald.Distillation.Conversion;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Reporting;
using LinearCald.Distillation.Tests.Reporting;
using LinearCald.Distillation.Training;
using LinearCald.Models.Language;
using LinearCald.Nn;

namespace LinearCald.Distillation.Tests.Language;

/// <summary>Whole conversions of the tiny Pythia on a few rows: embedded text, files of one's own, tokens of Megatron.</summary>
public sealed class LanguageConversionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("unguided")]
    [InlineData("target")]
    [InlineData("hybrid")]
    public void AConversionLeavesAModelItsRecipeAndItsResult(string mode)
    {
        Recipe recipe = Small().Variant(mode);
        ConversionSession session = Session(recipe);
        ResultRow row = session.Convert(recipe, null, _folder[mode]);
        Assert.Equal((mode, "perplexity"), (row.Mode, row.Metric));
        Assert.InRange(row.Value, 1, 1e6);
        Assert.Equal(recipe, Recipe.Parse(File.ReadAllText(Path.Combine(_folder[mode], "recipe.yaml"))));
        using LayeredLanguageModel student = LanguageModelFiles.Load(Path.Combine(_folder[mode], "model"), BuildContext.For(TinyLanguage.Cpu, 0));
        Assert.Null(student.MaximumPositions);
        Assert.Equal(row.Parameters, student.ParameterCount());
        foreach (string file in (string[])["tokenizer.json", "README.md"])
        {
            Assert.True(File.Exists(Path.Combine(_folder[mode], "model", file)), file);
        }
    }

    [Fact]
    public void ATeacherThatIsNotTrainedIsMeasuredAndGuidesAsItIs()
    {
        Recipe recipe = Small();
        ConversionSession session = Session(recipe);
        ResultRow row = session.FineTune(recipe with { Variants = RecipeVariants.None }, _folder["teacher"]);
        Assert.Equal("teacher", row.Mode);
        Assert.False(session.TrainsTeacher(recipe));
        Assert.False(Directory.Exists(Path.Combine(_folder["teacher"], "model")));
        Assert.Equal(row, RunResult.Read(_folder["teacher"]));
        Recipe trained = recipe.With("teacher.epochs=1", "teacher.max_steps=1", "teacher.batch_size=2", "teacher.waypoints_per_epoch=1");
        Assert.True(session.TrainsTeacher(trained));
    }

    [Fact]
    public void TextFilesAreTokenisedOnceAndKept()
    {
        Directory.CreateDirectory(_folder["corpus"]);
        File.WriteAllText(Path.Combine(_folder["corpus"], "train.txt"), string.Join("\n\n", SampleCorpus.Train.Select(t => t[..Math.Min(t.Length, 3000)])));
        File.WriteAllText(Path.Combine(_folder["corpus"], "valid.jsonl"), "{\"body\": \"" + new string('a', 3) + string.Concat(Enumerable.Repeat(" It was a truth.", 200)) + "\"}\n");
        Recipe recipe = Small("task.kind=corpus", $"task.data={_folder["corpus"]}", $"task.cache={_folder["cache"]}", "task.text_columns=[body]");
        ProgressRecorder first = new();
        TrainingData data = Session(recipe, first).Data;
        Assert.Equal((3, 2), (data.Rows, data.Count(DataPart.Validation)));
        Assert.Contains(first.Lines, line => line.Contains("tokenised now", StringComparison.Ordinal));
        ProgressRecorder second = new();
        Assert.Equal(3, Session(recipe, second).Data.Rows);
        Assert.DoesNotContain(second.Lines, line => line.Contains("tokenised", StringComparison.Ordinal));
        File.Delete(Path.Combine(_folder["corpus"], "valid.jsonl"));
        Assert.Contains("has no valid part", Assert.Throws<CaldException>(() => Session(recipe)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TokensOfMegatronAreHeldOutWhereThereIsNoValidationPart()
    {
        Directory.CreateDirectory(_folder["pile"]);
        Random random = new(0);
        using (IndexedDatasetWriter writer = IndexedDatasetWriter.Create(Path.Combine(_folder["pile"], "document"), IndexedDatasetWriter.TypeFor(4096)))
        {
            for (int i = 0; i < 9; i++)
            {
                writer.AddSequence([.. Enumerable.Range(0, 33).Select(_ => random.Next(1, 4096))]);
                writer.EndDocument();
            }

            writer.Complete();
        }

        Recipe recipe = Small("task.kind=megatron", $"task.data={_folder["pile"]}", "task.train_file=document", "task.max_train_rows=6", "task.max_eval_rows=2");
        TrainingData data = Session(recipe).Data;
        Assert.Equal((6, 2), (data.Rows, data.Count(DataPart.Validation)));
        Assert.Contains("leave nothing to learn from", Assert.Throws<CaldException>(() => Session(recipe.With("task.max_train_rows=0", "task.max_eval_rows=9"))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("task.max_length=1025", "beyond the 1024 positions")]
    [InlineData("student.mixer=linformer", "does not go with a GPT-NeoX")]
    [InlineData("task.metric=accuracy", "(a language model), which has perplexity, bits-per-byte")]
    [InlineData("model.source=ROBERTA", "does not go with a RoBERTa")]
    [InlineData("task.kind=megatron task.metric=bits-per-byte", "needs the text")]
    public void MisfitsAreNamed(string changes, string reason)
    {
        string[] all = [.. changes.Split(' ').Select(c => c.Replace("ROBERTA", TestFiles.InCheckout("weights/roberta-tiny"), StringComparison.Ordinal))];
        CaldException error = Assert.Throws<CaldException>(() => Session(Small(all)));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OfAPlanOnlyTheMixersAreNew()
    {
        Recipe recipe = Small().Variant("target");
        ConversionPlan plan = ConversionPlan.Of(recipe, Session(recipe));
        Assert.All(plan.Parameters, p => Assert.Equal(p.Name.Contains("mamba", StringComparison.Ordinal) ? "new" : "copied", p.Fate));
        Assert.Equal(4 * 9, plan.Parameters.Count(p => p.Fate == "new"));
        Assert.All(plan.Unused, name => Assert.Contains("attention", name, StringComparison.Ordinal));
    }

    private static Recipe Small(params string[] changes) => Recipe.Load("lm-demo", [
        $"model.source={TestFiles.InCheckout("weights/pythia-tiny")}",
        "task.max_length=32",
        "task.max_train_rows=3",
        "task.max_eval_rows=2",
        "training.epochs=2",
        "training.batch_size=2",
        .. changes]);

    private static ConversionSession Session(Recipe recipe, IProgressSink? progress = null) =>
        new(recipe, new SessionOptions { Device = TinyLanguage.Cpu, Progress = progress ?? SilentProgress.Instance });
}
