using System.Text.Json;
using LinearCald.Data.Tasks.Files;

namespace LinearCald.Data.Tasks;

/// <summary>
/// Files with one JSON object a line. Fields: <c>text</c>, <c>pair</c> where the first row has it, and <c>label</c>, unless the options
/// name others. A label is a string or an integer. Blank lines are passed over; other fields are not looked at.
/// </summary>
internal static class JsonlReader
{
    /// <summary>Reads train.jsonl, valid.jsonl and, where present, test.jsonl of a folder.</summary>
    public static TextTask Read(TaskOptions options)
    {
        string folder = options.RequireFolder();
        string trainPath = PartFiles.Require(folder, "train", options.TrainFile, "train.jsonl", "train.json");
        string? validationPath = options.HeldOutRows > 0 ? null
            : PartFiles.Require(folder, "validation", options.ValidationFile, "valid.jsonl", "validation.jsonl", "dev.jsonl", "validation.json");
        string? testPath = PartFiles.Find(folder, "test", options.TestFile, "test.jsonl", "test.json");
        Fields? fields = null;
        RawPart train = ReadPart(trainPath, options, ref fields);
        return TaskAssembly.Assemble(
            options,
            Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))),
            ClassNames.Of(options, train),
            train,
            validationPath is null ? null : ReadPart(validationPath, options, ref fields),
            testPath is null ? null : ReadPart(testPath, options, ref fields),
            []);
    }

    private static RawPart ReadPart(string path, TaskOptions options, ref Fields? fields)
    {
        List<RawExample> rows = [];
        foreach (TextLine line in TextLineReader.Read(path))
        {
            if (string.IsNullOrWhiteSpace(line.Text))
                continue;
            string place = $"{path}:{line.Number}";
            using JsonDocument document = Parse(line.Text, place);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new CaldException($"{place}: a JSON {document.RootElement.ValueKind} where an object with the fields of one example was expected");
            fields ??= Fields.Of(options, document.RootElement);
            rows.Add(new RawExample(
                TextOf(document.RootElement, fields.Text, place, "task.text_columns"),
                fields.Pair is null ? null : TextOf(document.RootElement, fields.Pair, place, "task.text_columns"),
                LabelOf(document.RootElement, fields.Label, place),
                line.Number));
        }

        return new RawPart(path, rows);
    }

    private static JsonDocument Parse(string line, string place)
    {
        try
        {
            return JsonDocument.Parse(line);
        }
        catch (JsonException bad)
        {
            throw new CaldException($"{place}: not JSON at character {bad.BytePositionInLine}: each line must be one JSON object", bad);
        }
    }

    private static string TextOf(JsonElement row, string field, string place, string key)
    {
        JsonElement value = Require(row, field, place, key);
        return value.ValueKind == JsonValueKind.String
            ? Decode(value, field, place)
            : throw new CaldException($"{place}: field \"{field}\" is a JSON {value.ValueKind} where a text was expected");
    }

    private static string LabelOf(JsonElement row, string field, string place)
    {
        JsonElement value = Require(row, field, place, "task.label_column");
        return value.ValueKind switch
        {
            JsonValueKind.String => Decode(value, field, place),
            JsonValueKind.Number when value.TryGetInt64(out long number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture),
            JsonValueKind.Number => throw new CaldException(
                $"{place}: label {value.GetRawText()} is not a class; labels are strings or integers, and regression is not supported"),
            _ => throw new CaldException($"{place}: label field \"{field}\" is a JSON {value.ValueKind}; labels are strings or integers"),
        };
    }

    // A string may hold an escaped half of a surrogate pair, which is no text.
    private static string Decode(JsonElement value, string field, string place)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException bad)
        {
            throw new CaldException($"{place}: field \"{field}\" holds half a surrogate pair, which is not a character", bad);
        }
    }

    private static JsonElement Require(JsonElement row, string field, string place, string key) =>
        row.TryGetProperty(field, out JsonElement value) ? value : throw new CaldException(
            $"{place}: no field \"{field}\"; this row has {string.Join(", ", row.EnumerateObject().Select(p => $"\"{p.Name}\"").Take(12))}; " +
            $"name the fields with {key}");

    /// <summary>Which field is what.</summary>
    private sealed record Fields(string Text, string? Pair, string Label)
    {
        public static Fields Of(TaskOptions options, JsonElement firstRow)
        {
            string label = options.LabelColumn ?? "label";
            return options.TextColumns switch
            {
                [] => new Fields("text", firstRow.TryGetProperty("pair", out _) ? "pair" : null, label),
                [string text] => new Fields(text, null, label),
                [string text, string pair] => new Fields(text, pair, label),
                _ => throw new CaldException($"task.text_columns names {options.TextColumns.Count} fields; give one, or two for pairs"),
            };
        }
    }
}
