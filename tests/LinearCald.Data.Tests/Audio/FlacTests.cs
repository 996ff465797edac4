using System.Buffers.Binary;
using System.Security.Cryptography;
using FsCheck;
using FsCheck.Fluent;
using LinearCald.Data.Audio;

namespace LinearCald.Data.Tests.Audio;

public class FlacTests
{
    private static Gen<FlacChoice> Choices(int bits) =>
        from kind in Gen.Choose(0, 3)
        from order in kind == 2 ? Gen.Choose(0, 4) : Gen.Choose(1, 32)
        from precision in Gen.Choose(2, 15)
        from coefficients in Gen.Choose(-(1 << (precision - 1)), (1 << (precision - 1)) - 1).ArrayOf(order)
        from shift in Gen.Choose(0, 15)
        from partitions in Gen.Choose(0, 5)
        from parameter in Gen.Choose(-1, 30)
        from wasted in Gen.Choose(0, 3)
        select new FlacChoice(kind, order, coefficients, precision, shift, partitions, parameter, Math.Min(wasted, bits - 1));

    private static Gen<(int[][] Channels, int Bits, int[] Blocks, int Stereo, FlacChoice[] Choices)> Streams =>
        from bits in Gen.Choose(4, 32)
        from count in Gen.Frequency((3, Gen.Constant(1)), (3, Gen.Constant(2)), (1, Gen.Choose(3, 8)))
        from stereo in count == 2 ? Gen.Elements(0, 8, 9, 10) : Gen.Constant(0)
        from fixedSize in Gen.Elements(true, false)
        from size in Gen.Choose(16, 300)
        from last in Gen.Choose(1, size)
        from sizes in fixedSize ? Gen.Constant(size).ArrayOf(2) : Gen.Choose(16, 300).ArrayOf(3)
        let blocks = sizes.Append(fixedSize ? last : size).ToArray()
        from smoothness in Gen.Choose(0, 3)
        from zeros in Gen.Choose(0, 3)
        from seed in Gen.Choose(0, int.MaxValue - 1)
        from choices in Choices(bits).ArrayOf(count)
        select (Channels(count, blocks.Sum(), bits, smoothness, zeros, seed), bits, blocks, stereo, choices);

    /// <summary>Random samples over the whole range, or smooth ones, or one value; with zeros at the low end.</summary>
    private static int[][] Channels(int count, int length, int bits, int smoothness, int zeros, int seed)
    {
        Random random = new(seed);
        long largest = (1L << (bits - 1)) - 1, smallest = -largest - 1;
        int[][] channels = new int[count][];
        for (int c = 0; c < count; c++)
        {
            channels[c] = new int[length];
            long value = random.NextInt64(smallest, largest + 1);
            for (int i = 0; i < length; i++)
            {
                value = smoothness switch
                {
                    0 => random.NextInt64(smallest, largest + 1),
                    1 => random.Next(9) == 0 ? smallest : random.Next(8) == 0 ? largest : value,
                    2 => Math.Clamp(value + random.Next(-5, 6), smallest, largest),
                    _ => value,
                };
                channels[c][i] = (int)(value >> zeros << zeros);
            }
        }

        return channels;
    }

    [Fact]
    public void Every_way_to_code_a_frame_is_decoded_exactly() =>
        Prop.ForAll(Streams.ToArbitrary(), c =>
        {
            int length = c.Channels[0].Length;
            byte[] file = FlacWriter.File(c.Channels, c.Bits, 16_000, c.Blocks, c.Stereo, c.Choices, Digest(c.Channels, c.Bits), length);
            float[] expected = Mean(c.Channels, c.Bits);
            Assert.Equal(expected, Read(file).Samples);

            // From a pipe, with a length that is not known in advance, and in parts.
            byte[] open = FlacWriter.File(c.Channels, c.Bits, 16_000, c.Blocks, c.Stereo, c.Choices, new byte[16], 0);
            Assert.Equal(expected, AudioFile.Read(new PipeStream(open), "pipe", AudioFile.OwnRate).Samples);

            // The digest is of every sample: one more or another is noticed.
            c.Channels[^1][length / 2] ^= 1;
            byte[] other = FlacWriter.File(c.Channels, c.Bits, 16_000, c.Blocks, c.Stereo, c.Choices, SHA256.HashData([1])[..16], length);
            Assert.Contains("MD5", Assert.Throws<CaldException>(() => Read(other)).Message);
        }).Holds(400);

