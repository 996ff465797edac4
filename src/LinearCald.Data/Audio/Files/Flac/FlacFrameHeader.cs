using System.Buffers.Binary;
using System.Numerics;

namespace LinearCald.Data.Audio.Files.Flac;

/// <summary>How the channels of a frame are stored: each for itself, or two as one and their difference.</summary>
internal enum FlacStereo
{
    Independent,
    LeftSide,
    SideRight,
    MidSide,
}

/// <summary>The header of a FLAC frame, RFC 9639 section 9.1.</summary>
/// <param name="IsVariable">Whether <paramref name="Number"/> counts samples; otherwise frames.</param>
/// <param name="Number">Of the first sample or of the frame.</param>
/// <param name="BlockSize">Samples of a channel.</param>
/// <param name="Stereo">How two channels are stored.</param>
/// <param name="Bytes">Length of the header with its checksum.</param>
internal readonly record struct FlacFrameHeader(bool IsVariable, long Number, int BlockSize, FlacStereo Stereo, int Bytes)
{
    /// <summary>The longest header.</summary>
    public const int LargestBytes = 16;

    /// <summary>Whether two bytes may begin a frame.</summary>
    public static bool IsSync(byte first, byte second) => first == 0xFF && (second & 0xFE) == 0xF8;

    /// <summary>Reads the header at the start of <paramref name="raw"/>.</summary>
    /// <param name="raw">From the header on; fewer than <see cref="LargestBytes"/> only at the end of the file.</param>
    /// <param name="info">What the frame must agree with.</param>
    /// <param name="header">The result.</param>
    /// <returns>Null, or what is wrong.</returns>
    public static string? Parse(ReadOnlySpan<byte> raw, FlacStreamInfo info, out FlacFrameHeader header)
    {
        header = default;
        if (raw.Length < 6)
        {
            return "the file ends within a frame's header; it is cut short";
        }

        if (!IsSync(raw[0], raw[1]) || (raw[3] & 1) != 0)
        {
            return "no frame begins here; the file is damaged";
        }

        int sizeCode = raw[2] >> 4, rateCode = raw[2] & 15, channelCode = raw[3] >> 4, bitsCode = (raw[3] >> 1) & 7;
        int numberBytes = BitOperations.LeadingZeroCount((uint)(byte)~raw[4]) - 24; // leading ones, as in UTF-8
        int sizeBytes = sizeCode switch { 6 => 1, 7 => 2, _ => 0 }, rateBytes = rateCode switch { 12 => 1, 13 or 14 => 2, _ => 0 };
        int bytes = 4 + Math.Max(1, numberBytes) + sizeBytes + rateBytes + 1;
        if (numberBytes is 1 or 8 || raw.Length < bytes)
        {
            return "a frame's number is no valid code; the file is damaged or cut short";
        }

        if (FlacChecksums.Header(raw[..(bytes - 1)]) != raw[bytes - 1])
        {
            return "the checksum of a frame's header does not match; the file is damaged";
        }

        ReadOnlySpan<byte> rest = raw[(4 + Math.Max(1, numberBytes))..];
        int size = sizeCode switch
        {
            1 => 192,
            >= 2 and <= 5 => 144 << sizeCode,
            6 => rest[0] + 1,
            7 => BinaryPrimitives.ReadUInt16BigEndian(rest) + 1,
            >= 8 => 1 << sizeCode,
            _ => 0,
        };
        rest = rest[sizeBytes..];
        int rate = rateCode switch
        {
            0 => info.SampleRate,
            1 => 88_200,
            2 => 176_400,
            3 => 192_000,
            4 => 8_000,
            5 => 16_000,
            6 => 22_050,
            7 => 24_000,
            8 => 32_000,
            9 => 44_100,
            10 => 48_000,
            11 => 96_000,
            12 => rest[0] * 1000,
            13 => BinaryPrimitives.ReadUInt16BigEndian(rest),
            14 => BinaryPrimitives.ReadUInt16BigEndian(rest) * 10,
            _ => -1,
        };
        int channels = channelCode switch { < 8 => channelCode + 1, <= 10 => 2, _ => -1 };
        int bits = bitsCode switch { 0 => info.Bits, 1 => 8, 2 => 12, 4 => 16, 5 => 20, 6 => 24, 7 => 32, _ => -1 };
        if (size is 0 or > 65_535 || rate != info.SampleRate || channels != info.Channels || bits != info.Bits)
        {
            return $"a frame of {size} samples, {channels} channels, {rate} Hz and {bits} bits does not belong to a stream of {info.Channels} channels, {info.SampleRate} Hz and {info.Bits} bits";
        }

        long number = numberBytes == 0 ? raw[4] : raw[4] & (0x7F >> numberBytes);
        foreach (byte more in raw[5..(4 + Math.Max(1, numberBytes))])
        {
            number = (number << 6) | (uint)(more & 0x3F);
        }

        FlacStereo stereo = channelCode < 8 ? FlacStereo.Independent : (FlacStereo)(channelCode - 7);
        header = new FlacFrameHeader((raw[1] & 1) != 0, number, size, stereo, bytes);
        return null;
    }
}
