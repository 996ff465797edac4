using LinearCald.Data.Batching;
using LinearCald.Data.Speech;

namespace LinearCald.Data.Tests.Speech;

public class SpeechAudioTests
{
    [Fact]
    public void Waves_have_zero_mean_and_unit_variance_when_asked()
    {
        using SpeechFolder folder = Corpus();
        SpeechExample example = folder.Read(SpeechFormat.Transcripts).Parts.Train[0];
        float[] wave = new SpeechAudio().Load(example);
        Assert.InRange(wave.Sum(x => (double)x) / wave.Length, -1e-6, 1e-6);
        Assert.InRange(wave.Sum(x => (double)x * x) / wave.Length, 0.9999, 1.0001);
        Assert.InRange(new SpeechAudio(normalise: false).Load(example).Max(), 0.29f, 0.31f);
    }

    [Fact]
    public void Segments_are_parts_of_their_file()
    {
        using SpeechFolder folder = Corpus();
        SpeechExample whole = folder.Read(SpeechFormat.Transcripts).Parts.Train[1];
        SpeechAudio audio = new(1 << 20, normalise: false);
        SpeechExample part = whole with { Samples = 500, FirstFrame = 700, Frames = 500 };
        Assert.Equal(audio.Load(whole)[700..1200], audio.Load(part));
        Assert.Equal(2, audio.Decoded);
        Assert.Same(audio.Load(part), audio.Load(part with { Name = "the same" }));
    }

    [Fact]
    public void A_cache_decodes_once_within_its_limit()
    {
        using SpeechFolder folder = Corpus();
        IReadOnlyList<SpeechExample> examples = folder.Read(SpeechFormat.Transcripts).Parts.Train;
        SpeechAudio roomy = new(cacheBytes: 1 << 20), tight = new(cacheBytes: 2 * 1610 * sizeof(float)), none = new();
        foreach (SpeechAudio audio in (SpeechAudio[])[roomy, tight, none])
        {
            for (int round = 0; round < 2; round++)
            {
                foreach (SpeechExample example in examples)
                {
                    Assert.Equal(example.Samples, audio.Load(example).Length);
                }
            }
        }

        Assert.Equal((3, 4 * (1600 + 1608 + 1610)), (roomy.Decoded, roomy.CachedBytes));
        Assert.Equal((4, 4 * (1600 + 1608)), (tight.Decoded, tight.CachedBytes)); // the third never fits
        Assert.Equal((6, 0), (none.Decoded, none.CachedBytes));
    }

    [Fact]
    public void Threads_share_a_cache()
    {
        using SpeechFolder folder = Corpus();
        IReadOnlyList<SpeechExample> examples = folder.Read(SpeechFormat.Transcripts).Parts.Train;
        SpeechAudio audio = new(cacheBytes: 1 << 20);
        float[][] waves = [.. examples.Select(new SpeechAudio().Load)];
        Parallel.For(0, 60, i => Assert.Equal(waves[i % 3], audio.Load(examples[i % 3])));
        Assert.Equal(4 * (1600 + 1608 + 1610), audio.CachedBytes);
    }

    [Fact]
    public void A_file_that_changed_meanwhile_reaches_whoever_takes_its_batch()
    {
        using SpeechFolder folder = Corpus();
        IReadOnlyList<SpeechExample> examples = folder.Read(SpeechFormat.Transcripts).Parts.Train;
        SpeechAudio audio = new(1 << 20);
        folder.WithAudio(0.5, 16000, "1.wav");
        using Prefetcher<float[]> waves = new(number => audio.Load(examples[(int)number]), end: 3);
        CaldException error = Assert.Throws<CaldException>(() => waves.Take(0));
        Assert.Contains("1.wav", error.Message, StringComparison.Ordinal);
        Assert.Contains("8000 samples", error.Message, StringComparison.Ordinal);
        Assert.Equal(1608, waves.Take(1).Length);
    }

    [Fact]
    public void Frames_are_those_of_the_convolutions()
    {
        int[] kernels = [10, 3, 3, 3, 3, 2, 2], strides = [5, 2, 2, 2, 2, 2, 2];
        for (int samples = 0; samples < 5000; samples++)
        {
            long frames = samples;
            for (int layer = 0; layer < kernels.Length; layer++)
            {
                frames = frames < kernels[layer] ? 0 : ((frames - kernels[layer]) / strides[layer]) + 1;
            }

            Assert.Equal(frames, SpeechFrames.Count(samples));
        }

        Assert.Equal(499, SpeechFrames.Count(160_000));
        Assert.Equal((0, 1, 3, 5), (SpeechFrames.Needed([]), SpeechFrames.Needed([4]), SpeechFrames.Needed([4, 4]), SpeechFrames.Needed([1, 1, 1])));
    }

    private static SpeechFolder Corpus() => new SpeechFolder()
        .WithAudio(0.1, 16000, "1.wav").WithAudio(1608 / 16000.0, 16000, "2.wav").WithAudio(805 / 8000.0, 8000, "3.wav")
        .With("transcripts.tsv", "file\ttext", "1.wav\ta", "2.wav\tba", "3.wav\tcab");
}
