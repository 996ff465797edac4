using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Unicode;

namespace LinearCald.Nn.Files;

/// <summary>
/// The header of a safetensors file: eight bytes of length (little endian), then that many bytes of JSON, then the data.
/// Nothing in it is trusted; <see cref="Parse"/> accepts only a header whose tensors cover the data section exactly.
/// </summary>
internal sealed class SafetensorsHeader
{
    /// <summary>Longest JSON accepted, in bytes: the limit of the format's own implementation.</summary>
    public const int MaxJsonBytes = 100_000_000;

    /// <summary>Most extents of a shape.</summary>
    public const int MaxRank = 8;

    /// <summary>Bytes that hold the length of the JSON.</summary>
    public const int LengthBytes = sizeof(ulong);

    private SafetensorsHeader(in SafetensorsHeaderParser parser, List<SafetensorsEntry> ordered, long dataStart)
    {
        ByName = parser.Entries;
        Metadata = parser.Metadata;
        Entries = ordered;
        DataStart = dataStart;
    }

    /// <summary>The tensors in the order of their data.</summary>
    public IReadOnlyList<SafetensorsEntry> Entries { get; }

    /// <summary>The tensors by name.</summary>
    public IReadOnlyDictionary<string, SafetensorsEntry> ByName { get; }

    /// <summary>The header's <c>__metadata__</c>; empty when there is none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Where in the file the data section starts.</summary>
    public long DataStart { get; }

    /// <summary>
    /// Checks and reads a header. What it allocates is bounded by a small multiple of the JSON's length, whatever the JSON claims.
    /// </summary>
    /// <param name="start">The first bytes of the file, at least up to the end of the header when the file has that many.</param>
    /// <param name="fileLength">Length of the whole file in bytes.</param>
    /// <param name="file">The file's name, for messages.</param>
    /// <exception cref="CaldException">Any violation of the format, with the tensor and what was found.</exception>
    public static SafetensorsHeader Parse(ReadOnlySpan<byte> start, long fileLength, string file)
    {
        ReadOnlySpan<byte> json = Json(start, fileLength, file);
        long dataStart = LengthBytes + json.Length;
        try
        {
            SafetensorsHeaderParser parser = new(json, file);
            parser.Run();
            List<SafetensorsEntry> ordered = [.. parser.Entries.Values];
            CheckCoverage(ordered, fileLength - dataStart, file);
            return new SafetensorsHeader(in parser, ordered, dataStart);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The reader reports half a surrogate pair in a \u escape as InvalidOperationException.
            throw Damaged(file, $"its header is not valid JSON ({e.Message})", e);
        }
    }

    /// <summary>The exception for a file that breaks a rule of the format.</summary>
    public static CaldException Damaged(string file, string what, Exception? inner = null, string? advice = null) =>
        new($"{file}: {what}. {advice ?? "The file is damaged or was not written by a safetensors library: download or copy it again."}", inner);

    private static ReadOnlySpan<byte> Json(ReadOnlySpan<byte> start, long fileLength, string file)
    {
        if (fileLength < LengthBytes || start.Length < LengthBytes)
        {
            string what = fileLength == 0 ? "the file is empty" : $"the file has {fileLength} bytes, fewer than the {LengthBytes} every safetensors file starts with";
            throw Damaged(file, what, advice: ForeignFormat.Describe(start));
        }

        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(start);
        string? foreign = ForeignFormat.Describe(start);
        if (length > MaxJsonBytes)
            throw Damaged(file, $"it claims a header of {length} bytes, more than the {MaxJsonBytes} that are allowed", advice: foreign);
        if (length > (ulong)(Math.Min(fileLength, start.Length) - LengthBytes))
            throw Damaged(file, $"it claims a header of {length} bytes, but only {fileLength - LengthBytes} bytes follow", advice: foreign);

        ReadOnlySpan<byte> json = start.Slice(LengthBytes, (int)length);
        if (json.IsEmpty || json[0] != (byte)'{')
            throw Damaged(file, "its header does not begin with '{'", advice: foreign);
        if (!Utf8.IsValid(json))
            throw Damaged(file, "its header is not valid UTF-8");
        return json;
    }

    private static void CheckCoverage(List<SafetensorsEntry> entries, long dataLength, string file)
    {
        entries.Sort(static (a, b) => a.Offset != b.Offset ? a.Offset.CompareTo(b.Offset) : a.ByteLength.CompareTo(b.ByteLength));
        long covered = 0;
        SafetensorsEntry? previous = null;
        foreach (SafetensorsEntry entry in entries)
        {
            if (entry.Offset != covered)
            {
                string before = previous is null ? "the data starts at 0" : $"tensor {Quoted.Of(previous.Name)} before it ends at {covered}";
                string start = $"tensor {Quoted.Of(entry.Name)} starts at byte {entry.Offset} of the data";
                throw Damaged(file, $"{start}, but {before}: tensors may neither overlap nor leave holes");
            }

            covered += entry.ByteLength; // cannot overflow: offset + length is the entry's end, a checked Int64
            previous = entry;
        }

        if (covered > dataLength)
        {
            throw Damaged(
                file,
                $"it is cut short: its tensors take {covered} bytes, but only {dataLength} follow the header (the last is {Quoted.Of(previous!.Name)})",
                advice: "The download or copy did not finish: fetch the file again.");
        }

        if (covered < dataLength)
            throw Damaged(file, $"{dataLength - covered} bytes follow the last tensor: the tensors take {covered} bytes, {dataLength} follow the header");
    }
}
