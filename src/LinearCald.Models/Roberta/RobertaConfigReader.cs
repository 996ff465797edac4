using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using LinearCald.Models.Linformer;
using LinearCald.Tensors.Ops;

namespace LinearCald.Models.Roberta;

/// <summary>Reads and checks the fields of a RoBERTa <c>config.json</c>.</summary>
internal sealed class RobertaConfigReader(JsonObject json, string path)
{
    public static string ActivationName(Activation activation) => activation switch
    {
        Activation.GeluErf => "gelu",
        Activation.GeluTanh => "gelu_new",
        Activation.Relu => "relu",
        Activation.Silu => "silu",
        _ => throw new ArgumentOutOfRangeException(nameof(activation), activation, "no HuggingFace name"),
    };

    public RobertaConfig Read()
    {
        string type = Text("model_type", "");
        if (type is not ("roberta" or RobertaConfig.StudentModelType))
        {
            throw new CaldException($"{path}: model_type is '{type}'; this model reads 'roberta' and '{RobertaConfig.StudentModelType}'");
        }

        string positions = Text("position_embedding_type", "absolute");
        if (positions != "absolute")
        {
            throw Bad("position_embedding_type", $"is '{positions}'; only 'absolute' is supported");
        }

        int vocabulary = Integer("vocab_size", null, 1, 10_000_000);
        RobertaConfig config = new()
        {
            VocabularySize = vocabulary,
            HiddenSize = Integer("hidden_size", null, 1, 65_536),
            Layers = Integer("num_hidden_layers", null, 1, 1000),
            Heads = Integer("num_attention_heads", null, 1, 4096),
            IntermediateSize = Integer("intermediate_size", null, 1, 1_000_000),
            MaximumPositions = Integer("max_position_embeddings", 512, 3, 100_000_000),
            TypeVocabularySize = Integer("type_vocab_size", 2, 1, 1_000_000),
            PaddingId = Integer("pad_token_id", 1, 0, vocabulary - 1),
            LayerNormEpsilon = Number("layer_norm_eps", 1e-12, 0, 1),
            InitialiserRange = Number("initializer_range", 0.02, 0, 100),
            HiddenDropout = Number("hidden_dropout_prob", 0.1, 0, 0.999999),
            AttentionDropout = Number("attention_probs_dropout_prob", 0.1, 0, 0.999999),
            ClassifierDropout = json["classifier_dropout"] is null ? null : Number("classifier_dropout", 0, 0, 0.999999),
            Activation = ReadActivation(),
            Labels = ReadLabels(),
            Linformer = type == "roberta" ? null : ReadLinformer(),
        };
        return config.HiddenSize % config.Heads == 0
            ? config
            : throw Bad("hidden_size", $"{config.HiddenSize} does not divide by num_attention_heads {config.Heads}");
    }

    private LinformerConfig ReadLinformer() => json["linformer"] is JsonObject part
        ? LinformerConfig.FromJson(part, path)
        : throw Bad("linformer", "is missing; a converted student must say its rank and share_mode");

    private Activation ReadActivation()
    {
        string name = Text("hidden_act", "gelu");
        return name switch
        {
            "gelu" => Activation.GeluErf,
            "gelu_new" or "gelu_pytorch_tanh" or "gelu_fast" => Activation.GeluTanh,
            "relu" => Activation.Relu,
            "silu" or "swish" => Activation.Silu,
            _ => throw Bad("hidden_act", $"is '{name}'; supported are gelu, gelu_new, gelu_pytorch_tanh, gelu_fast, relu, silu, swish"),
        };
    }

    private string[] ReadLabels()
    {
        if (json["id2label"] is JsonObject labels)
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

        int count = Integer("num_labels", 0, 0, 1_000_000);
        return [.. Enumerable.Range(0, count).Select(i => $"LABEL_{i}")];
    }

    private string Text(string field, string fallback)
    {
        JsonNode? node = json[field];
        return node is null ? fallback
            : node.GetValueKind() == JsonValueKind.String ? node.GetValue<string>()
            : throw Bad(field, $"is {node.ToJsonString()}; expected a string");
    }

    private int Integer(string field, int? fallback, int low, int high)
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

    private double Number(string field, double fallback, double low, double high)
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

    private CaldException Bad(string field, string what) => new($"{path}: {field} {what}");
}
