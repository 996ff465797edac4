using System.Globalization;
using System.Runtime.InteropServices;
using LinearCald.Data.Batching;
using LinearCald.Data.Speech;
using LinearCald.Data.Tasks;
using LinearCald.Distillation.Classification;
using LinearCald.Distillation.Guidance;
using LinearCald.Distillation.Language;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Reporting;
using LinearCald.Distillation.Speech;
using LinearCald.Distillation.Tests.Language;
using LinearCald.Distillation.Training;
using LinearCald.Models.GptNeoX;
using LinearCald.Models.Linformer;
using LinearCald.Models.Mamba;
using LinearCald.Models.Roberta;
using LinearCald.Models.Wav2Vec2;
using LinearCald.Nn;
using LinearCald.Tensors;

namespace LinearCald.Distillation.Tests.Training;

/// <summary>A guided conversion of random weights on random data, on any device, one for each kind of task. Two layers of width 16.</summary>
internal sealed record TinyConversion : IDisposable
{
    private static readonly RobertaConfig s_roberta = new()
    {
        VocabularySize = 40,
        HiddenSize = 16,
        Layers = 2,
        Heads = 2,
        IntermediateSize = 32,
        MaximumPositions = 20,
        InitialiserRange = 0.2,
        Labels = ["red", "green"],
    };

    private static readonly GptNeoXConfig s_language = new()
    {
        VocabularySize = 176,
        HiddenSize = 16,
        Layers = 2,
        Heads = 2,
        IntermediateSize = 32,
        MaximumPositions = 16,
        InitialiserRange = 0.2,
    };

    public required TrainingData Data { get; init; }

    public required TaskMetric Metric { get; init; }

    public required GuidanceRecipe Guidance { get; init; }

    public required Func<Device, TaskModel> Teacher { get; init; }

    public required Func<Device, TaskModel> Student { get; init; }

    /// <summary>No evaluation and no checkpoint but at the end.</summary>
    public TrainingRecipe Training { get; init; } = new()
    {
        Lr = 1e-3,
        MaxSteps = 50,
        BatchSize = 4,
        EvaluateEvery = 1_000_000,
        CheckpointEvery = 1_000_000,
        ClipNorm = 1,
        WeightDecay = 0.01,
    };

    private IDisposable? Files { get; init; }

    /// <summary>A Linformer classifier of texts of up to 12 tokens, dropout on; 24 training texts.</summary>
    /// <param name="layers">Of teacher and student.</param>
    public static TinyConversion Text(int layers = 2)
    {
        RobertaConfig config = s_roberta with { Layers = layers };
        Random random = new(1);
        return new TinyConversion
        {
            Data = new ClassificationData(s_roberta.Labels, Part(24), Part(2), null, s_roberta),
            Metric = TaskMetric.Accuracy,
            Guidance = new GuidanceRecipe { AlphaLayer = 3, AlphaKl = 0.5, TeacherMode = TeacherMode.Train },
            Teacher = device => new ClassifierModel(new RobertaForSequenceClassification(BuildContext.For(device, 1), config)),
            Student = device => new ClassifierModel(new RobertaForSequenceClassification(
                BuildContext.For(device, 2), config with { Linformer = new LinformerConfig(4, ProjectionSharing.Kv, s_roberta.MaximumPositions) })),
        };

        TokenizedDataset Part(int count) => TokenizedDataset.Tokenize(
            [.. Enumerable.Range(0, count).Select(i => new TextExample(string.Join(' ', Enumerable.Range(0, random.Next(3, 13)).Select(_ => random.Next(5, 40))), null, i % 2))],
            Encode,
            12,
            threads: 1);
    }

    /// <summary>A Mamba language model on rows of 12 tokens.</summary>
    public static TinyConversion Language() => new()
    {
        Data = TinyLanguage.Data(),
        Metric = TaskMetric.Perplexity,
        Guidance = new GuidanceRecipe { AlphaLayer = 3, AlphaKl = 0.5, Normalisation = StateNormalisation.Layernorm, KlReduction = KlReduction.Tokens },
        Teacher = Transformer,
        Student = device =>
        {
            using LanguageTaskModel source = Transformer(device);
            return new LanguageTaskModel(MambaConversion.Convert(source.Model, MambaConfig.For(16), BuildContext.For(device, 2)));
        },
    };

