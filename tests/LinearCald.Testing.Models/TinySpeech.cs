using LinearCald.Data.Audio;
using LinearCald.Data.Speech;
using LinearCald.Models.Wav2Vec2;
using LinearCald.Nn;
using LinearCald.Tensors;

namespace LinearCald.Testing;

/// <summary>Speech models with random weights and clips of noise on disk.</summary>
public sealed class TinySpeech : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static Device Device { get; } = Device.Parse("cpu");

    /// <summary>Ten tokens: blank, delimiter, unknown and seven letters.</summary>
    public static CharacterVocabulary Vocabulary { get; } =
        CharacterVocabulary.FromJson("""{"<pad>":0,"|":1,"<unk>":2,"a":3,"b":4,"c":5,"d":6,"e":7,"f":8,"g":9}""");

    /// <summary>Two layers of width 16 behind the usual convolutions.</summary>
    public static Wav2Vec2Config Config(bool student) => new()
    {
        VocabularySize = Vocabulary.Size,
        HiddenSize = 16,
        Layers = 2,
        Heads = 2,
        IntermediateSize = 32,
        ConvolutionChannels = [8, 8, 8, 8, 8, 8, 8],
        ConvolutionBias = true,
        LayerNormFeatures = true,
        StableLayerNorm = true,
        PositionKernel = 8,
        PositionGroups = 2,
        InitialiserRange = 0.5,
        BiMamba2 = student ? BiMamba2Config.For(16, headSize: 8, stateSize: 16) : null,
    };

    public static Wav2Vec2ForCTC Recogniser(bool student) => new(BuildContext.For(Device, 3), Config(student));

    public static Wav2Vec2ForSequenceClassification Classifier(bool student) => new(
        BuildContext.For(Device, 3), Config(student) with { Targets = [new ClassificationTarget("speaker", ["ann", "bob", "cy"]), new ClassificationTarget("mood", ["good", "bad"])] });

    /// <summary>A clip of so many samples at 16 kHz, as a file.</summary>
    public SpeechExample Clip(string name, int samples, string transcript = "", params int[] labels)
    {
        string path = _folder[name + ".wav"];
        WavWriter.Write(path, Noise(samples, name.Sum(c => c)), 16_000, WavEncoding.Float32);
        return new SpeechExample(name, path, transcript, samples) { Labels = labels };
    }

    public static float[] Noise(int samples, int seed)
    {
        Random random = new(seed);
        float[] noise = new float[samples];
        for (int i = 0; i < samples; i++)
        {
            noise[i] = (float)((random.NextDouble() - 0.5) * Math.Sin(i / (200.0 + (50 * seed))));
        }

        return noise;
    }

    public void Dispose() => _folder.Dispose();
}
