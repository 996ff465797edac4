using System.Buffers.Binary;
using FsCheck;
using FsCheck.Fluent;
using LinearCald.Data.Audio;

namespace LinearCald.Data.Tests.Audio;

public class WavTests
{
    private static readonly WavEncoding[] Encodings = Enum.GetValues<WavEncoding>();

    /// <summary>Half a step of the encoding, relative to full scale; the logarithmic codes have steps that grow with the sample.</summary>
    private static float Tolerance(WavEncoding encoding, float x) => encoding switch
    {
        WavEncoding.Pcm8 => 1f / 128,
        WavEncoding.Pcm16 => 1f / 32768,
        WavEncoding.Pcm24 => 1f / 8388608,
        WavEncoding.Pcm32 => 1e-7f,
        WavEncoding.ALaw or WavEncoding.MuLaw => (MathF.Abs(x) / 30) + (1f / 2048),
        _ => 0,
    };

    private static Gen<(WavEncoding Encoding, int Channels, int Rate, float[] Samples)> Cases =>
        from encoding in Gen.Elements(Encodings)
        from channels in Gen.Choose(1, 9)
        from rate in Gen.Choose(1_000, 200_000)
        from frames in Gen.Choose(1, 50)
        from samples in Gen.Choose(-40_000, 40_000).Select(x => x / 32768f).ArrayOf(frames * channels)
        select (encoding, channels, rate, samples);

    [Fact]
    public void What_is_written_is_read_in_every_encoding_and_channel_count()
    {
        using TemporaryFolder folder = new();
        Prop.ForAll(Cases.ToArbitrary(), c =>
        {
            string path = folder["x.wav"];
            WavWriter.Write(path, c.Samples, c.Rate, c.Encoding, c.Channels);
            int frames = c.Samples.Length / c.Channels;
            AudioInfo info = AudioFile.Probe(path);
            Assert.Equal((c.Rate, c.Channels, frames), (info.SampleRate, info.Channels, info.Frames));
            AudioClip clip = AudioFile.Read(path, AudioFile.OwnRate);
            Assert.Equal((c.Rate, frames), (clip.SampleRate, clip.Samples.Length));
            bool clips = c.Encoding is not (WavEncoding.Float32 or WavEncoding.Float64);
            for (int i = 0; i < frames; i++)
            {
                float[] expected = [.. c.Samples.Skip(i * c.Channels).Take(c.Channels).Select(x => clips ? Math.Clamp(x, -1, 1) : x)];
                float tolerance = expected.Max(x => Tolerance(c.Encoding, x)) + 1e-6f;
                Assert.Equal(expected.Average(), clip.Samples[i], tolerance);
            }

            // The same from a pipe, and in parts.
            Assert.Equal(clip.Samples, AudioFile.Read(new PipeStream(File.ReadAllBytes(path)), "pipe", AudioFile.OwnRate).Samples);
            int first = frames / 3, count = Math.Max(1, frames / 2);
            Assert.Equal(clip.Samples[first..(first + count)], AudioFile.Read(path, AudioFile.OwnRate, first, count).Samples);
        }).Holds(200);
    }

    [Fact]
    public void Sixteen_bit_values_survive_exactly()
    {
        float[] samples = [.. Enumerable.Range(short.MinValue, 65536).Select(x => x / 32768f)];
        foreach (WavEncoding encoding in new[] { WavEncoding.Pcm16, WavEncoding.Pcm24, WavEncoding.Pcm32, WavEncoding.Float32, WavEncoding.Float64 })
        {
            Assert.Equal(samples, Read(Written(samples, encoding)).Samples);
        }
    }

    /// <summary>Values of the tables in ITU-T G.711: codes of silence, the smallest and largest steps.</summary>
    [Fact]
    public void Logarithmic_codes_are_those_of_the_standard()
    {
        byte[] mu = Header(7, 1, 8000, 1, 8, [0xFF, 0x7F, 0xFE, 0x80, 0x00, 0xEF]);
        Assert.Equal([0, 0, 8, 32124, -32124, 132], Read(mu).Samples.Select(x => (int)(x * 32768)));
        byte[] a = Header(6, 1, 8000, 1, 8, [0xD5, 0x55, 0xD4, 0xAA, 0x2A, 0xC5]);
        Assert.Equal([8, -8, 24, 32256, -32256, 264], Read(a).Samples.Select(x => (int)(x * 32768)));
        foreach (WavEncoding encoding in new[] { WavEncoding.MuLaw, WavEncoding.ALaw })
        {
            byte[] all = Header(encoding == WavEncoding.ALaw ? (ushort)6 : (ushort)7, 1, 8000, 1, 8, [.. Enumerable.Range(0, 256).Select(x => (byte)x)]);
            float[] values = Read(all).Samples;
            Assert.Equal(values, Read(Written(values, encoding)).Samples); // each value is its own nearest code
        }
    }

