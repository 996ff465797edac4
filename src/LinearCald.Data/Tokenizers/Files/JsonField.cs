using System.Text.Json;
using System.Text.Unicode;

namespace LinearCald.Data.Tokenizers.Files;

/// <summary>A value in a JSON file that knows where it stands, so that every complaint names the file and the place.</summary>
internal readonly struct JsonField
{
    private readonly string _file;
    private readonly string _path;
    private readonly JsonElement _element;

    private JsonField(string file, string path, JsonElement element)
    {
        _file = file;
        _path = path;
        _element = element;
    }

    /// <summary>File and place, for messages.</summary>
    public string Where => _path.Length == 0 ? _file : $"{_file}: {_path}";

    public bool IsObject => _element.ValueKind == JsonValueKind.Object;

    public bool IsText => _element.ValueKind == JsonValueKind.String;

    /// <exception cref="CaldException">Not JSON, or not an object at the top.</exception>
    public static JsonField Parse(string file, byte[] bytes)
    {
        try
        {
            ReadOnlyMemory<byte> text = bytes;
            if (bytes.AsSpan().StartsWith("\uFEFF"u8))
            {
                text = text[3..];
            }

            if (!Utf8.IsValid(text.Span))
            {
                throw new CaldException($"{file}: not valid UTF-8: is the file damaged?");
            }

            using JsonDocument document = JsonDocument.Parse(text);
            JsonField root = new(file, "", document.RootElement.Clone());
            return root.IsObject ? root : throw root.Error("a JSON object is expected");
        }
        catch (JsonException e)
        {
            throw new CaldException($"{file}: not valid JSON (line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}): is the file complete?", e);
        }
    }

    /// <summary>The member, or null when it is missing or null.</summary>
    public JsonField? Optional(string name)
    {
        if (!IsObject)
        {
            throw Error("a JSON object is expected");
        }

        try
        {
            return _element.TryGetProperty(name, out JsonElement member) && member.ValueKind != JsonValueKind.Null ? At(name, member) : null;
        }
        catch (InvalidOperationException e)
        {
            throw HalfCharacter(e);
        }
    }

    public JsonField Required(string name) => Optional(name) ?? throw Error($"'{name}' is missing");

    /// <summary>The member as text, or null when it is missing or null.</summary>
    public string? Text(string name) => Optional(name)?.Text();

    /// <summary>The member as true or false, or null when it is missing or null.</summary>
    public bool? Flag(string name) => Optional(name)?.Flag();

    public string Text()
    {
        try
        {
            return IsText ? _element.GetString()! : throw Error("a text is expected");
        }
        catch (InvalidOperationException e)
        {
            throw HalfCharacter(e);
        }
    }

    public bool Flag() => _element.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Error("true or false is expected"),
    };

    public int Integer() =>
        _element.ValueKind == JsonValueKind.Number && _element.TryGetInt32(out int value) ? value : throw Error("an integer is expected");

    public IEnumerable<JsonField> Items()
    {
        if (_element.ValueKind != JsonValueKind.Array)
        {
            throw Error("a list is expected");
        }

        int index = 0;
        foreach (JsonElement item in _element.EnumerateArray())
        {
            yield return new JsonField(_file, $"{_path}[{index++}]", item);
        }
    }

    public IEnumerable<KeyValuePair<string, JsonField>> Members()
    {
        if (!IsObject)
        {
            throw Error("a JSON object is expected");
        }

        foreach (JsonProperty property in _element.EnumerateObject())
        {
            string name = NameOf(property);
            yield return new(name, At(name, property.Value));
        }
    }

    public CaldException Error(string message) => new($"{Where}: {message}");

    private string NameOf(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException e)
        {
            throw HalfCharacter(e);
        }
    }

    /// <summary>Half of a surrogate pair, written as an escape, is JSON but no text; System.Text.Json finds it only when the text is asked for.</summary>
    private CaldException HalfCharacter(InvalidOperationException e) => new($"{Where}: a text holds half of a character (a lone surrogate)", e);

    private JsonField At(string name, JsonElement element) => new(_file, _path.Length == 0 ? name : $"{_path}.{name}", element);
}
