using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace LinearCald.Distillation.Reporting;

/// <summary>
/// Builds one JSON object on one line, members in the order added. NaN and infinities, which JSON lacks, become null; members whose
/// value is absent are left out.
/// </summary>
public sealed class JsonLine
{
    private readonly StringBuilder text = new("{");

    public JsonLine Add(string name, string? value) => value is null ? this : Append(name, $"\"{Escape(value)}\"");

    public JsonLine Add(string name, long? value) =>
        value is { } number ? Append(name, number.ToString(CultureInfo.InvariantCulture)) : this;

    public JsonLine Add(string name, bool? value) => value is { } flag ? Append(name, flag ? "true" : "false") : this;

    public JsonLine Add(string name, double? value) =>
        value is { } number ? Append(name, double.IsFinite(number) ? number.ToString("R", CultureInfo.InvariantCulture) : "null") : this;

    /// <summary>A list of whole numbers, such as a shape.</summary>
    public JsonLine AddList(string name, IEnumerable<long> values) => Append(name, $"[{string.Join(',', values)}]");

    /// <summary>A list of numbers.</summary>
    public JsonLine AddList(string name, IEnumerable<double> values) =>
        Append(name, $"[{string.Join(',', values.Select(v => double.IsFinite(v) ? v.ToString("R", CultureInfo.InvariantCulture) : "null"))}]");

    /// <summary>A list of flags.</summary>
    public JsonLine AddList(string name, IEnumerable<bool> values) => Append(name, $"[{string.Join(',', values.Select(v => v ? "true" : "false"))}]");

    /// <summary>A list of objects.</summary>
    public JsonLine AddList(string name, IEnumerable<JsonLine> values) => Append(name, $"[{string.Join(',', values)}]");

    /// <summary>The object, without a line end.</summary>
    public override string ToString() => text + "}";

    private JsonLine Append(string name, string value)
    {
        text.Append(text.Length > 1 ? "," : "").Append('"').Append(Escape(name)).Append("\":").Append(value);
        return this;
    }

    // Text stays readable (no \u0027 for an apostrophe): the output is a data file, not a web page.
    private static JsonEncodedText Escape(string value) => JsonEncodedText.Encode(value, JavaScriptEncoder.UnsafeRelaxedJsonEscaping);
}
