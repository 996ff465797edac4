using System.Buffers.Binary;
using LinearCald.Data.Audio.Files;
using LinearCald.Nn.Files;

namespace LinearCald.Data.Audio;

/// <summary>
/// Writes WAV files. Integer encodings hold full scale ±1, rounded to the nearest step and clipped. More than two channels or more than 16 bits get the
/// extensible header that the format asks for; past 4 GiB the file is RF64.
/// </summary>
public static class WavWriter
{
    private const int ChunkFrames = 4096;

    /// <summary>Writes a file, whole or not at all.</summary>
    /// <param name="path">The file to replace.</param>
    /// <param name="samples">[frames × channels], channels side by side.</param>
    /// <param name="sampleRate">In Hz.</param>
    /// <param name="encoding">How a sample is stored.</param>
    /// <param name="channels">Samples of a frame.</param>
    /// <exception cref="CaldException">An argument is out of range, a sample is NaN or infinite, or the disk refuses.</exception>
    public static void Write(string path, ReadOnlySpan<float> samples, int sampleRate, WavEncoding encoding = WavEncoding.Pcm16, int channels = 1)
    {
        Check(path, samples, sampleRate, channels);
        byte[] header = Header(samples.Length, sampleRate, encoding, channels);
        long bytes = header.Length + ((long)samples.Length * Encoding(encoding).Bytes());
        unsafe
        {
            fixed (float* first = samples)
            {
                nint address = (nint)first; // a span cannot be captured; it is pinned until the write returns
                int length = samples.Length;
                AtomicFile.Write(path, bytes, stream => WriteBody(stream, header, new ReadOnlySpan<float>((float*)address, length), encoding));
            }
        }
    }

    /// <summary>Writes to a stream, which need not be able to seek and stays open.</summary>
    /// <inheritdoc cref="Write(string, ReadOnlySpan{float}, int, WavEncoding, int)"/>
    public static void Write(Stream stream, ReadOnlySpan<float> samples, int sampleRate, WavEncoding encoding = WavEncoding.Pcm16, int channels = 1)
    {
        ArgumentNullException.ThrowIfNull(stream);
        Check("WAV", samples, sampleRate, channels);
        WriteBody(stream, Header(samples.Length, sampleRate, encoding, channels), samples, encoding);
    }

    private static void Check(string name, ReadOnlySpan<float> samples, int sampleRate, int channels)
    {
        if (sampleRate < 1)
        {
            throw new CaldException($"{name}: cannot be written with a sample rate of {sampleRate} Hz; it must be positive");
        }

        if (channels is < 1 or > AudioLimits.Channels || samples.Length % channels != 0)
        {
            throw new CaldException(
                $"{name}: {samples.Length} samples cannot be written as frames of {channels} channels; give 1–{AudioLimits.Channels} channels and whole frames");
        }

        int bad = Waveform.FirstUnsound(samples);
        if (bad >= 0)
        {
            throw new CaldException($"{name}: sample {bad} is {samples[bad]}; only finite samples can be written");
        }
    }

    private static SampleEncoding Encoding(WavEncoding encoding) => encoding switch
    {
        WavEncoding.Pcm8 => SampleEncoding.Unsigned8,
        WavEncoding.Pcm16 => SampleEncoding.Signed16,
        WavEncoding.Pcm24 => SampleEncoding.Signed24,
        WavEncoding.Pcm32 => SampleEncoding.Signed32,
        WavEncoding.Float32 => SampleEncoding.Float32,
        WavEncoding.Float64 => SampleEncoding.Float64,
        WavEncoding.ALaw => SampleEncoding.ALaw,
        WavEncoding.MuLaw => SampleEncoding.MuLaw,
        _ => throw new ArgumentOutOfRangeException(nameof(encoding), encoding, null),
    };

