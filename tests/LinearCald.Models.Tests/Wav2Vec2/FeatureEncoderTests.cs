using FsCheck.Fluent;
using LinearCald.Models.Wav2Vec2;
using LinearCald.Nn;
using LinearCald.Tensors;
using LinearCald.Tensors.Memory;

namespace LinearCald.Models.Tests.Wav2Vec2;

/// <summary>Frames of samples: their number, and that a wave in pieces gives the frames of the whole.</summary>
public sealed class FeatureEncoderTests
{
    private static FeatureEncoder Encoder(string kind, out Wav2Vec2Config config)
    {
        config = SpeechModels.Config(kind);
        FeatureEncoder encoder = new(BuildContext.For(SpeechModels.Cpu, 6), config);
        Random random = new(2);
        foreach ((_, Parameter parameter) in encoder.NamedParameters())
        {
            parameter.Value.Set<float>([.. parameter.Value.ToArray<float>().Select(v => (float)(v + (0.2 * random.NextDouble())))]); // off the start of norms and biases
        }

        return encoder;
    }

    [Fact]
    public void FramesAreCountedAsHuggingFaceDoes()
    {
        Wav2Vec2Config published = new();
        Assert.Equal(400, published.ReceptiveField);
        Assert.Equal(320, published.Stride);
        Assert.Equal(499, published.Frames(160_000));
        Assert.Equal(179_999, published.Frames(3600L * 16_000));
        Assert.Equal(0, published.Frames(399));
        Assert.Equal(0, published.Frames(0));
        Prop.ForAll(Gen.Choose(1, 1_000_000).ToArbitrary(), frames =>
        {
            long samples = published.SamplesOf(frames);
            Assert.Equal(400 + (320 * (frames - 1L)), samples);
            Assert.Equal((frames - 1, frames, frames, frames + 1), (published.Frames(samples - 1), published.Frames(samples), published.Frames(samples + 319), published.Frames(samples + 320)));
        }).Holds(50);
    }

    [Theory]
    [InlineData("base")]
    [InlineData("large")]
    public void PiecesOfAWaveGiveTheFramesOfTheWhole(string kind)
    {
        using FeatureEncoder encoder = Encoder(kind, out _);
        Prop.ForAll(Gen.Choose(0, 10_000).ToArbitrary(), seed =>
        {
            using MemoryScope scope = MemoryScope.Begin();
            Random random = new(seed);
            int length = 16 + random.Next(600);
            Tensor samples = Tensor.From(SpeechModels.Cpu, new Shape(3, length), SpeechModels.Wave(3 * length, seed));
            float[] whole = encoder.Whole(samples, ForwardContext.Inference).ToArray<float>();
            LanguageModels.Close(whole, encoder.InPieces(samples, ForwardContext.Inference, 1 + random.Next(40)).ToArray<float>(), "pieces");
            LanguageModels.Close(whole, encoder.InRows(samples, ForwardContext.Inference, 1 + random.Next(3)).ToArray<float>(), "rows");
        }).Holds(15);
    }

    [Theory]
    [InlineData("base")]
    [InlineData("large")]
    public void ALongWavePassesInPieces(string kind)
    {
        const int Length = 2_500_000;
        using FeatureEncoder encoder = Encoder(kind, out _);
        using MemoryScope scope = MemoryScope.Begin();
        Tensor samples = Tensor.From(SpeechModels.Cpu, new Shape(1, Length), SpeechModels.Wave(Length, 1));
        LanguageModels.Close(encoder.Whole(samples, ForwardContext.Inference).ToArray<float>(), encoder.Forward(samples, ForwardContext.Inference).ToArray<float>());
    }

    [Fact]
    public void TheMomentsOfPatchesAreThoseOfEveryChannel()
    {
        Prop.ForAll(Gen.Choose(0, 10_000).ToArbitrary(), seed =>
        {
            Random random = new(seed);
            (int kernel, int stride, double offset) = (1 + random.Next(7), 1 + random.Next(5), random.Next(3) * 1000.0);
            float[] x = [.. SpeechModels.Wave(kernel + random.Next(300), seed).Select(v => (float)(v + offset))];
            double[] w = [.. Enumerable.Range(0, kernel).Select(_ => random.NextDouble() - 0.5)];
            double[] outputs = [.. Enumerable.Range(0, ((x.Length - kernel) / stride) + 1).Select(t => w.Select((v, k) => v * x[(t * stride) + k]).Sum())];
            double mean = outputs.Average();
            (double actualMean, double actualVariance) = PatchMoments.Of(x, kernel, stride).Of(w);
            Assert.Equal(mean, actualMean, 1e-9 * (1 + Math.Abs(mean)));
            Assert.Equal(outputs.Average(v => (v - mean) * (v - mean)), actualVariance, 1e-9);
        }).Holds(50);
    }

    [Fact]
    public void AWaveShorterThanAFrameIsRefused()
    {
        using Wav2Vec2ForCTC model = SpeechModels.Recogniser("large");
        CaldException error = Assert.Throws<CaldException>(() => model.Features(Tensor.Zeros(SpeechModels.Cpu, DType.Float32, new Shape(2, 15))));
        Assert.Contains("15 samples is shorter than the 16", error.Message, StringComparison.Ordinal);
        Assert.Contains("[batch, samples]", Assert.Throws<CaldException>(() => model.Features(Tensor.Zeros(SpeechModels.Cpu, DType.Float32, new Shape(15)))).Message, StringComparison.Ordinal);
    }
}
