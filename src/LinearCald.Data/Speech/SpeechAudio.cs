using System.Collections.Concurrent;
using LinearCald.Data.Audio;

namespace LinearCald.Data.Speech;

/// <summary>
/// Decodes utterances into what models take: one channel, 16 kHz, normalised over the utterance. As many as fit a limit are kept in memory, so
/// that a small corpus is decoded once. Any thread may use it.
/// </summary>
public sealed class SpeechAudio
{
    // How far the decoded length may be from the header's: compressed formats round.
    private const int Slack = SpeechCorpus.SampleRate / 10;

    private readonly ConcurrentDictionary<(string File, long FirstFrame, long Frames), float[]> _kept = new();
    private readonly long _limit;
    private readonly bool _normalise;
    private long _bytes;
    private long _decoded;

    /// <param name="cacheBytes">Memory for decoded utterances; 0 = none are kept. What does not fit any more is decoded each time.</param>
    /// <param name="normalise">To zero mean and unit variance, as the preprocessor configurations of most models ask for.</param>
    public SpeechAudio(long cacheBytes = 0, bool normalise = true)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(cacheBytes);
        _limit = cacheBytes;
        _normalise = normalise;
    }

    /// <summary>Bytes of utterances that are kept.</summary>
    public long CachedBytes => Interlocked.Read(ref _bytes);

    /// <summary>How often an utterance was decoded.</summary>
    public long Decoded => Interlocked.Read(ref _decoded);

    /// <summary>The samples of an utterance; not to be changed, others may have the same array.</summary>
    /// <exception cref="CaldException">The file cannot be decoded, or has another length than its header said when the corpus was read.</exception>
    public float[] Load(SpeechExample example)
    {
        ArgumentNullException.ThrowIfNull(example);
        (string, long, long) key = (example.File, example.FirstFrame, example.Frames);
        if (_kept.TryGetValue(key, out float[]? samples))
        {
            return samples;
        }

        samples = AudioFile.Read(example.File, SpeechCorpus.SampleRate, example.FirstFrame, example.Frames).Samples;
        Interlocked.Increment(ref _decoded);
        if (Math.Abs((long)samples.Length - example.Samples) > Slack)
        {
            throw new CaldException(
                $"{example.File}: {samples.Length} samples at 16 kHz where the header said {example.Samples}; the file is damaged, or was changed while in use");
        }

        if (_normalise)
        {
            Waveform.Normalise(samples);
        }

        long bytes = samples.Length * (long)sizeof(float);
        if (Interlocked.Add(ref _bytes, bytes) > _limit || !_kept.TryAdd(key, samples))
        {
            Interlocked.Add(ref _bytes, -bytes); // no room, or another thread was first
        }

        return samples;
    }
}