    [Fact]
    public void Unknown_chunks_odd_sizes_and_placeholders_are_understood()
    {
        byte[] plain = Header(1, 1, 16000, 2, 16, [1, 0, 2, 0, 3, 0]);
        float[] expected = [1 / 32768f, 2 / 32768f, 3 / 32768f];
        Assert.Equal(expected, Read(plain).Samples);

        byte[] odd = [.. plain[..12], .. "LIST"u8, 3, 0, 0, 0, 9, 9, 9, 0, .. plain[12..], .. "cue "u8, 1, 0, 0, 0, 7, 0];
        Assert.Equal(expected, Read(odd).Samples);

        foreach ((uint riff, uint data) in new[] { (0u, 0u), (36u, 0u), (uint.MaxValue, uint.MaxValue), (0x7FFFF024u, 0x7FFFF000u), (0x80000024u, 0x80000000u) })
        {
            byte[] open = [.. plain];
            BinaryPrimitives.WriteUInt32LittleEndian(open.AsSpan(4), riff);
            BinaryPrimitives.WriteUInt32LittleEndian(open.AsSpan(40), data);
            Assert.Equal(expected, Read(open).Samples);
            Assert.Equal(expected, AudioFile.Read(new PipeStream(open), "-").Samples);
        }

        byte[] wide = [.. "RF64"u8, 255, 255, 255, 255, .. "WAVE"u8, .. "ds64"u8, 28, 0, 0, 0, .. new byte[8], 6, .. new byte[7], .. new byte[12], .. plain[12..40], 255, 255, 255, 255, .. plain[44..], 1, 2, 3];
        Assert.Equal(expected, Read(wide).Samples);

        byte[] twelveBits = Header(1, 1, 16000, 2, 12, [0, 64]);
        Assert.Equal([0.5f], Read(twelveBits).Samples);
    }

    [Theory]
    [InlineData("empty", "is empty")]
    [InlineData("noise", "no audio")]
    [InlineData("text", "no audio")]
    [InlineData("RIFF", "RIFF header")]
    [InlineData("AVI", "'AVI '")]
    [InlineData("cut", "promises 6 bytes of samples, the file ends after 5")]
    [InlineData("cut chunk", "within chunk 'fmt '")]
    [InlineData("no data", "holds no samples")]
    [InlineData("data first", "before the 'fmt ' chunk")]
    [InlineData("channels", "claims 0 channels")]
    [InlineData("rate", "rate of 0 Hz")]
    [InlineData("huge rate", "rate of 4294967295 Hz")]
    [InlineData("align", "block align of 3 bytes contradicts")]
    [InlineData("bits", "samples of 40 bits")]
    [InlineData("half frame", "no whole number of frames")]
    [InlineData("huge chunk", "within chunk 'JUNK'")]
    [InlineData("zero samples", "holds no samples")]
    [InlineData("short extensible", "extensible")]
    [InlineData("negative ds64", "'ds64' chunk claims -1")]
    public void Damage_has_one_clear_error(string kind, string expected)
    {
        byte[] plain = Header(1, 1, 16000, 2, 16, [1, 0, 2, 0, 3, 0]);
        byte[] file = kind switch
        {
            "empty" => [],
            "noise" => [.. Enumerable.Range(0, 999).Select(i => (byte)(i * 7 % 251))],
            "text" => [.. "once upon a time there was no audio in this file"u8],
            "RIFF" => plain[..10],
            "AVI" => [.. plain[..8], .. "AVI "u8, .. plain[12..]],
            "cut" => plain[..^1],
            "cut chunk" => plain[..30],
            "no data" => plain[..36],
            "data first" => [.. plain[..12], .. plain[36..]],
            "channels" => Header(1, 0, 16000, 0, 16, [0, 0]),
            "rate" => Header(1, 1, 0, 2, 16, [0, 0]),
            "huge rate" => Header(1, 1, uint.MaxValue, 2, 16, [0, 0]),
            "align" => Header(1, 1, 16000, 3, 16, [0, 0, 0]),
            "bits" => Header(1, 1, 16000, 5, 40, [0, 0, 0, 0, 0]),
            "half frame" => Header(1, 2, 16000, 4, 16, [0, 0, 0, 0, 0, 0]),
            "huge chunk" => [.. plain[..12], .. "JUNK"u8, 255, 255, 255, 255, .. plain[12..]],
            "zero samples" => [.. Header(1, 1, 16000, 2, 16, []), .. "LIST"u8, 0, 0, 0, 0],
            "short extensible" => Header(0xFFFE, 1, 16000, 2, 16, [0, 0]),
            _ => [.. "RF64"u8, 255, 255, 255, 255, .. "WAVE"u8, .. "ds64"u8, 28, 0, 0, 0, .. new byte[8], .. Enumerable.Repeat((byte)255, 8), .. new byte[12], .. plain[12..]],
        };
        CaldException error = Assert.Throws<CaldException>(() => Read(file));
        Assert.Contains(expected, error.Message);
        Assert.Contains("test.wav", error.Message);
    }

