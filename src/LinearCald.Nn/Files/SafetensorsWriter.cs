using System.Buffers.Binary;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using LinearCald.Tensors;

namespace LinearCald.Nn.Files;

/// <summary>
/// Writes safetensors files, atomically and piece by piece: memory use does not grow with the tensors. Tensors stand in order of element size,
/// largest first, then of name: with the header padded to eight bytes every element is aligned in the file, which other readers need.
/// </summary>
public static class SafetensorsWriter
{
    private const int BufferBytes = 1 << 20;

    /// <summary>Metadata that HuggingFace transformers insists on.</summary>
    public static IReadOnlyDictionary<string, string> PyTorchMetadata { get; } = new Dictionary<string, string> { ["format"] = "pt" };

    /// <summary>Writes <paramref name="tensors"/> to <paramref name="path"/>, replacing an earlier file only when everything is on the disk.</summary>
    /// <param name="path">The file to write.</param>
    /// <param name="tensors">In any order; names unique.</param>
    /// <param name="metadata">String pairs for the header; <see cref="PyTorchMetadata"/> when null.</param>
    /// <exception cref="CaldException">The disk is full, or the folder may not be written; the message says how many bytes were needed.</exception>
    public static void Write(string path, IReadOnlyCollection<TensorPayload> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        TensorPayload[] ordered = Order(tensors);
        byte[] header = Header(ordered, metadata ?? PyTorchMetadata);
        long total = checked(header.Length + ordered.Sum(t => t.ByteLength));
        AtomicFile.Write(path, total, stream => Write(stream, header, ordered));
    }

    /// <summary>The same contents into a stream, for tests.</summary>
    internal static void Write(Stream stream, IReadOnlyCollection<TensorPayload> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        TensorPayload[] ordered = Order(tensors);
        Write(stream, Header(ordered, metadata ?? PyTorchMetadata), ordered);
    }

    private static void Write(Stream stream, byte[] header, TensorPayload[] tensors)
    {
        stream.Write(header);
        byte[] buffer = new byte[BufferBytes];
        foreach (TensorPayload tensor in tensors)
        {
            int size = tensor.Type.Size();
            for (long at = 0; at < tensor.ByteLength; at += BufferBytes)
            {
                Span<byte> part = buffer.AsSpan(0, (int)Math.Min(BufferBytes, tensor.ByteLength - at));
                tensor.Fill(at / size, part);
                stream.Write(part);
            }
        }
    }

    private static TensorPayload[] Order(IReadOnlyCollection<TensorPayload> tensors)
    {
        HashSet<string> names = [];
        foreach (TensorPayload tensor in tensors)
        {
            if (tensor.Name == "__metadata__" || !IsText(tensor.Name) || !names.Add(tensor.Name))
                throw new ArgumentException($"{Quoted.Of(tensor.Name)} cannot name a tensor: it is reserved, not Unicode text, or used twice", nameof(tensors));
        }

        return [.. tensors.OrderByDescending(t => t.Type.Size()).ThenBy(t => t.Name, StringComparer.Ordinal)];
    }

    private static byte[] Header(TensorPayload[] tensors, IReadOnlyDictionary<string, string> metadata)
    {
        using MemoryStream stream = new();
        stream.Write(stackalloc byte[SafetensorsHeader.LengthBytes]);
        using (Utf8JsonWriter json = new(stream, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            if (metadata.Count > 0)
            {
                json.WriteStartObject("__metadata__");
                foreach ((string key, string value) in metadata.OrderBy(p => p.Key, StringComparer.Ordinal))
                    json.WriteString(key, value);
                json.WriteEndObject();
            }

            long offset = 0;
            foreach (TensorPayload tensor in tensors)
            {
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", tensor.Type.SafetensorsName());
                json.WriteStartArray("shape");
                foreach (long extent in tensor.Shape)
                    json.WriteNumberValue(extent);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(offset += tensor.ByteLength);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        while (stream.Length % 8 != 0)
            stream.WriteByte((byte)' ');
        byte[] header = stream.ToArray();
        long length = header.Length - SafetensorsHeader.LengthBytes;
        if (length > SafetensorsHeader.MaxJsonBytes)
        {
            throw new CaldException(
                $"The header of {tensors.Length} tensors takes {length} bytes, more than the {SafetensorsHeader.MaxJsonBytes} of the format: write several files.");
        }

        BinaryPrimitives.WriteInt64LittleEndian(header, length);
        return header;
    }

    private static bool IsText(string name)
    {
        int at = 0;
        while (at < name.Length)
        {
            if (Rune.DecodeFromUtf16(name.AsSpan(at), out _, out int used) != System.Buffers.OperationStatus.Done)
                return false;
            at += used;
        }

        return true;
    }
}
