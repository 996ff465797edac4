namespace LinearCald.Data.Audio.Files;

/// <summary>Where uncompressed samples lie in a file and how they are stored.</summary>
/// <param name="Container">For <see cref="AudioInfo.Format"/>.</param>
/// <param name="Encoding">How a sample is stored.</param>
/// <param name="SampleRate">In Hz.</param>
/// <param name="Channels">Samples of a frame.</param>
/// <param name="DataStart">Byte of the first sample.</param>
/// <param name="DataBytes">All samples; null: to the end of a stream of unknown length.</param>
internal sealed record PcmLayout(string Container, SampleEncoding Encoding, int SampleRate, int Channels, long DataStart, long? DataBytes)
{
    /// <summary>Bytes of a sample frame.</summary>
    public int FrameBytes => Channels * Encoding.Bytes();
}
