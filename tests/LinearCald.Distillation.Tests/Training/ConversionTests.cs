using System.Text.Json;
using LinearCald.Distillation.Classification;
using LinearCald.Distillation.Conversion;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Reporting;
using LinearCald.Models.Roberta;
using LinearCald.Nn;

namespace LinearCald.Distillation.Tests.Training;

/// <summary>Whole conversions of the tiny teacher on 64 rows of the embedded sample, in every mode.</summary>
public sealed class ConversionTests : IClassFixture<ConversionTests.Teacher>
{
    private readonly Teacher _teacher;

    public ConversionTests(Teacher teacher) => _teacher = teacher;

    [Theory]
    [InlineData("unguided")]
    [InlineData("target")]
    [InlineData("source-init")]
    [InlineData("trajectory")]
    [InlineData("waypoint")]
    [InlineData("hybrid")]
    public void AConversionLeavesAModelItsRecipeAndItsResult(string mode)
    {
        Recipe recipe = _teacher.Recipe.Variant(mode);
        string folder = _teacher.Folder[mode];
        ResultRow row = _teacher.Session.Convert(recipe, _teacher.Run, folder);
        Assert.Equal((mode, "accuracy", "normal"), (row.Mode, row.Metric, row.ProjectionInit));
        Assert.InRange(row.Value, 0, 1);
        Assert.Equal(recipe, Recipe.Parse(File.ReadAllText(Path.Combine(folder, "recipe.yaml"))));
        Assert.Equal(row, RunResult.Read(folder));
        JsonElement[] lines = [.. File.ReadLines(Path.Combine(folder, "metrics.jsonl")).Select(line => JsonDocument.Parse(line).RootElement)];
        Assert.Equal(4, lines.Count(line => line.GetProperty("kind").GetString() == "step"));
        Assert.Equal(mode != "unguided", lines[0].TryGetProperty("layer_loss", out _));
        using RobertaForSequenceClassification student = RobertaFiles.LoadClassifier(Path.Combine(folder, "model"), BuildContext.For(_teacher.Session.Device, 0));
        Assert.Equal(32, student.Config.Linformer!.Rank);
        Assert.Equal(((ClassificationData)_teacher.Session.Data).Labels, student.Config.Labels);
        Assert.Equal(row.Parameters, student.ParameterCount());
        foreach (string file in (string[])["tokenizer.json", "README.md"])
        {
            Assert.True(File.Exists(Path.Combine(folder, "model", file)), file);
        }
    }

    [Fact]
    public void ARunFolderIsNotRunTwice()
    {
        Recipe recipe = _teacher.Recipe.Variant("unguided");
        string folder = _teacher.Folder["twice"];
        ResultRow first = _teacher.Session.Convert(recipe, null, folder);
        byte[] results = File.ReadAllBytes(Path.Combine(folder, "results.json"));
        CaldException again = Assert.Throws<CaldException>(() => _teacher.Session.Convert(recipe, null, folder));
        Assert.Contains("already holds a run", again.Message, StringComparison.Ordinal);
        Assert.Equal(first, _teacher.Resuming.Convert(recipe, null, folder));
        Recipe other = recipe.With("training.lr=0.5");
        CaldException changed = Assert.Throws<CaldException>(() => _teacher.Resuming.Convert(other, null, folder));
        Assert.Contains("now:  lr: 0.5", changed.Message, StringComparison.Ordinal);
        Assert.Equal(results, File.ReadAllBytes(Path.Combine(folder, "results.json")));
    }

    [Fact]
    public void ARunThatEndedBeforeItsFirstUpdateDoesNotBlockItsFolder()
    {
        string folder = _teacher.Folder["early"];
        Assert.Throws<CaldException>(() => _teacher.Session.Convert(_teacher.Recipe.Variant("target"), _teacher.Folder["no teacher"], folder));
        _teacher.Session.Convert(_teacher.Recipe.Variant("unguided"), null, folder);
        Assert.Equal("unguided", RunResult.Read(folder)!.Mode);
    }

    [Fact]
    public void AModelThatCannotGuideIsRefused()
    {
        string student = _teacher.Folder["a student"];
        _teacher.Session.Convert(_teacher.Recipe.Variant("unguided"), null, student);
        CaldException error = Assert.Throws<CaldException>(() => _teacher.Session.Convert(_teacher.Recipe.Variant("source-init"), student, _teacher.Folder["refused"]));
        Assert.Contains("converted student", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TheTeachersHeadStartsFromTheTeachersSeed()
    {
        Recipe a = _teacher.Recipe with { Variants = RecipeVariants.None };
        byte[] Of(string name, params string[] changes)
        {
            _teacher.Session.FineTune(a.With(["teacher.max_steps=1", "teacher.waypoints_per_epoch=0", .. changes]), _teacher.Folder[name]);
            return File.ReadAllBytes(Path.Combine(_teacher.Folder[name], "model", "model.safetensors"));
        }

        byte[] model = Of("0-0");
        Assert.Equal(model, Of("0-1", "training.seed=1"));
        Assert.NotEqual(model, Of("1-0", "teacher.seed=1"));
    }

    /// <summary>A fine-tuned teacher with two waypoints, for all tests of the class.</summary>
    public sealed class Teacher : IDisposable
    {
        public Teacher()
        {
            Recipe = Recipe.Load(
                "demo",
                $"model.source={TestFiles.InCheckout("weights/roberta-tiny")}",
                "task.max_train_rows=64",
                "task.max_eval_rows=32",
                "teacher.epochs=1",
                "teacher.waypoints_per_epoch=2",
                "training.epochs=1",
                "training.batch_size=16",
                "guidance.update_cycle=2",
                "guidance.switch_fraction=0.5");
            Session = new ConversionSession(Recipe, new SessionOptions { Device = TinyTask.Cpu });
            Resuming = new ConversionSession(Recipe, new SessionOptions { Device = TinyTask.Cpu, Resume = true });
            Run = Folder["teacher"];
            Session.FineTune(Recipe with { Variants = RecipeVariants.None }, Run);
        }

        public TemporaryFolder Folder { get; } = new();

        public Recipe Recipe { get; }

        public ConversionSession Session { get; }

        public ConversionSession Resuming { get; }

        /// <summary>Its run folder.</summary>
        public string Run { get; }

        public void Dispose() => Folder.Dispose();
    }
}
