using LinearCald.Data.Audio;

namespace LinearCald.Data.Tests.Audio;

public class SharedSpeechTests
{
    /// <summary>Each file has the digest of its samples, which the reader compares.</summary>
    [SharedTheory("data/speech")]
    [InlineData("asterisk")]
    [InlineData("fsdd")]
    public void Every_recording_decodes_and_has_its_length(string corpus)
    {
        string folder = TestFiles.InShared($"data/speech/{corpus}")!;
        int files = 0;
        foreach (string path in Directory.EnumerateFiles(folder, "*.flac", SearchOption.AllDirectories))
        {
            AudioInfo info = AudioFile.Probe(path);
            AudioClip clip = AudioFile.Read(path);
            Assert.Equal((16_000, 1), (info.SampleRate, info.Channels));
            Assert.Equal(info.Frames, clip.Samples.Length);
            Assert.True(clip.Samples.Min() >= -1 && clip.Samples.Max() < 1, path);
            files++;
        }

        Assert.True(files > 100);
    }
}
