using System.Buffers.Binary;
using System.Text;
using LinearCald.Nn.Files;

namespace LinearCald.Nn.Tests.Files;

/// <summary>Safetensors files spelled out by hand, so that tests do not depend on the writer.</summary>
internal static class HeaderBytes
{
    /// <summary>Length, JSON and <paramref name="dataLength"/> zero bytes of data.</summary>
    public static byte[] File(string json, int dataLength) => File(Encoding.UTF8.GetBytes(json), dataLength);

    /// <inheritdoc cref="File(string, int)"/>
    public static byte[] File(ReadOnlySpan<byte> json, int dataLength)
    {
        byte[] file = new byte[8 + json.Length + dataLength];
        BinaryPrimitives.WriteInt64LittleEndian(file, json.Length);
        json.CopyTo(file.AsSpan(8));
        return file;
    }

    /// <summary>Parses a whole file held in memory, under the name <c>x.safetensors</c>.</summary>
    public static SafetensorsHeader Parse(ReadOnlySpan<byte> file) => SafetensorsHeader.Parse(file, file.Length, "x.safetensors");
}
