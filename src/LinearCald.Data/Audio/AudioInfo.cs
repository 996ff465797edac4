namespace LinearCald.Data.Audio;

/// <summary>What the header of an audio file says.</summary>
/// <param name="SampleRate">Sample frames a second.</param>
/// <param name="Channels">Samples of a frame.</param>
/// <param name="Frames">Sample frames of the file, in its own rate.</param>
/// <param name="Format">Container and encoding in words, such as <c>WAV, 16-bit PCM</c>.</param>
public sealed record AudioInfo(int SampleRate, int Channels, long Frames, string Format)
{
    /// <summary>Duration.</summary>
    public double Seconds => (double)Frames / SampleRate;
}
