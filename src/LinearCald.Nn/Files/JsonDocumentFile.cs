using System.Text.Json;
using System.Text.Unicode;

namespace LinearCald.Nn.Files;

/// <summary>
/// Small JSON files of a model folder (<c>config.json</c> and its like), read with a limit and with messages that name the file. Infinities and NaNs as Python
/// writes them are read as objects, see <see cref="NonFiniteNumbers"/>.
/// </summary>
public static class JsonDocumentFile
{
    /// <summary>Longest file read, in bytes. Indexes of the largest published models take about a tenth of a megabyte.</summary>
    public const int MaxBytes = 64 * 1024 * 1024;

    /// <summary>The root of the file, which must be an object without repeated keys.</summary>
    /// <exception cref="CaldException">Missing, unreadable, too long, not JSON, or not an object.</exception>
    public static JsonElement ReadObject(string path) => ParseObject(ReadBytes(path), path);

    /// <summary>The bytes of a file of at most <see cref="MaxBytes"/>.</summary>
    internal static byte[] ReadBytes(string path)
    {
        try
        {
            using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            if (stream.Length > MaxBytes)
                throw new CaldException($"{path} has {stream.Length} bytes; a JSON file of a model has at most {MaxBytes}. Check that it is the right file.");
            byte[] bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            return bytes;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            string why = e is FileNotFoundException or DirectoryNotFoundException ? "there is no such file" : e.Message;
            throw new CaldException($"Cannot read {path}: {why}.", e);
        }
    }

    /// <summary>Parses the bytes of such a file.</summary>
    internal static JsonElement ParseObject(ReadOnlyMemory<byte> bytes, string path)
    {
        if (!Utf8.IsValid(bytes.Span))
            throw new CaldException($"{path} is not UTF-8 text: download it again, or save it as UTF-8.");
        try
        {
            ReadOnlyMemory<byte> json = bytes.Span.StartsWith("\uFEFF"u8) ? bytes[3..] : bytes;
            using JsonDocument document = JsonDocument.Parse(NonFiniteNumbers.Wrapped(json), new JsonDocumentOptions { AllowDuplicateProperties = false });
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? document.RootElement.Clone()
                : throw new CaldException($"{path}: it holds a JSON {document.RootElement.ValueKind}, expected an object {{ … }}.");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // the latter: half a surrogate pair in a key
        {
            throw new CaldException($"{path} is not valid JSON: {e.Message} Download it again, or mend it in an editor.", e);
        }
    }
}