    /// <summary>A BiMamba-2 recogniser with CTC on 12 clips of a third of a second, whose transcripts differ in length, in two micro-batches an update.</summary>
    public static TinyConversion Speech(bool freezesEncoder = true)
    {
        Wav2Vec2Config config = TinySpeech.Config(student: false) with { LayerDrop = 0, SpecAugment = false, CtcZeroInfinity = true };
        TinySpeech clips = new();
        SpeechExample[] examples = [.. Enumerable.Range(0, 14).Select(i => clips.Clip($"clip{i}", 5200, "abcdefg"[..(1 + (i % 7))]))];
        TinyConversion speech = new()
        {
            Files = clips,
            Data = new SpeechData(
                new SpeechCorpus("noise", new SpeechSplit(examples[..12], examples[12..], []), [], []), TinySpeech.Vocabulary, config, new TaskRecipe(), SilentProgress.Instance),
            Metric = TaskMetric.Wer,
            Guidance = new GuidanceRecipe { AlphaLayer = 3, AlphaKl = 0.5, Normalisation = StateNormalisation.Layernorm, KlReduction = KlReduction.Tokens },
            Teacher = device => new SpeechTaskModel(Transformer(device), freezesEncoder: true),
            Student = device =>
            {
                using Wav2Vec2ForCTC source = Transformer(device);
                return new SpeechTaskModel(Wav2Vec2Files.Convert(source, TinySpeech.Config(student: true).BiMamba2!, BuildContext.For(device, 2)), freezesEncoder);
            },
        };
        return speech with { Training = speech.Training with { GradientAccumulation = 2 } };

        Wav2Vec2ForCTC Transformer(Device device) => new(BuildContext.For(device, 1), config);
    }

    /// <summary>Trains a student.</summary>
    /// <param name="device">Where.</param>
    /// <param name="recordings">Kinds of micro-batches that may be recorded; null: as the device can.</param>
    /// <param name="onStep">Told of every update when its losses are read.</param>
    public ConversionOutcome Run(Device device, int? recordings = null, Action<StepReport>? onStep = null)
    {
        using TemporaryFolder folder = new();
        using TaskModel student = Student(device);
        using FrozenGuide guide = new(Teacher(device), Guidance, Data.TotalUpdates(Training), Training.GradientAccumulation, 7);
        List<double> losses = [];
        (_, Dictionary<string, float[]> weights, (int kinds, long replays)) = new TinyTraining
        {
            Model = student,
            Guide = guide,
            Optimisation = Training,
            Guidance = Guidance,
            Data = Data,
            Metric = Metric,
            Device = device,
            Recordings = recordings,
            OnStep = step =>
            {
                losses.AddRange([step.TaskLoss, step.LayerLoss, step.KlLoss, step.GradientNorm]);
                onStep?.Invoke(step);
            },
        }.Run(folder.Path);
        return new ConversionOutcome(losses, weights, kinds, replays);
    }

    public void Dispose() => Files?.Dispose();

    private static LanguageTaskModel Transformer(Device device) => new(new GptNeoXForCausalLM(BuildContext.For(device, 1), s_language));

    private static int[] Encode(string text, string? pair, int maxLength, out bool truncated)
    {
        truncated = false;
        return [.. text.Split(' ').Select(id => int.Parse(id, CultureInfo.InvariantCulture))];
    }
}

/// <summary>What a run came to.</summary>
/// <param name="Losses">Task, layer and output loss and gradient norm of every update.</param>
/// <param name="Weights">Of the student at the end, by name.</param>
/// <param name="Kinds">Kinds of micro-batches that were recorded.</param>
/// <param name="Replays">Micro-batches that were replayed.</param>
internal sealed record ConversionOutcome(IReadOnlyList<double> Losses, Dictionary<string, float[]> Weights, int Kinds, long Replays)
{
    /// <summary>Fails unless all numbers are the other run's, bit for bit, and the losses finite.</summary>
    public void AssertSame(ConversionOutcome other)
    {
        // In float16 the first gradients may overflow until the scale has been lowered; the norm tells.
        Assert.All(Losses.Where((_, i) => i % 4 != 3), loss => Assert.True(double.IsFinite(loss)));
        AssertSameBits(other);
    }

    /// <summary>Fails unless all numbers are the other run's, bit for bit.</summary>
    public void AssertSameBits(ConversionOutcome other)
    {
        Assert.Equal(Losses.Select(BitConverter.DoubleToInt64Bits), other.Losses.Select(BitConverter.DoubleToInt64Bits));
        Assert.Equal(Weights.Keys, other.Weights.Keys);
        Assert.Empty(Weights.Where(w => !MemoryMarshal.AsBytes<float>(w.Value).SequenceEqual(MemoryMarshal.AsBytes<float>(other.Weights[w.Key]))).Select(w => w.Key));
    }
}
