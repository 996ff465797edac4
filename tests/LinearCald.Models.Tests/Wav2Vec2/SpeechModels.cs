using LinearCald.Models.Wav2Vec2;
using LinearCald.Nn;
using LinearCald.Tensors;
using LinearCald.Tensors.Memory;

namespace LinearCald.Models.Tests.Wav2Vec2;

/// <summary>Small Wav2Vec2 models of every kind, and what tests ask of them. One frame sees 16 samples, the next one begins 12 later.</summary>
internal static class SpeechModels
{
    public static readonly Device Cpu = Device.Parse("cpu");

    public static readonly BiMamba2Config Mixer = BiMamba2Config.For(16, headSize: 8, stateSize: 4);

    private static readonly Wav2Vec2Config Base = new()
    {
        VocabularySize = 7,
        HiddenSize = 16,
        Layers = 2,
        Heads = 2,
        IntermediateSize = 24,
        InitialiserRange = 0.3,
        ConvolutionChannels = [8, 6, 10],
        ConvolutionKernels = [4, 3, 2],
        ConvolutionStrides = [3, 2, 2],
        PositionKernel = 6,
        PositionGroups = 2,
        HiddenDropout = 0,
        ActivationDropout = 0,
        AttentionDropout = 0,
        FinalDropout = 0,
        LayerDrop = 0,
        ClassifierProjection = 5,
        Targets = [new ClassificationTarget("tone", ["low", "high", "none"])],
    };

    private static readonly Wav2Vec2Config Large = Base with { LayerNormFeatures = true, ConvolutionBias = true, StableLayerNorm = true, PositionKernel = 5 };

    /// <summary>base or large, perhaps as student.</summary>
    public static Wav2Vec2Config Config(string kind) => kind switch
    {
        "base" => Base,
        "large" => Large,
        "base student" => Base with { BiMamba2 = Mixer with { ResidualInside = true } },
        "large student" => Large with { BiMamba2 = Mixer },
        "large student with biases" => Large with { BiMamba2 = Mixer with { ResidualInside = true, Mixer = Mixer.Mixer with { UseBias = true } } },
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "no such kind"),
    };

    public static Wav2Vec2ForCTC Recogniser(string kind, ulong seed = 1) => new(BuildContext.For(Cpu, seed), Config(kind));

    public static Wav2Vec2ForSequenceClassification Classifier(string kind, ulong seed = 1) => new(BuildContext.For(Cpu, seed), Config(kind));

    /// <summary>A wave of <paramref name="samples"/> samples.</summary>
    public static float[] Wave(int samples, int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, samples).Select(t => (float)(Math.Sin(t * 0.3 * (1 + (seed % 3))) + random.NextDouble() - 0.5))];
    }

    /// <summary>Waves side by side; what lies behind their ends comes from <paramref name="padding"/>.</summary>
    public static SpeechInput Batch(Wav2Vec2Config config, IReadOnlyList<float[]> waves, Func<int, float>? padding = null)
    {
        int longest = waves.Max(w => w.Length);
        float[] samples = [.. waves.SelectMany(w => w.Concat(Enumerable.Range(0, longest - w.Length).Select(i => padding?.Invoke(i) ?? 0)))];
        return SpeechInput.Create(config, Cpu, samples, [.. waves.Select(w => w.Length)]);
    }

    /// <summary>The outputs at the valid frames of each utterance, or one row an utterance of a classifier.</summary>
    public static float[][] Outputs(PretrainedWav2Vec2 model, SpeechInput input)
    {
        using MemoryScope scope = MemoryScope.Begin();
        Tensor logits = model.Forward(input, ForwardContext.Inference).Logits;
        float[] all = logits.ToArray<float>();
        int row = all.Length / logits.Shape[0];
        int[] frames = input.FrameLengths!.ToArray<int>();
        return [.. frames.Select((n, b) => all[(b * row)..((b * row) + (logits.Shape.Rank == 3 ? n * logits.Shape.Last : row))])];
    }
}