    [Fact]
    public void Parts_are_the_parts_of_the_whole()
    {
        int[][] channels = Channels(2, 80_000, 16, 0, 0, 5);
        FlacChoice plain = new(1, 0, [], 2, 0, 0, 0, 0), fixedOrder = new(2, 2, [], 2, 0, 3, 9, 0);
        using TemporaryFolder folder = new();
        foreach (int[] blocks in new[] { [.. Enumerable.Repeat(640, 125)], Enumerable.Range(0, 200).Select(i => i % 2 == 0 ? 700 : 100).ToArray() })
        {
            string path = folder["x.flac"];
            File.WriteAllBytes(path, FlacWriter.File(channels, 16, 16_000, blocks, 8, [plain, fixedOrder], new byte[16], 80_000));
            float[] whole = AudioFile.Read(path, AudioFile.OwnRate).Samples;
            var cases = from first in Gen.Choose(0, 79_999) from count in Gen.Choose(1, 5000) select (first, Math.Min(count, 80_000 - first));
            Prop.ForAll(cases.ToArbitrary(), c =>
                Assert.Equal(whole[c.first..(c.first + c.Item2)], AudioFile.Read(path, AudioFile.OwnRate, c.first, c.Item2).Samples)).Holds(60);
            Assert.Contains("goes beyond the end", Assert.Throws<CaldException>(() => AudioFile.Read(path, 0, 79_999, 2)).Message);
        }
    }

    /// <summary>Files of the reference encoder; the samples follow from the formulas of tools/make_flac_assets.py.</summary>
    [Theory]
    [InlineData("lpc16", 1, 16, 16_000)]
    [InlineData("fixed16", 1, 16, 16_000)]
    [InlineData("constant16", 1, 16, 16_000)]
    [InlineData("verbatim16", 1, 16, 16_000)]
    [InlineData("wasted16", 1, 16, 16_000)]
    [InlineData("midside16", 2, 16, 44_100)]
    [InlineData("leftside16", 2, 16, 44_100)]
    [InlineData("lpc24", 2, 24, 48_000)]
    [InlineData("eight", 1, 8, 8_000)]
    [InlineData("wide32", 2, 32, 16_000)]
    [InlineData("six16", 6, 16, 48_000)]
    [InlineData("piped16", 1, 16, 16_000)]
    public void Files_of_the_reference_encoder_give_their_samples(string name, int channels, int bits, int rate)
    {
        byte[] file = FlacAssets.Bytes(name);
        int[][] expected = FlacAssets.Samples(name, channels, bits);
        AudioClip clip = Read(file);
        Assert.Equal(rate, clip.SampleRate);
        Assert.Equal(Mean(expected, bits), clip.Samples);
    }

    [Theory]
    [InlineData("cut in a frame", "ends within a FLAC frame")]
    [InlineData("cut between frames", "ends after 200 of 300 sample frames")]
    [InlineData("cut in the header", "ends within the FLAC")]
    [InlineData("bit", "checksum of the FLAC frame")]
    [InlineData("head", "checksum of a frame's header")]
    [InlineData("garbage", "no frame begins here")]
    [InlineData("missing frame", "where 100 is due")]
    [InlineData("fewer promised", "the header promises 250")]
    [InlineData("rate", "sample rate of 0 Hz")]
    [InlineData("empty", "holds no samples")]
    [InlineData("no info", "STREAMINFO")]
    public void Damage_has_one_clear_error(string kind, string expected)
    {
        int[][] channels = Channels(1, 300, 16, 0, 0, 1);
        FlacChoice plain = new(1, 0, [], 2, 0, 0, 0, 0);
        byte[] File(long frames, int rate = 16_000) => FlacWriter.File(channels, 16, rate, [100, 100, 100], 0, [plain], new byte[16], frames);
        byte[] file = File(300);
        int header = 4 + 38 + 7, frame = (file.Length - header) / 3;
        byte[] damaged = kind switch
        {
            "cut in a frame" => file[..^7],
            "cut between frames" => file[..^frame],
            "cut in the header" => file[..30],
            "bit" => Flip(file, header + 50),
            "head" => Flip(file, header + 4),
            "garbage" => Flip(file, header),
            "missing frame" => [.. file[..(header + frame)], .. file[(header + (2 * frame))..]],
            "fewer promised" => File(250),
            "rate" => File(300, 0),
            "empty" => FlacWriter.File(channels, 16, 16_000, [100, 100, 100], 0, [plain], new byte[16], 0)[..header],
            _ => Flip(file, 4),
        };
        CaldException error = Assert.Throws<CaldException>(() => Read(damaged));
        Assert.Contains(expected, error.Message);
        Assert.Contains("test.flac", error.Message);
    }

    private static byte[] Flip(byte[] file, int at)
    {
        byte[] flipped = [.. file];
        flipped[at] ^= 1;
        return flipped;
    }

    private static AudioClip Read(byte[] file) => AudioFile.Read(new MemoryStream(file), "test.flac", AudioFile.OwnRate);

    private static float[] Mean(int[][] channels, int bits) =>
        [.. Enumerable.Range(0, channels[0].Length).Select(i => (float)(channels.Sum(c => (long)c[i]) / (double)channels.Length / (1L << (bits - 1))))];

    private static byte[] Digest(int[][] channels, int bits)
    {
        int width = (bits + 7) / 8;
        byte[] sample = new byte[4];
        List<byte> all = [];
        for (int i = 0; i < channels[0].Length; i++)
        {
            foreach (int[] channel in channels)
            {
                BinaryPrimitives.WriteInt32LittleEndian(sample, channel[i]);
                all.AddRange(sample[..width]);
            }
        }

#pragma warning disable CA5351 // the format has MD5; nothing is kept safe by it
        return MD5.HashData([.. all]);
#pragma warning restore CA5351
    }
}
