using System.Buffers.Binary;

namespace LinearCald.Data.Audio.Files.Flac;

/// <summary>The STREAMINFO block of a FLAC file, RFC 9639 section 8.2.</summary>
/// <param name="SmallestBlock">Samples of a channel in the smallest block but the last.</param>
/// <param name="LargestBlock">Samples of a channel in the largest block.</param>
/// <param name="SampleRate">In Hz.</param>
/// <param name="Channels">1–8.</param>
/// <param name="Bits">Of a sample, 4–32.</param>
/// <param name="Frames">Samples of a channel in the whole stream; 0: unknown.</param>
/// <param name="Checksum">MD5 of the decoded samples; all zeros: not computed.</param>
internal sealed record FlacStreamInfo(int SmallestBlock, int LargestBlock, int SampleRate, int Channels, int Bits, long Frames, byte[] Checksum)
{
    private const int InfoBytes = 34;

    /// <summary>Reads the marker and all metadata blocks; leaves the source at the first frame.</summary>
    /// <exception cref="CaldException">The metadata is damaged.</exception>
    public static FlacStreamInfo Read(AudioSource source)
    {
        Span<byte> head = stackalloc byte[4];
        source.ReadExactly(head, "the FLAC marker");
        FlacStreamInfo? info = null;
        bool last = false;
        while (!last)
        {
            long start = source.Position;
            source.ReadExactly(head, "the FLAC metadata");
            last = (head[0] & 0x80) != 0;
            int kind = head[0] & 0x7F, bytes = BinaryPrimitives.ReadInt32BigEndian(head) & 0xFFFFFF;
            if (kind == 127 || (kind == 0) != (info is null))
            {
                throw source.Error(start, info is null
                    ? $"the FLAC metadata begins with a block of type {kind}; type 0 (STREAMINFO) must come first, so the file is damaged"
                    : $"a FLAC metadata block of type {kind} is not allowed here; the file is damaged");
            }

            if (info is null)
            {
                info = Parse(source, start, bytes);
            }
            else
            {
                source.Skip(bytes, "the FLAC metadata");
            }
        }

        return info!;
    }

    private static FlacStreamInfo Parse(AudioSource source, long start, int bytes)
    {
        if (bytes != InfoBytes)
        {
            throw source.Error(start, $"the FLAC STREAMINFO block has {bytes} bytes; {InfoBytes} are expected, so the file is damaged");
        }

        Span<byte> raw = stackalloc byte[InfoBytes];
        source.ReadExactly(raw, "the FLAC STREAMINFO block");
        int smallest = BinaryPrimitives.ReadUInt16BigEndian(raw), largest = BinaryPrimitives.ReadUInt16BigEndian(raw[2..]);
        ulong packed = BinaryPrimitives.ReadUInt64BigEndian(raw[10..]); // 20 bits rate, 3 channels − 1, 5 bits − 1, 36 frames
        int rate = (int)(packed >> 44), channels = (int)((packed >> 41) & 7) + 1, bits = (int)((packed >> 36) & 31) + 1;
        AudioLimits.Check(source, start + 14, rate, channels);
        if (smallest < 16 || largest < smallest || bits < 4)
        {
            throw source.Error(start + 4, $"the FLAC STREAMINFO block claims blocks of {smallest}–{largest} samples of {bits} bits; 16–65535 samples of 4–32 bits are possible, so it is damaged");
        }

        return new FlacStreamInfo(smallest, largest, rate, channels, bits, (long)(packed & 0xF_FFFF_FFFF), raw[18..].ToArray());
    }
}
