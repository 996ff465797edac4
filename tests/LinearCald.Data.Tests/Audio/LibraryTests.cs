using LinearCald.Data.Audio;
using LinearCald.Data.Audio.Files;
using LinearCald.Data.Audio.Files.Library;

namespace LinearCald.Data.Tests.Audio;

/// <summary>Formats that libsndfile reads; the same facts hold, with another message, where it is not installed.</summary>
public class LibraryTests
{
    /// <summary>An AU file: big-endian header of 24 bytes, 16-bit samples.</summary>
    private static byte[] Au(int encoding, byte[] data) => [.. ".snd"u8, 0, 0, 0, 24, 0, 0, 0, (byte)data.Length, 0, 0, 0, (byte)encoding, 0, 0, 0x3E, 0x80, 0, 0, 0, 2, .. data];

    [Fact]
    public void Other_formats_go_through_the_library_or_name_it()
    {
        byte[] file = Au(3, [0x40, 0, 0x20, 0, 0xC0, 0, 0xC0, 0]);
        using TemporaryFolder folder = new();
        string path = folder.Write("x.au", file);
        if (!LibSndFile.IsPresent)
        {
            string message = Assert.Throws<CaldException>(() => AudioFile.Read(path)).Message;
            Assert.Contains(path, message);
            Assert.Contains(LibSndFile.FileName, message);
            return;
        }

        Assert.Equal([0.375f, -0.5f], AudioFile.Read(path).Samples);
        Assert.Equal([-0.5f], AudioFile.Read(path, firstFrame: 1).Samples);
        Assert.Equal([0.375f, -0.5f], AudioFile.Read(new PipeStream(file), "pipe").Samples);
        AudioInfo info = AudioFile.Probe(path);
        Assert.Equal((16000, 2, 2L), (info.SampleRate, info.Channels, info.Frames));
        Assert.Contains("libsndfile says", Assert.Throws<CaldException>(() => AudioFile.Read(new MemoryStream([.. "OggS"u8, 1, 2, 3]), "x.ogg")).Message);
        byte[] adpcm = WavTests.Header(17, 1, 16000, 256, 4, new byte[256]);
        Assert.Contains("cannot be read from a stream", Assert.Throws<CaldException>(() => AudioFile.Read(new PipeStream(adpcm), "-")).Message);
    }

    [Fact]
    public void Without_the_library_the_message_names_it()
    {
        foreach ((byte[] file, string kind) in new[] { (Au(3, [0, 0, 0, 0]), "AU"), ([.. "OggS"u8, 0, 0], "Ogg"), ([0xFF, 0xFB, 0x90, 0x64], "MP3"), (WavTests.Header(17, 1, 16000, 256, 4, new byte[256]), "WAV of format tag 17") })
        {
            string message = Assert.Throws<CaldException>(() => AudioFormats.Open(new AudioSource(new MemoryStream(file), "some.file", ownsStream: true), useLibrary: false)).Message;
            Assert.Contains($"some.file: {kind}", message);
            Assert.Contains(LibSndFile.FileName, message);
        }
    }
}
