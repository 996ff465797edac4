using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using LinearCald.Nn.Files;
using LinearCald.Tensors.Ops;

namespace LinearCald.Models;

/// <summary>The fields of a <c>config.json</c>, or of an object inside one, each checked for type and range as it is read.</summary>
/// <param name="json">The object.</param>
/// <param name="path">The file, for messages.</param>
/// <param name="prefix">What stands before a field's name in messages: "mamba." inside that section.</param>
internal sealed class ConfigFields(JsonObject json, string path, string prefix = "")
{
    /// <summary>The file, for messages.</summary>
    public string Path => path;

    /// <summary>The config of a model folder.</summary>
    /// <exception cref="CaldException">No such folder or file, or it is not a JSON object.</exception>
    public static ConfigFields Of(string folder) =>
        new(JsonObject.Create(ModelFolder.ReadConfig(folder))!, System.IO.Path.Combine(folder, ModelFolder.ConfigName));

    /// <summary>HuggingFace's name of an activation.</summary>
    public static string NameOf(Activation activation) => activation switch
    {
        Tensors.Ops.Activation.GeluErf => "gelu",
        Tensors.Ops.Activation.GeluTanh => "gelu_new",
        Tensors.Ops.Activation.Relu => "relu",
        Tensors.Ops.Activation.Silu => "silu",
        _ => throw new ArgumentOutOfRangeException(nameof(activation), activation, "no HuggingFace name"),
    };

    /// <summary>Throws unless <c>model_type</c> is one that a model reads.</summary>
    /// <returns>Which of them it is.</returns>
    public string RequireModelType(params ReadOnlySpan<string> types)
    {
        string found = Text("model_type", "");
        return types.Contains(found) ? found : throw Bad("model_type", $"is '{found}'; this model reads '{string.Join("' and '", types)}'");
    }

    /// <summary>
    /// Throws unless <c>model_type</c> is a transformer's or its student's, and a student's section is there. A transformer's type with that section is a student too:
    /// until students had a type of their own, they were written so.
    /// </summary>
    /// <returns>The section of the student's mixer; null for a transformer.</returns>
    public ConfigFields? StudentSection(string transformer, string student, string section)
    {
        string found = RequireModelType(transformer, student);
        return Section(section) ?? (found == transformer ? null : throw Bad(section, $"is missing, and a '{student}' is nothing without it; take config.json and weights from the same run"));
    }

    /// <summary>The field as it stands; null when it is missing or null.</summary>
    public JsonNode? Raw(string field) => json[field];

    /// <summary>Whether the field is there and not null.</summary>
    public bool Has(string field) => json[field] is not null;

    /// <summary>An object inside; null when it is missing.</summary>
    public ConfigFields? Section(string field) => json[field] switch
    {
        null => null,
        JsonObject part => new ConfigFields(part, path, $"{prefix}{field}."),
        { } node => throw Bad(field, $"is {node.ToJsonString()}; expected an object"),
    };

    public string Text(string field, string fallback)
    {
        JsonNode? node = json[field];
        return node is null ? fallback
            : node.GetValueKind() == JsonValueKind.String ? node.GetValue<string>()
            : throw Bad(field, $"is {node.ToJsonString()}; expected a string");
    }

