using LinearCald.Data.Audio;
using LinearCald.Distillation.Conversion;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Reporting;
using LinearCald.Distillation.Speech;
using LinearCald.Distillation.Tests.Reporting;
using LinearCald.Distillation.Tests.Training;
using LinearCald.Distillation.Training;
using LinearCald.Models.Wav2Vec2;
using LinearCald.Nn;
using LinearCald.Tensors;

namespace LinearCald.Distillation.Tests.Speech;

/// <summary>Whole conversions of the tiny Wav2Vec2 on a few clips: recognition and classes.</summary>
public sealed class SpeechConversionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public SpeechConversionTests() => WriteClips(_folder["clips"]);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("unguided", false)]
    [InlineData("target", false)]
    [InlineData("waypoint", false)]
    [InlineData("hybrid", true)]
    public void AConversionLeavesAModelItsRecipeAndItsResult(string mode, bool classes)
    {
        Recipe recipe = Small(classes).Variant(mode);
        ConversionSession session = Session(recipe);
        ResultRow teacher = session.FineTune(recipe with { Variants = RecipeVariants.None }, _folder["teacher"]);
        Assert.Equal(("teacher", classes ? "accuracy" : "wer"), (teacher.Mode, teacher.Metric));
        ResultRow row = session.Convert(recipe, _folder["teacher"], _folder[mode]);
        Assert.Equal((mode, teacher.Metric), (row.Mode, row.Metric));
        Assert.InRange(row.Value, 0, 30);
        Assert.NotNull(row.TestValue);
        string folder = Path.Combine(_folder[mode], "model");
        using PretrainedWav2Vec2 student = classes ? Wav2Vec2Files.LoadClassifier(folder, Context()) : Wav2Vec2Files.LoadCtc(folder, Context());
        Assert.NotNull(student.Config.BiMamba2);
        Assert.Equal(row.Parameters, student.ParameterCount());
        foreach (string file in (string[])[classes ? "config.json" : "vocab.json", "preprocessor_config.json", "README.md"])
        {
            Assert.True(File.Exists(Path.Combine(folder, file)), file);
        }
    }

    [Fact]
    public void FrozenConvolutionsStayAsTheyAreAndTheirFeaturesAreComputedOnce()
    {
        Recipe recipe = Small(classes: false).Variant("target");
        ConversionSession session = Session(recipe);
        using TaskModel source = session.Domain.LoadSource(recipe.Teacher, Context());
        using TaskModel student = session.Student(recipe, session.Source);
        session.Convert(recipe, session.Source, _folder["target"]);
        using PretrainedWav2Vec2 trained = Wav2Vec2Files.LoadCtc(Path.Combine(_folder["target"], "model"), Context());
        Dictionary<string, float[]> before = student.Module.NamedParameters().ToDictionary(p => p.Name, p => p.Parameter.Value.ToArray<float>());
        string[] changed = [.. trained.NamedParameters().Where(p => !p.Parameter.Value.ToArray<float>().SequenceEqual(before[p.Name])).Select(p => p.Name)];
        Assert.DoesNotContain(changed, Wav2Vec2Files.IsFeatureEncoder);
        Assert.Contains(changed, Wav2Vec2Files.IsMixer);
        Assert.Contains("lm_head.weight", changed);

        SpeechTaskInput input = (SpeechTaskInput)session.Data.Upload(Cpu, session.Data.Collate([0, 1], 1, 5));
        source.Run(input, ForwardContext.Inference);
        int computed = 0;
        input.SharedFeatures((Hash(source), (DType?)null), () => throw new InvalidOperationException($"computed again ({++computed})"));
        student.Run(input, ForwardContext.Inference);

        static string Hash(TaskModel model) => ((SpeechTaskModel)model).EncoderHash;
    }

    [Fact]
    public void ARunThatIsStoppedGoesOnToTheSameBits()
    {
        Recipe recipe = Small(classes: false, "training.max_steps=3", "training.checkpoint_every=1", "training.dropout=0.1", "task.mask_time_prob=0.2", "training.frame_limit=40000").Variant("target");
        Session(recipe).Convert(recipe, Source, _folder["whole"]);
        StopRequest stop = new();
        ProgressRecorder recorder = new() { OnStep = step => { if (step.Step == 1) { stop.Request(); } } };
        Assert.Throws<RunStoppedException>(() => new ConversionSession(recipe, new SessionOptions { Device = Cpu, Progress = recorder, Stop = stop }).Convert(recipe, Source, _folder["parts"]));
        new ConversionSession(recipe, new SessionOptions { Device = Cpu, Resume = true }).Convert(recipe, Source, _folder["parts"]);
        using PretrainedWav2Vec2 whole = Wav2Vec2Files.LoadCtc(Path.Combine(_folder["whole"], "model"), Context());
        using PretrainedWav2Vec2 parts = Wav2Vec2Files.LoadCtc(Path.Combine(_folder["parts"], "model"), Context());
        foreach (((string name, Parameter a), (_, Parameter b)) in whole.NamedParameters().Zip(parts.NamedParameters()))
        {
            Assert.True(a.Value.ToArray<float>().SequenceEqual(b.Value.ToArray<float>()), name);
        }
    }

    [Fact]
    public void MicroBatchesAreWeighedByTheLabelsThatFitAndPaddingChangesNothing()
    {
        TrainingData data = Session(Small(classes: false)).Data;
        SpeechTaskBatch both = (SpeechTaskBatch)data.Collate([0, 1], 1, 0);
        Assert.Equal(both.Units, data.Weight([0, 1]));
        Assert.Equal(both.Transcripts.Sum(t => t.Length), both.Units);
        SpeechTaskBatch rounded = (SpeechTaskBatch)data.Collate([0, 1], 16, 0);
        Assert.Equal(0, rounded.Frames % 16);
        Assert.Equal(both.FrameLengths, rounded.FrameLengths);
        Assert.Equal(both.Tokens, rounded.FrameLengths.Sum());
        Recipe recipe = Small(classes: false);
        using TaskModel model = Session(recipe).Domain.LoadSource(recipe.Teacher, Context());
        using SpeechTaskInput place = (SpeechTaskInput)data.Reserve(Cpu, rounded);
        place.Set(rounded);
        double reserved = model.Run(place, ForwardContext.Inference).Loss.Item();
        double uploaded = model.Run(data.Upload(Cpu, both), ForwardContext.Inference).Loss.Item();
        Assert.Equal(uploaded, reserved, 1e-4 * uploaded);
    }

    [Fact]
    public void AShapesPlaceHasTheRoomThatItsTranscriptsNeedAndNoMore()
    {
        TrainingData data = Session(Small(classes: false)).Data;
        for (int row = 0; row < Clips; row++)
        {
            SpeechTaskBatch batch = (SpeechTaskBatch)data.Collate([row, (row + 1) % Clips], 1 + (15 * (row % 2)), null);
            Assert.Equal(batch.Transcripts.Max(t => t.Length), batch.Room);
            Assert.Equal("A TONE".Length, batch.Room);
            Assert.True(batch.Room < batch.Frames);
        }
    }

    [Theory]
    [InlineData("student.mixer=mamba", "does not go with a Wav2Vec2")]
    [InlineData("student.head_size=48", "does not divide into heads of 48")]
    [InlineData("task.metric=accuracy", "which has wer, cer")]
    [InlineData("task.language=fr", "has no utteran")]
    public void MisfitsAreNamed(string change, string reason)
    {
        CaldException error = Assert.Throws<CaldException>(() =>
        {
            Recipe recipe = Small(classes: false, change).Variant("unguided");
            Session(recipe).Convert(recipe, null, _folder["misfit"]);
        });
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ClipsThatCannotBeUsedEndTheRunOrAreCounted()
    {
        string table = Path.Combine(_folder["clips"], "transcripts.tsv");
        File.AppendAllText(table, "gone.wav\ttrain\ten\tx\t1.0\thello\thello\n");
        CaldException error = Assert.Throws<CaldException>(() => Session(Small(classes: false)));
        Assert.Contains("gone.wav", error.Message, StringComparison.Ordinal);
        ProgressRecorder recorder = new();
        Recipe skipping = Small(classes: false, "task.bad_clips=skip");
        ConversionSession session = new(skipping, new SessionOptions { Device = Cpu, Progress = recorder });
        Assert.Equal(Clips, session.Data.Rows);
        Assert.Contains(recorder.Lines, line => line.Contains("gone.wav", StringComparison.Ordinal) || line.Contains("1 ", StringComparison.Ordinal));
    }

    private const int Clips = 6;

    private static string Source => TestFiles.InCheckout("weights/wav2vec2-tiny");

    private static Device Cpu => TinyTask.Cpu;

    private static BuildContext Context() => BuildContext.For(Cpu, 0);

    private static ConversionSession Session(Recipe recipe) => new(recipe, new SessionOptions { Device = Cpu });

    private Recipe Small(bool classes, params string[] changes) => Recipe.Load(
        "speech-demo",
        [
            "task.kind=transcripts", $"task.data={_folder["clips"]}", $"model.source={Source}", "teacher.max_steps=2", "training.max_steps=2", "teacher.batch_size=3", "training.batch_size=3",
            "teacher.waypoint_every=1",
            .. classes ? (string[])["task.targets=[speaker]", "task.metric=accuracy", "guidance.alpha_kl=0"] : [],
            .. changes,
        ]);

    private static void WriteClips(string folder)
    {
        Directory.CreateDirectory(folder);
        Random random = new(1);
        List<string> lines = ["file\tsplit\tlang\tspeaker\tseconds\ttext\tnorm"];
        for (int i = 0; i < Clips + 4; i++)
        {
            float[] wave = [.. Enumerable.Range(0, 8000 + random.Next(6000)).Select(t => (float)((0.3 * Math.Sin(t * 0.05 * ((i % 3) + 1))) + (0.05 * random.NextDouble())))];
            WavWriter.Write(Path.Combine(folder, $"{i}.wav"), wave, 16_000);
            string part = i < Clips ? "train" : i < Clips + 2 ? "valid" : "test";
            lines.Add($"{i}.wav\t{part}\ten\tspeaker{i % 2}\t{wave.Length / 16000.0:F2}\tA tone.\ta tone");
        }

        File.WriteAllLines(Path.Combine(folder, "transcripts.tsv"), lines);
    }
}
