using System.Text.Encodings.Web;
using System.Text.Json;

namespace LinearCald.Nn.Files;

/// <summary>
/// A file of one JSON object a line (<c>metrics.jsonl</c>), appended to while a run goes on. Every row is handed to the system at once, so that
/// a killed process loses at most the row it was writing; <see cref="Resume"/> cuts that off.
/// </summary>
public sealed class JsonLinesWriter : IDisposable
{
    private readonly FileStream _stream;
    private readonly MemoryStream _row = new();
    private readonly Utf8JsonWriter _json;

    private JsonLinesWriter(string path, FileMode mode)
    {
        Path = path;
        try
        {
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!);
            _stream = new FileStream(path, mode, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CaldException($"Cannot write {path}: {e.Message}", e);
        }

        _json = new Utf8JsonWriter(_row, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Starts an empty file, replacing an earlier one.</summary>
    public static JsonLinesWriter Create(string path) => new(path, FileMode.Create);

    /// <summary>
    /// Goes on with a file: a row that was cut off by a crash is removed, and so is every row whose <paramref name="stepProperty"/> is past
    /// <paramref name="lastStep"/>, because the resumed run will write it again. Rows without that property stay. A missing file is started.
    /// </summary>
    /// <exception cref="CaldException">A row in the middle of the file is not a JSON object.</exception>
    public static JsonLinesWriter Resume(string path, long lastStep = long.MaxValue, string stepProperty = "step")
    {
        if (File.Exists(path))
        {
            byte[] old = File.ReadAllBytes(path);
            byte[] kept = Keep(old, path, lastStep, stepProperty);
            if (kept.Length != old.Length)
                AtomicFile.Write(path, kept.Length, stream => stream.Write(kept));
        }

        return new JsonLinesWriter(path, FileMode.Append);
    }

    /// <summary>Appends one row.</summary>
    /// <param name="properties">Writes the properties of the row's object; the braces are written around them.</param>
    /// <exception cref="CaldException">The disk is full: what was written of the row is taken back.</exception>
    public void Write(Action<Utf8JsonWriter> properties)
    {
        _row.SetLength(0);
        _json.Reset(_row);
        _json.WriteStartObject();
        properties(_json);
        _json.WriteEndObject();
        _json.Flush();
        _row.WriteByte((byte)'\n');
        long start = _stream.Position;
        try
        {
            _stream.Write(_row.GetBuffer(), 0, (int)_row.Length);
        }
        catch (IOException e)
        {
            _stream.SetLength(start);
            throw AtomicFile.Failed(Path, System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path))!, _row.Length, e);
        }
    }

    /// <summary>Waits until every row is on the disk; a run does this together with a checkpoint.</summary>
    public void FlushToDisk() => _stream.Flush(flushToDisk: true);

    /// <summary>Closes the file.</summary>
    public void Dispose()
    {
        _json.Dispose();
        _row.Dispose();
        _stream.Dispose();
    }

    /// <summary>The rows of <paramref name="old"/> that stay. Trailing rows that are no objects are what a crash left.</summary>
    internal static byte[] Keep(ReadOnlyMemory<byte> old, string path, long lastStep, string stepProperty)
    {
        using MemoryStream kept = new();
        int line = 0;
        int broken = 0;
        int at = 0;
        while (at < old.Length)
        {
            line++;
            int length = old.Span[at..].IndexOf((byte)'\n');
            if (length < 0)
                break;
            ReadOnlyMemory<byte> row = old.Slice(at, length + 1);
            at += length + 1;
            if (!TryReadStep(row, stepProperty, out long step))
                broken = broken == 0 ? line : broken;
            else if (broken != 0)
                throw new CaldException($"{path}: line {broken} is not a JSON object, though rows follow it. Mend or delete that line, then resume again.");
            else if (step <= lastStep)
                kept.Write(row.Span);
        }

        return kept.ToArray();
    }

    private static bool TryReadStep(ReadOnlyMemory<byte> row, string stepProperty, out long step)
    {
        step = long.MinValue;
        try
        {
            using JsonDocument document = JsonDocument.Parse(row);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                return false;
            bool hasStep = document.RootElement.TryGetProperty(stepProperty, out JsonElement value) && value.ValueKind == JsonValueKind.Number;
            if (hasStep && value.TryGetInt64(out long found))
                step = found;
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
