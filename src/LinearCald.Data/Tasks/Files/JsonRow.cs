using System.Text.Json;

namespace LinearCald.Data.Tasks.Files;

/// <summary>A line that holds one JSON object, and messages that name the line.</summary>
internal sealed class JsonRow : IDisposable
{
    private readonly JsonDocument? _document;
    private readonly JsonElement _root;

    private JsonRow(JsonDocument? document, JsonElement root, string place)
    {
        _document = document;
        _root = root;
        Place = place;
    }

    /// <summary>File and line, for messages.</summary>
    public string Place { get; }

    /// <summary>The fields it has, in quotes, for messages.</summary>
    public string FieldNames
    {
        get
        {
            string[] names = [.. _root.EnumerateObject().Select(property => $"\"{property.Name}\"").Take(12)];
            return names.Length == 0 ? "(none)" : string.Join(", ", names);
        }
    }

    /// <exception cref="CaldException">Not a JSON object.</exception>
    public static JsonRow Parse(string line, string place)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(line);
        }
        catch (JsonException bad)
        {
            throw new CaldException($"{place}: not JSON at byte {bad.BytePositionInLine}: each line must be one JSON object", bad);
        }

        if (document.RootElement.ValueKind == JsonValueKind.Object)
            return new JsonRow(document, document.RootElement, place);
        JsonValueKind kind = document.RootElement.ValueKind;
        document.Dispose();
        throw new CaldException($"{place}: a JSON {kind} where an object was expected");
    }

    /// <summary>Whether all these fields are there.</summary>
    public bool Has(params IEnumerable<string> fields) => fields.All(field => _root.TryGetProperty(field, out _));

    /// <summary>Whether a field is there and an object.</summary>
    public bool HasObject(string field) => _root.TryGetProperty(field, out JsonElement value) && value.ValueKind == JsonValueKind.Object;

    /// <summary>Whether a field is there and a text.</summary>
    public bool HasText(string field) => _root.TryGetProperty(field, out JsonElement value) && value.ValueKind == JsonValueKind.String;

    /// <summary>The object in a field.</summary>
    public JsonRow Object(string field)
    {
        JsonElement value = Require(field, JsonValueKind.Object, "an object");
        return new JsonRow(null, value, $"{Place}: in \"{field}\"");
    }

    /// <summary>The objects in a field.</summary>
    public IReadOnlyList<JsonRow> Objects(string field) =>
    [
        .. Require(field, JsonValueKind.Array, "a list of objects").EnumerateArray().Select((value, i) => value.ValueKind == JsonValueKind.Object
            ? new JsonRow(null, value, $"{Place}: in \"{field}\"[{i}]")
            : throw new CaldException($"{Place}: \"{field}\"[{i}] is a JSON {value.ValueKind} where an object was expected")),
    ];

    /// <summary>The text in a field.</summary>
    public string Text(string field) => Decode(Require(field, JsonValueKind.String, "a text"), field);

    /// <summary>The texts in a field.</summary>
    public IReadOnlyList<string> Texts(string field) =>
    [
        .. Require(field, JsonValueKind.Array, "a list of texts").EnumerateArray().Select((value, i) => value.ValueKind == JsonValueKind.String
            ? Decode(value, field)
            : throw new CaldException($"{Place}: \"{field}\"[{i}] is a JSON {value.ValueKind} where a text was expected")),
    ];

    /// <summary>The integer in a field, also where it is written as a text.</summary>
    public int Integer(string field)
    {
        JsonElement value = Require(field);
        return value.ValueKind switch
        {
            JsonValueKind.Number when value.TryGetInt32(out int number) => number,
            JsonValueKind.String when int.TryParse(Decode(value, field), System.Globalization.CultureInfo.InvariantCulture, out int number) => number,
            _ => throw new CaldException($"{Place}: field \"{field}\" is {value.ValueKind} {Shortened(value)} where an integer was expected"),
        };
    }

    public void Dispose() => _document?.Dispose();

    private JsonElement Require(string field) => _root.TryGetProperty(field, out JsonElement value)
        ? value
        : throw new CaldException($"{Place}: no field \"{field}\"; this row has {FieldNames}");

    private JsonElement Require(string field, JsonValueKind kind, string expected)
    {
        JsonElement value = Require(field);
        return value.ValueKind == kind
            ? value
            : throw new CaldException($"{Place}: field \"{field}\" is a JSON {value.ValueKind} where {expected} was expected");
    }

    // A string may hold an escaped half of a surrogate pair, which is no text.
    private string Decode(JsonElement value, string field)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException bad)
        {
            throw new CaldException($"{Place}: field \"{field}\" holds half a surrogate pair, which is not a character", bad);
        }
    }

    private static string Shortened(JsonElement value)
    {
        string raw = value.GetRawText();
        return raw.Length <= 40 ? raw : string.Concat(raw.AsSpan(0, 40), "…");
    }
}
