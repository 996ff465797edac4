using System.Text;
using LinearCald.Data.Audio;

namespace LinearCald.Data.Tests.Audio;

public class SphereTests
{
    [Fact]
    public void Both_byte_orders_and_logarithmic_codes_are_read()
    {
        float[] expected = [0.5f, -0.25f, 3 / 32768f];
        byte[] little = [0, 64, 0, 0xE0, 3, 0], big = [64, 0, 0xE0, 0, 0, 3];
        Assert.Equal(expected, Read(File("sample_coding -s3 pcm\nsample_n_bytes -i 2\nsample_byte_format -s2 01", 3, 16000, 1, little)));
        Assert.Equal(expected, Read(File("sample_n_bytes -i 2\nsample_byte_format -s2 10", 3, 16000, 1, big)));
        Assert.Equal([0.125f], Read(File("sample_n_bytes -i 2\nsample_byte_format -s2 01", 1, 16000, 2, little)));
        Assert.Equal([0.5f, -0.25f], Read(File("sample_n_bytes -i 3\nsample_byte_format -s3 210", 2, 16000, 1, [64, 0, 0, 0xE0, 0, 0])));
        Assert.Equal([0.5f], Read(File("sample_n_bytes -i 4\nsample_byte_format -s4 0123", 1, 16000, 1, [0, 0, 0, 64])));
        Assert.Equal([0, 8 / 32768f], Read(File("sample_coding -s4 ulaw\nsample_n_bytes -i 1", 2, 16000, 1, [0xFF, 0xFE])));
        Assert.Equal([24 / 32768f], Read(File("sample_coding -s4 alaw\nsample_n_bytes -i 1", 1, 16000, 1, [0xD4])));
    }

    [Fact]
    public void A_part_is_read_from_the_middle()
    {
        byte[] data = [.. Enumerable.Range(0, 1000).SelectMany(i => BitConverter.GetBytes((short)i))];
        using TemporaryFolder folder = new();
        string path = folder.Write("x.sph", File("sample_n_bytes -i 2\nsample_byte_format -s2 01", 1000, 16000, 1, data));
        Assert.Equal(new AudioInfo(16000, 1, 1000, "SPHERE, 16-bit PCM"), AudioFile.Probe(path));
        Assert.Equal(Enumerable.Range(700, 50).Select(i => i / 32768f), AudioFile.Read(path, 16000, 700, 50).Samples);
    }

    [Theory]
    [InlineData("sample_coding -s26 pcm,embedded-shorten-v2.00\nsample_n_bytes -i 2", 3, 16000, 1, "compressed (pcm,embedded-shorten-v2.00)")]
    [InlineData("sample_n_bytes -i 2", 4, 16000, 1, "promises 4 sample frames of 2 bytes, 6 bytes follow")]
    [InlineData("sample_n_bytes -i 2", -1, 16000, 1, "promises -1 sample frames")]
    [InlineData("sample_n_bytes -i 2", 0, 16000, 1, "holds no samples")]
    [InlineData("sample_n_bytes -i 2", 3, 0, 1, "sample rate of 0 Hz")]
    [InlineData("sample_n_bytes -i 2", 3, 16000, 0, "claims 0 channels")]
    [InlineData("sample_n_bytes -i 5", 1, 16000, 1, "and 5 bytes are not read")]
    [InlineData("sample_n_bytes -i two", 1, 16000, 1, "is 'two', no whole number")]
    [InlineData("comment -s3 abc", 1, 16000, 1, "has no sample_n_bytes")]
    public void Damage_has_one_clear_error(string fields, long frames, int rate, int channels, string expected)
    {
        CaldException error = Assert.Throws<CaldException>(() => Read(File(fields, frames, rate, channels, [0, 64, 0, 0xE0, 3, 0])));
        Assert.Contains(expected, error.Message);
        Assert.Contains("test.sph", error.Message);
    }

    [Fact]
    public void Headers_without_an_end_are_refused()
    {
        byte[] file = File("sample_n_bytes -i 2", 3, 16000, 1, [0, 64, 0, 0xE0, 3, 0]);
        Assert.Contains("within the SPHERE header", Assert.Throws<CaldException>(() => Read(file[..600])).Message);
        Assert.Contains("no end_head", Assert.Throws<CaldException>(() => Read(Encoding.ASCII.GetBytes(Encoding.ASCII.GetString(file[..1024]).Replace("end_head", "end-head", StringComparison.Ordinal)))).Message);
        Assert.Contains("this one is damaged", Assert.Throws<CaldException>(() => Read([.. "NIST_1A\n   99x4\n"u8, .. file[16..]])).Message);
    }

    /// <summary>A header of 1,024 bytes and the samples.</summary>
    internal static byte[] File(string fields, long frames, int rate, int channels, byte[] data)
    {
        string text = $"NIST_1A\n   1024\nchannel_count -i {channels}\nsample_count -i {frames}\nsample_rate -i {rate}\n{fields}\nend_head\n";
        return [.. Encoding.ASCII.GetBytes(text.PadRight(1024)), .. data];
    }

    private static float[] Read(byte[] file) => AudioFile.Read(new MemoryStream(file), "test.sph", AudioFile.OwnRate).Samples;
}
