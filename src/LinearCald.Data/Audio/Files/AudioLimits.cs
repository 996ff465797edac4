namespace LinearCald.Data.Audio.Files;

/// <summary>What a header may claim before it is taken for damaged.</summary>
internal static class AudioLimits
{
    /// <summary>Of a frame.</summary>
    public const int Channels = 1024;

    /// <summary>In Hz; below it lies no speech, and resampling would blow a small file up.</summary>
    public const int LowestRate = 1_000;

    /// <summary>In Hz.</summary>
    public const int HighestRate = 1_048_576;

    /// <summary>Refuses rates and channel counts that no recording has.</summary>
    /// <param name="source">The file.</param>
    /// <param name="position">The byte where the header says it.</param>
    /// <param name="rate">Claimed, in Hz.</param>
    /// <param name="channels">Claimed.</param>
    public static void Check(AudioSource source, long position, long rate, long channels)
    {
        if (rate is < LowestRate or > HighestRate)
        {
            throw source.Error(position, $"the header claims a sample rate of {rate} Hz; audio has {LowestRate}–{HighestRate} Hz, so it is damaged");
        }

        if (channels is < 1 or > Channels)
        {
            throw source.Error(position, $"the header claims {channels} channels; audio has 1–{Channels}, so it is damaged");
        }
    }
}