    [Theory]
    [InlineData(WavEncoding.Float32, float.NaN)]
    [InlineData(WavEncoding.Float32, float.NegativeInfinity)]
    [InlineData(WavEncoding.Float64, float.PositiveInfinity)]
    public void Samples_that_are_not_finite_are_named(WavEncoding encoding, float bad)
    {
        byte[] file = Written(new float[100], encoding);
        int width = encoding == WavEncoding.Float32 ? 4 : 8, at = file.Length - (23 * width);
        if (width == 4)
        {
            BinaryPrimitives.WriteSingleLittleEndian(file.AsSpan(at), bad);
        }
        else
        {
            BinaryPrimitives.WriteDoubleLittleEndian(file.AsSpan(at), bad);
        }

        Assert.Contains($"byte {at}: sample frame 77 is", Assert.Throws<CaldException>(() => Read(file)).Message);
        using TemporaryFolder folder = new();
        Assert.Equal((1L, 0f, 0f), AudioFile.Inspect(folder.Write("x", file)) is var report ? (report.NotFinite, report.Lowest, report.Highest) : default);
        Assert.Throws<CaldException>(() => Written([0, bad], WavEncoding.Pcm16));
    }

    [Fact]
    public void Audio_is_recognised_and_measured()
    {
        using TemporaryFolder folder = new();
        string path = folder.Write("no-ending", Written([0.5f, -0.25f, 0.25f, -0.5f], WavEncoding.Pcm24));
        AudioReport report = AudioFile.Inspect(path);
        Assert.Equal(new AudioInfo(16000, 1, 4, "WAV, 24-bit PCM"), report.Info);
        Assert.Equal((-0.5f, 0.5f, 0.0, 0L), (report.Lowest, report.Highest, report.Mean, report.NotFinite));
        Assert.Equal(Math.Sqrt(0.625 / 4), report.Level, 1e-9);
        Assert.True(AudioFile.IsAudio(path) && AudioFile.IsAudio(folder.Write("x.WAV", [1, 2, 3])));
        Assert.False(AudioFile.IsAudio(folder.Write("x.txt", [1, 2, 3])) || AudioFile.IsAudio(folder.Path) || AudioFile.IsAudio(folder["none.wav"]));
    }

    [Fact]
    public void Parts_beyond_the_end_are_refused()
    {
        using TemporaryFolder folder = new();
        string path = folder["x.wav"];
        WavWriter.Write(path, new float[100], 16000);
        Assert.Single(AudioFile.Read(path, firstFrame: 99).Samples);
        foreach ((long first, long count) in new[] { (100L, -1L), (50, 51), (0, 101), (long.MaxValue, 1), (0, 0), (-1, 5), (3, -2) })
        {
            Assert.Contains("x.wav", Assert.Throws<CaldException>(() => AudioFile.Read(path, 16000, first, count)).Message);
        }

        Assert.Contains("does not exist", Assert.Throws<CaldException>(() => AudioFile.Read(folder["y.wav"])).Message);
        Assert.Contains("cannot be read at 5 Hz", Assert.Throws<CaldException>(() => AudioFile.Read(path, 5)).Message);
    }

    /// <summary>A plain header, whatever it says, and the samples.</summary>
    internal static byte[] Header(ushort tag, ushort channels, uint rate, ushort align, ushort bits, byte[] data)
    {
        byte[] file = new byte[44 + data.Length];
        "RIFF"u8.CopyTo(file);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(4), file.Length + 8); // as with a chunk behind the samples
        "WAVEfmt "u8.CopyTo(file.AsSpan(8));
        file[16] = 16;
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(20), tag);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(22), channels);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(24), rate);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(32), align);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(34), bits);
        "data"u8.CopyTo(file.AsSpan(36));
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(40), data.Length);
        data.CopyTo(file, 44);
        return file;
    }

    internal static byte[] Written(float[] samples, WavEncoding encoding, int channels = 1)
    {
        using MemoryStream stream = new();
        WavWriter.Write(stream, samples, 16000, encoding, channels);
        return stream.ToArray();
    }

    private static AudioClip Read(byte[] file) => AudioFile.Read(new MemoryStream(file), "test.wav", AudioFile.OwnRate);
}
