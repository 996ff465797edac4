using System.Text.Json;

namespace LinearCald.Nn.Files;

/// <summary>
/// Reads the JSON of a safetensors header, one token after the other: an object of tensors (<c>dtype</c>, <c>shape</c>, <c>data_offsets</c>)
/// and an optional <c>__metadata__</c> of strings. Keys may not repeat and there are no others. Whether the tensors fit the file is checked elsewhere.
/// </summary>
internal ref struct SafetensorsHeaderParser
{
    private const string MetadataKey = "__metadata__";

    private readonly string _file;
    private Utf8JsonReader _reader;

    /// <param name="json">The header, valid UTF-8.</param>
    /// <param name="file">The file's name, for messages.</param>
    public SafetensorsHeaderParser(ReadOnlySpan<byte> json, string file)
    {
        _file = file;
        _reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 3 });
    }

    /// <summary>The tensors by name, in the order of the header.</summary>
    public Dictionary<string, SafetensorsEntry> Entries { get; } = [];

    /// <summary>What <c>__metadata__</c> holds.</summary>
    public Dictionary<string, string> Metadata { get; } = [];

    /// <summary>Reads the whole header.</summary>
    /// <exception cref="JsonException">Not JSON.</exception>
    /// <exception cref="CaldException">JSON, but not a header.</exception>
    public void Run()
    {
        bool metadata = false;
        Advance(JsonTokenType.StartObject, "the header");
        while (NextKey("the header") is string key)
        {
            if (key == MetadataKey)
            {
                if (metadata)
                    throw Fail($"the key {MetadataKey} appears twice");
                metadata = true;
                ReadMetadata();
            }
            else if (!Entries.TryAdd(key, ReadTensor(key)))
            {
                throw Fail($"the tensor {Quoted.Of(key)} appears twice");
            }
        }

        if (_reader.Read())
            throw Fail("something follows the JSON object of the header");
    }

    private void ReadMetadata()
    {
        Advance(JsonTokenType.StartObject, MetadataKey);
        while (NextKey(MetadataKey) is string key)
        {
            Advance(JsonTokenType.String, $"{MetadataKey} {Quoted.Of(key)}");
            if (!Metadata.TryAdd(key, Text()))
                throw Fail($"the key {Quoted.Of(key)} appears twice in {MetadataKey}");
        }
    }

    private SafetensorsEntry ReadTensor(string name)
    {
        SafetensorsType? type = null;
        long[]? shape = null;
        long begin = -1;
        long end = -1;
        Advance(JsonTokenType.StartObject, "tensor ", name);
        while (true)
        {
            Next();
            if (_reader.TokenType == JsonTokenType.EndObject)
                break;
            if (_reader.ValueTextEquals("dtype"u8) && type is null)
                type = ReadType(name);
            else if (_reader.ValueTextEquals("shape"u8) && shape is null)
                shape = ReadNumbers(name, "shape", SafetensorsHeader.MaxRank);
            else if (_reader.ValueTextEquals("data_offsets"u8) && begin < 0)
                (begin, end) = ReadOffsets(name);
            else
                throw Fail($"tensor {Quoted.Of(name)} has the unknown or repeated key {Quoted.Of(Text())}; it may have dtype, shape and data_offsets, once each");
        }

        if (type is null || shape is null || begin < 0)
            throw Fail($"tensor {Quoted.Of(name)} lacks {(type is null ? "dtype" : shape is null ? "shape" : "data_offsets")}");
        Int128 bits = (Int128)Product(name, shape) * type.Bits;
        if (bits % 8 != 0 || bits / 8 != end - begin)
        {
            throw Fail($"tensor {Quoted.Of(name)} of type {type.Name} and shape [{string.Join(", ", shape)}] needs {bits / 8} bytes" +
                $"{(bits % 8 != 0 ? " and a fraction" : "")}, but its data_offsets [{begin}, {end}] span {end - begin}");
        }

        return new SafetensorsEntry(name, type.Name, type.Type, shape, begin, end - begin);
    }

    private SafetensorsType ReadType(string name)
    {
        Advance(JsonTokenType.String, "dtype of tensor ", name);
        return SafetensorsType.Find(ref _reader) ??
            throw Fail($"tensor {Quoted.Of(name)} has the unknown dtype {Quoted.Of(Text())}; known are {SafetensorsType.Names}");
    }

    private (long Begin, long End) ReadOffsets(string name)
    {
        long[] offsets = ReadNumbers(name, "data_offsets", 2);
        if (offsets.Length != 2 || offsets[0] > offsets[1])
            throw Fail($"data_offsets of tensor {Quoted.Of(name)} are [{string.Join(", ", offsets)}], not [begin, end] with begin ≤ end");
        return (offsets[0], offsets[1]);
    }

    private long[] ReadNumbers(string name, string what, int limit)
    {
        Advance(JsonTokenType.StartArray, what + " of tensor ", name);
        Span<long> numbers = stackalloc long[SafetensorsHeader.MaxRank];
        int count = 0;
        while (true)
        {
            Next();
            if (_reader.TokenType == JsonTokenType.EndArray)
                return numbers[..count].ToArray();
            if (count == limit)
                throw Fail($"{what} of tensor {Quoted.Of(name)} has more than {limit} numbers");
            if (_reader.TokenType != JsonTokenType.Number || !_reader.TryGetInt64(out long number) || number < 0)
                throw Fail($"{what} of tensor {Quoted.Of(name)} holds something else than whole numbers from 0 to {long.MaxValue}");
            numbers[count++] = number;
        }
    }

    /// <summary>Number of elements. Extents of 0 do not hide an overflow of the others, so that the order of the extents makes no difference.</summary>
    private readonly long Product(string name, long[] shape)
    {
        long product = 1;
        bool empty = false;
        foreach (long extent in shape)
        {
            empty |= extent == 0;
            if (extent > 0 && product > long.MaxValue / extent)
                throw Fail($"the shape [{string.Join(", ", shape)}] of tensor {Quoted.Of(name)} has more elements than can be counted");
            product *= Math.Max(extent, 1);
        }

        return empty ? 0 : product;
    }

    /// <summary>The next key of the object being read, or null at its end.</summary>
    private string? NextKey(string inside)
    {
        Next();
        if (_reader.TokenType == JsonTokenType.EndObject)
            return null;
        return _reader.TokenType == JsonTokenType.PropertyName ? Text() : throw Fail($"{inside} is not a JSON object");
    }

    private void Advance(JsonTokenType expected, string what, string? name = null)
    {
        Next();
        if (_reader.TokenType != expected)
            throw Fail($"{what}{(name is null ? "" : Quoted.Of(name))} is {_reader.TokenType}, expected {expected}");
    }

    private void Next()
    {
        if (!_reader.Read())
            throw Fail("its header ends in the middle");
    }

    private readonly string Text() => _reader.GetString()!;

    private readonly CaldException Fail(string what) => SafetensorsHeader.Damaged(_file, what);
}
