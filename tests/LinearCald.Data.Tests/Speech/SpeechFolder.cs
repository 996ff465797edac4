using System.Text;
using LinearCald.Data.Audio;
using LinearCald.Data.Speech;

namespace LinearCald.Data.Tests.Speech;

/// <summary>A temporary folder with a corpus of speech.</summary>
internal sealed class SpeechFolder : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public string Path => _folder.Path;

    /// <summary>Writes lines, each ended by LF.</summary>
    public SpeechFolder With(string name, params string[] lines)
    {
        _folder.Write(name, Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => line + "\n"))));
        return this;
    }

    /// <summary>Writes audio files of one length: a sine whose frequency depends on the name.</summary>
    public SpeechFolder WithAudio(double seconds, int rate, params string[] names)
    {
        foreach (string name in names)
        {
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(_folder[name])!);
            double step = 2 * Math.PI * (300 + (name.Sum(c => c) % 300)) / rate;
            WavWriter.Write(_folder[name], [.. Enumerable.Range(0, (int)(seconds * rate)).Select(i => 0.3f * (float)Math.Sin(step * i))], rate);
        }

        return this;
    }

    public SpeechCorpus Read(SpeechFormat format, SpeechOptions? options = null) => SpeechCorpora.Read(format, Path, options ?? new SpeechOptions());

    /// <summary>Reads what cannot be read, and checks that the message says these things.</summary>
    public void Refuses(SpeechFormat format, SpeechOptions? options, params string[] said)
    {
        CaldException error = Assert.Throws<CaldException>(() => Read(format, options));
        Assert.All(said, part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
    }

    public void Dispose() => _folder.Dispose();
}