    /// <summary>Everything before the samples.</summary>
    private static byte[] Header(int samples, int sampleRate, WavEncoding encoding, int channels)
    {
        int width = Encoding(encoding).Bytes();
        long data = (long)samples * width, padded = data + (data & 1);
        ushort tag = encoding switch
        {
            WavEncoding.Float32 or WavEncoding.Float64 => WavTags.Float,
            WavEncoding.ALaw => WavTags.ALaw,
            WavEncoding.MuLaw => WavTags.MuLaw,
            _ => WavTags.Pcm,
        };
        bool extensible = channels > 2 || (tag == WavTags.Pcm && width > 2);
        int formatBytes = extensible ? 40 : tag == WavTags.Pcm ? 16 : 18;
        int factBytes = tag == WavTags.Pcm ? 0 : 12;
        long riff = 4 + 8 + formatBytes + factBytes + 8 + padded;
        bool wide = riff > uint.MaxValue;
        byte[] bytes = new byte[12 + (wide ? 36 : 0) + 8 + formatBytes + factBytes + 8];
        Span<byte> at = bytes;
        Text(ref at, wide ? "RF64" : "RIFF");
        Word(ref at, wide ? uint.MaxValue : (uint)riff);
        Text(ref at, "WAVE");
        if (wide)
        {
            Text(ref at, "ds64");
            Word(ref at, 28);
            BinaryPrimitives.WriteInt64LittleEndian(at, riff + 36);
            BinaryPrimitives.WriteInt64LittleEndian(at[8..], data);
            BinaryPrimitives.WriteInt64LittleEndian(at[16..], samples / channels);
            at = at[28..]; // ends with an empty table
        }

        Text(ref at, "fmt ");
        Word(ref at, (uint)formatBytes);
        BinaryPrimitives.WriteUInt16LittleEndian(at, extensible ? WavTags.Extensible : tag);
        BinaryPrimitives.WriteUInt16LittleEndian(at[2..], (ushort)channels);
        BinaryPrimitives.WriteInt32LittleEndian(at[4..], sampleRate);
        BinaryPrimitives.WriteUInt32LittleEndian(at[8..], (uint)Math.Min((long)sampleRate * width * channels, uint.MaxValue));
        BinaryPrimitives.WriteUInt16LittleEndian(at[12..], (ushort)(width * channels));
        BinaryPrimitives.WriteUInt16LittleEndian(at[14..], (ushort)(width * 8));
        if (extensible)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(at[16..], 22);
            BinaryPrimitives.WriteUInt16LittleEndian(at[18..], (ushort)(width * 8));
            BinaryPrimitives.WriteUInt16LittleEndian(at[24..], tag); // the channel mask before it stays 0: no positions given
            WavTags.GuidTail.CopyTo(at[26..]);
        }

        at = at[formatBytes..];
        if (factBytes > 0)
        {
            Text(ref at, "fact");
            Word(ref at, 4);
            Word(ref at, (uint)(samples / channels));
        }

        Text(ref at, "data");
        Word(ref at, wide ? uint.MaxValue : (uint)data);
        return bytes;
    }

    private static void Text(ref Span<byte> at, string text)
    {
        System.Text.Encoding.ASCII.GetBytes(text, at);
        at = at[4..];
    }

    private static void Word(ref Span<byte> at, uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(at, value);
        at = at[4..];
    }

    private static void WriteBody(Stream stream, ReadOnlySpan<byte> header, ReadOnlySpan<float> samples, WavEncoding encoding)
    {
        SampleEncoding stored = Encoding(encoding);
        int width = stored.Bytes();
        byte[] chunk = new byte[ChunkFrames * width];
        stream.Write(header);
        for (int done = 0; done < samples.Length;)
        {
            int count = Math.Min(samples.Length - done, ChunkFrames);
            SampleCodes.Encode(stored, samples.Slice(done, count), chunk);
            stream.Write(chunk, 0, count * width);
            done += count;
        }

        if (((long)samples.Length * width & 1) != 0)
        {
            stream.WriteByte(0);
        }
    }
}