    public bool Flag(string field, bool fallback) => json[field] switch
    {
        null => fallback,
        { } node => node.GetValueKind() switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw Bad(field, $"is {node.ToJsonString()}; expected true or false"),
        },
    };

    /// <param name="field">Its name.</param>
    /// <param name="fallback">Its value when missing; null where it must not be.</param>
    /// <param name="low">The smallest it may be.</param>
    /// <param name="high">The largest it may be.</param>
    public int Integer(string field, int? fallback, int low, int high)
    {
        JsonNode? node = json[field];
        if (node is null)
        {
            return fallback ?? throw Bad(field, "is missing; download the config again");
        }

        return node.GetValueKind() == JsonValueKind.Number && node.AsValue().TryGetValue(out int value) && value >= low && value <= high
            ? value
            : throw Bad(field, $"is {node.ToJsonString()}; expected a whole number from {low} to {high}");
    }

    /// <param name="field">Its name.</param>
    /// <param name="fallback">Its value when missing.</param>
    /// <param name="low">The smallest that an element may be.</param>
    /// <param name="high">The largest.</param>
    public IReadOnlyList<int> Integers(string field, IReadOnlyList<int> fallback, int low, int high)
    {
        JsonNode? node = json[field];
        if (node is null)
        {
            return fallback;
        }

        int[] values = node is JsonArray { Count: > 0 } list
            ? [.. list.Select(e => e?.GetValueKind() == JsonValueKind.Number && e.AsValue().TryGetValue(out int v) && v >= low && v <= high ? v : int.MinValue)]
            : [int.MinValue];
        return values.Contains(int.MinValue)
            ? throw Bad(field, $"is {node.ToJsonString()}; expected a list of whole numbers from {low} to {high}")
            : values;
    }

    public double Number(string field, double fallback, double low, double high)
    {
        JsonNode? node = json[field];
        if (node is null)
        {
            return fallback;
        }

        return node.GetValueKind() == JsonValueKind.Number && node.AsValue().TryGetValue(out double value) && value >= low && value <= high
            ? value
            : throw Bad(field, $"is {node.ToJsonString()}; expected a number from {low} to {high}");
    }

    public Activation Activation(string field, string fallback)
    {
        string name = Text(field, fallback);
        return name switch
        {
            "gelu" => Tensors.Ops.Activation.GeluErf,
            "gelu_new" or "gelu_pytorch_tanh" or "gelu_fast" => Tensors.Ops.Activation.GeluTanh,
            "relu" => Tensors.Ops.Activation.Relu,
            "silu" or "swish" => Tensors.Ops.Activation.Silu,
            _ => throw Bad(field, $"is '{name}'; supported are gelu, gelu_new, gelu_pytorch_tanh, gelu_fast, relu, silu, swish"),
        };
    }

    /// <summary>A token id, the first of a list of them, or null when there is none.</summary>
    public int? Token(string field)
    {
        JsonNode? node = json[field] is JsonArray { Count: > 0 } list ? list[0] : json[field];
        return node is null ? null
            : node.GetValueKind() == JsonValueKind.Number && node.AsValue().TryGetValue(out int value) && value >= 0 ? value
            : throw Bad(field, $"is {node.ToJsonString()}; expected a token id");
    }

    /// <summary>Class names in the order of the outputs (<c>id2label</c>, or LABEL_0 … for <c>num_labels</c>); empty where the config has neither.</summary>
    public string[] Labels()
    {
        if (Raw("id2label") is JsonObject labels)
        {
            string[] names = new string[labels.Count];
            foreach ((string key, JsonNode? value) in labels)
            {
                if (!int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out int id) || id >= names.Length || names[id] is not null)
                {
                    throw Bad("id2label", $"has the key '{key}'; keys must be 0 … {labels.Count - 1}, each once");
                }

                names[id] = value?.ToString() ?? $"LABEL_{id}";
            }

            return names;
        }

        return Numbered(Integer("num_labels", 0, 0, 1_000_000));
    }

    /// <summary>LABEL_0, LABEL_1, …: the names of classes that have none.</summary>
    public static string[] Numbered(int classes) => [.. Enumerable.Range(0, classes).Select(i => $"LABEL_{i}")];

    /// <summary>Writes class names both ways round, as HuggingFace has them.</summary>
    public static void WriteLabels(JsonObject json, IReadOnlyList<string> labels)
    {
        JsonObject idToLabel = [];
        JsonObject labelToId = [];
        for (int i = 0; i < labels.Count; i++)
        {
            idToLabel[i.ToString(CultureInfo.InvariantCulture)] = labels[i];
            labelToId[labels[i]] = i;
        }

        json["id2label"] = idToLabel;
        json["label2id"] = labelToId;
    }

    /// <summary>What is wrong with a field.</summary>
    public CaldException Bad(string field, string what) => new($"{path}: {prefix}{field} {what}");
}
