using System.Diagnostics;
using LinearCald.Data.Audio;
using LinearCald.Data.Audio.Files;

namespace LinearCald.Data.Tests.Audio;

public class AudioFuzzTests
{
    private const int Inputs = 120_000;
    private const long LargestAllocation = 24 << 20;

    /// <summary>
    /// Changed, cut, spliced and extended files give audio or the one exception, whatever their headers claim, without memory that the bytes at hand do
    /// not justify, and in time.
    /// </summary>
    [Fact]
    public void No_input_crashes_a_reader()
    {
        byte[][] seeds = Seeds();
        int[] read = new int[seeds.Length], refused = new int[seeds.Length];
        string? failure = null;
        Parallel.For(0, Inputs, (i, state) =>
        {
            Random random = new(i);
            int kind = i % seeds.Length;
            byte[] input = Mutate(seeds[kind], seeds[random.Next(seeds.Length)], random);
            long before = GC.GetAllocatedBytesForCurrentThread(), start = Stopwatch.GetTimestamp();
            try
            {
                Decode(input, random);
                Interlocked.Increment(ref read[kind]);
            }
            catch (CaldException e) when (e.Message.Contains("fuzz", StringComparison.Ordinal))
            {
                Interlocked.Increment(ref refused[kind]);
            }
            catch (Exception e)
            {
                failure = $"input {i} (seed file {kind}): {e}";
                state.Stop();
            }

            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            if (allocated > LargestAllocation || Stopwatch.GetElapsedTime(start) > TimeSpan.FromSeconds(5))
            {
                failure = $"input {i} (seed file {kind}): {allocated} bytes allocated, {Stopwatch.GetElapsedTime(start).TotalSeconds:F2} s";
                state.Stop();
            }
        });
        Assert.Null(failure);
        for (int kind = 0; kind < seeds.Length; kind++) // the mutations are neither all harmless nor all fatal
        {
            Assert.True(read[kind] > 20 && refused[kind] > 500, $"seed file {kind}: {read[kind]} read, {refused[kind]} refused");
        }
    }

    private static void Decode(byte[] input, Random random)
    {
        Stream stream = random.Next(4) == 0 ? new PipeStream(input) : new MemoryStream(input);
        using AudioDecoder decoder = AudioFormats.Open(new AudioSource(stream, "fuzz", ownsStream: true), useLibrary: false);
        bool part = random.Next(4) == 0;
        AudioClip clip = ClipReader.Read(decoder, random.Next(12) == 0 ? 16_000 : AudioFile.OwnRate, part ? random.Next(400) : 0, part && random.Next(2) == 0 ? random.Next(1, 200) : -1);
        Assert.NotEmpty(clip.Samples);
        Assert.DoesNotContain(clip.Samples, float.IsNaN);
    }

    private static byte[][] Seeds()
    {
        float[] samples = [.. Enumerable.Range(0, 240).Select(i => MathF.Sin(i / 7f))];
        FlacChoice linear = new(3, 8, [5, -3, 2, -1, 1, 0, 0, 1], 6, 2, 3, 11, 1), wide = new(2, 3, [], 2, 0, 2, 20, 0), plain = new(2, 1, [], 2, 0, 2, -1, 0);
        int[][] channels = [[.. Enumerable.Range(0, 400).Select(i => (i * i % 977) - 488)], [.. Enumerable.Range(0, 400).Select(i => (i * i % 971) - 488)]];
        byte[] wav = WavTests.Written(samples, WavEncoding.Pcm16);
        return
        [
            wav,
            WavTests.Written(samples, WavEncoding.Pcm24, 3),
            WavTests.Written(samples, WavEncoding.Float32, 2),
            WavTests.Written(samples, WavEncoding.MuLaw),
            [.. "RF64"u8, 255, 255, 255, 255, .. "WAVE"u8, .. "ds64"u8, 28, 0, 0, 0, .. new byte[8], 224, 1, .. new byte[18], .. wav[12..40], 255, 255, 255, 255, .. wav[44..]],
            FlacAssets.Bytes("constant16"),
            FlacAssets.Bytes("eight"),
            FlacAssets.Bytes("wasted16"),
            FlacWriter.File(channels, 16, 16_000, [100, 100, 100, 100], 10, [linear, wide], new byte[16], 400),
            FlacWriter.File(channels, 32, 16_000, [100, 60, 200, 40], 8, [linear, plain], new byte[16], 0),
            SphereTests.File("sample_coding -s3 pcm\nsample_n_bytes -i 2\nsample_byte_format -s2 10", 240, 8000, 1, [.. wav[44..]]),
            SphereTests.File("sample_coding -s4 ulaw", 240, 8000, 2, [.. wav[44..]]),
        ];
    }

    private static byte[] Mutate(byte[] seed, byte[] other, Random random)
    {
        List<byte> bytes = [.. seed];
        byte[] extremes = [0, 1, 0x7F, 0x80, 0xFE, 0xFF];
        for (int edits = random.Next(1, 5); edits > 0 && bytes.Count > 0; edits--)
        {
            // Headers are where most is decided: half of the edits go there.
            int at = random.Next(2) == 0 ? random.Next(Math.Min(bytes.Count, 64)) : random.Next(bytes.Count);
            switch (random.Next(8))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes[at] = extremes[random.Next(extremes.Length)];
                    break;
                case 3:
                    for (int i = at; i < Math.Min(bytes.Count, at + 4); i++)
                    {
                        bytes[i] = extremes[random.Next(extremes.Length)];
                    }

                    break;
                case 4:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                case 5:
                    bytes.RemoveRange(at, Math.Min(random.Next(1, 20), bytes.Count - at));
                    break;
                case 6:
                    bytes.InsertRange(at, Enumerable.Range(0, random.Next(1, 20)).Select(_ => (byte)random.Next(256)));
                    break;
                default:
                    int from = random.Next(other.Length), count = Math.Min(random.Next(1, 100), other.Length - from);
                    bytes.InsertRange(at, other[from..(from + count)]);
                    break;
            }
        }

        return [.. bytes];
    }
}
