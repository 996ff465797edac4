using System.Buffers.Binary;
using System.Text;

namespace LinearCald.Data.Audio.Files;

/// <summary>
/// Reads the chunks of a WAV file (RIFF or RF64) up to its samples. Sizes are believed only as far as the file reaches; writers to pipes leave
/// placeholders in them, which stand for "to the end".
/// </summary>
internal static class WavHeader
{
    private const int ExtensibleBytes = 40;

    /// <summary>Leaves the source at the first sample. Null when the encoding is none that is read here (ADPCM, GSM, …).</summary>
    /// <param name="source">At its start.</param>
    /// <param name="tag">The number of the encoding.</param>
    public static PcmLayout? Read(AudioSource source, out int tag)
    {
        tag = 0;
        Span<byte> head = stackalloc byte[12];
        source.ReadExactly(head, "the RIFF header");
        bool wide = !head.StartsWith("RIFF"u8);
        long riffBytes = BinaryPrimitives.ReadUInt32LittleEndian(head[4..]);
        if (!head[8..].SequenceEqual("WAVE"u8))
        {
            throw source.Error(8, $"a RIFF file of kind '{Name(head[8..])}' is no audio; WAVE is expected");
        }

        long? wideBytes = null;
        WavFormat? format = null;
        while (true)
        {
            long start = source.Position;
            Span<byte> chunk = head[..8];
            if (source.Read(chunk) is int got and < 8)
            {
                throw source.Error(start, got == 0
                    ? $"the file ends without a {(format is null ? "'fmt ' and a 'data'" : "'data'")} chunk: it holds no samples, or is cut short"
                    : "the file ends within the head of a chunk; it is cut short, so copy or convert it again");
            }

            long bytes = BinaryPrimitives.ReadUInt32LittleEndian(chunk[4..]);
            if (chunk.StartsWith("data"u8))
            {
                if (format is null)
                {
                    throw source.Error(start, "the 'data' chunk comes before the 'fmt ' chunk that describes it; the header is damaged");
                }

                long? data = IsPlaceholder(source, bytes, wideBytes, riffBytes) ? null : bytes == uint.MaxValue ? wideBytes : bytes;
                return Layout(source, format, wide ? "RF64 WAV" : "WAV", data);
            }

            string what = $"chunk '{Name(chunk)}'";
            if (chunk.StartsWith("fmt "u8))
            {
                format = WavFormat.Read(source, bytes, out tag);
                if (format.Encoding is null)
                {
                    return null;
                }
            }
            else if (wide && chunk.StartsWith("ds64"u8))
            {
                wideBytes = ReadWideSizes(source, bytes);
            }
            else
            {
                source.Skip(bytes, what);
            }

            if ((bytes & 1) != 0)
            {
                source.Skip(1, $"the padding of {what}");
            }
        }
    }

    /// <summary>Whether a data size means "to the end": what writers leave there that could not come back to fill it in.</summary>
    private static bool IsPlaceholder(AudioSource source, long bytes, long? wideBytes, long riffBytes) => bytes switch
    {
        0 => riffBytes <= source.Position - 8, // nor was the size of the RIFF chunk filled in: it says that the file ends here
        0x7FFFF000 or int.MaxValue or 0x80000000 => source.Length is not { } length || bytes > length - source.Position,
        uint.MaxValue => wideBytes is null or 0,
        _ => false,
    };

    /// <param name="bytes">Of samples, as the header says; null: up to the end.</param>
    private static PcmLayout Layout(AudioSource source, WavFormat format, string container, long? bytes)
    {
        long start = source.Position;
        PcmLayout layout = new(container, format.Encoding!.Value, format.SampleRate, format.Channels, start, bytes ?? source.Length - start);
        if (layout.DataBytes is not { } size)
        {
            return layout;
        }

        if (size > source.Length - start)
        {
            throw source.Error(start, $"the header promises {size} bytes of samples, the file ends after {source.Length - start}; it is cut short, so copy or convert it again");
        }

        long rest = size % layout.FrameBytes;
        if (bytes is null && rest == 1 && size % 2 == 0 && size > 1)
        {
            return layout with { DataBytes = size - 1 }; // up to the end is an odd number of bytes and their padding
        }

        return rest == 0
            ? layout
            : throw source.Error(start, $"{size} bytes of samples are no whole number of frames of {layout.FrameBytes} bytes; the header lies or the file is cut short");
    }

