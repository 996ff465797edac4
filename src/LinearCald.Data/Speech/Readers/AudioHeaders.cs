using LinearCald.Data.Audio;

namespace LinearCald.Data.Speech.Readers;

/// <summary>Length of an audio file by its header.</summary>
/// <param name="SampleRate">Its own rate, in Hz.</param>
/// <param name="Frames">Sample frames in that rate.</param>
/// <param name="Fault">Why it cannot be read; null when it can.</param>
internal readonly record struct AudioLength(int SampleRate, long Frames, string? Fault);

/// <summary>Reads the headers of many files, several at a time.</summary>
internal static class AudioHeaders
{
    /// <summary>The length of every file; a file that cannot be read has a fault instead of a length.</summary>
    /// <param name="files">Paths; those that come more than once are read once.</param>
    /// <param name="threads">Threads; 0 = one a core.</param>
    public static Dictionary<string, AudioLength> Read(IEnumerable<string> files, int threads)
    {
        string[] distinct = [.. files.Distinct(StringComparer.Ordinal)];
        AudioLength[] lengths = new AudioLength[distinct.Length];
        Parallel.For(0, distinct.Length, new ParallelOptions { MaxDegreeOfParallelism = threads <= 0 ? Environment.ProcessorCount : threads }, i =>
        {
            try
            {
                AudioInfo info = AudioFile.Probe(distinct[i]);
                lengths[i] = new AudioLength(info.SampleRate, info.Frames, null);
            }
            catch (CaldException fault)
            {
                lengths[i] = new AudioLength(0, 0, fault.Message);
            }
        });
        Dictionary<string, AudioLength> result = new(distinct.Length, StringComparer.Ordinal);
        for (int i = 0; i < distinct.Length; i++)
        {
            result.Add(distinct[i], lengths[i]);
        }

        return result;
    }

    /// <summary>Samples after resampling to 16 kHz: ⌈n·16,000/rate⌉.</summary>
    public static long SamplesAt16K(long frames, int rate) => (long)Int128.DivRem(((Int128)frames * SpeechCorpus.SampleRate) + rate - 1, rate).Quotient;
}