    /// <summary>The data size of a ds64 chunk, which comes after the RIFF size.</summary>
    private static long ReadWideSizes(AudioSource source, long bytes)
    {
        long start = source.Position;
        if (bytes < 28)
        {
            throw source.Error(start, $"the 'ds64' chunk has {bytes} bytes; 28 are needed, so the header is damaged");
        }

        Span<byte> sizes = stackalloc byte[28];
        source.ReadExactly(sizes, "chunk 'ds64'");
        source.Skip(bytes - 28, "chunk 'ds64'");
        long data = BinaryPrimitives.ReadInt64LittleEndian(sizes[8..]);
        return data >= 0 ? data : throw source.Error(start + 8, $"the 'ds64' chunk claims {data} bytes of samples; the header is damaged");
    }

    private static string Name(ReadOnlySpan<byte> code)
    {
        StringBuilder text = new();
        foreach (byte b in code[..4])
        {
            text.Append(b is >= 32 and < 127 ? (char)b : '?');
        }

        return text.ToString();
    }

    /// <summary>The contents of a <c>fmt </c> chunk.</summary>
    /// <param name="Encoding">Null: one that is not read here.</param>
    private sealed record WavFormat(SampleEncoding? Encoding, int SampleRate, int Channels)
    {
        public static WavFormat Read(AudioSource source, long bytes, out int tag)
        {
            long start = source.Position;
            if (bytes < 16)
            {
                throw source.Error(start, $"the 'fmt ' chunk has {bytes} bytes; 16 are needed, so the header is damaged");
            }

            Span<byte> head = stackalloc byte[(int)Math.Min(bytes, ExtensibleBytes)];
            source.ReadExactly(head, "chunk 'fmt '");
            source.Skip(bytes - head.Length, "chunk 'fmt '");
            tag = BinaryPrimitives.ReadUInt16LittleEndian(head);
            int channels = BinaryPrimitives.ReadUInt16LittleEndian(head[2..]);
            long rate = BinaryPrimitives.ReadUInt32LittleEndian(head[4..]);
            int align = BinaryPrimitives.ReadUInt16LittleEndian(head[12..]);
            int bits = BinaryPrimitives.ReadUInt16LittleEndian(head[14..]);
            if (tag == WavTags.Extensible)
            {
                if (head.Length < ExtensibleBytes)
                {
                    throw source.Error(start, $"an extensible 'fmt ' chunk of {bytes} bytes; {ExtensibleBytes} are needed, so the header is damaged");
                }

                tag = head[26..].SequenceEqual(WavTags.GuidTail) ? BinaryPrimitives.ReadUInt16LittleEndian(head[24..]) : 0;
            }

            if (tag is not (WavTags.Pcm or WavTags.Float or WavTags.ALaw or WavTags.MuLaw))
            {
                return new WavFormat(null, 0, 0);
            }

            AudioLimits.Check(source, start, rate, channels);
            SampleEncoding encoding = (tag, (bits + 7) / 8) switch
            {
                (WavTags.Pcm, 1) => SampleEncoding.Unsigned8,
                (WavTags.Pcm, 2) => SampleEncoding.Signed16,
                (WavTags.Pcm, 3) => SampleEncoding.Signed24,
                (WavTags.Pcm, 4) => SampleEncoding.Signed32,
                (WavTags.Float, 4) when bits == 32 => SampleEncoding.Float32,
                (WavTags.Float, 8) when bits == 64 => SampleEncoding.Float64,
                (WavTags.ALaw, 1) when bits == 8 => SampleEncoding.ALaw,
                (WavTags.MuLaw, 1) when bits == 8 => SampleEncoding.MuLaw,
                _ => throw source.Error(start + 14, $"samples of {bits} bits do not go with format tag {tag}; PCM has 1–32 bits, float 32 or 64, A-law and µ-law 8"),
            };
            return align == channels * encoding.Bytes()
                ? new WavFormat(encoding, (int)rate, channels)
                : throw source.Error(start + 12, $"a block align of {align} bytes contradicts {channels} channels of {bits} bits ({channels * encoding.Bytes()} bytes); the header is damaged");
        }
    }
}
