using System.Text.Json;
using System.Text.Json.Nodes;
using LinearCald.Models.Linformer;
using LinearCald.Tensors.Ops;

namespace LinearCald.Models.Roberta;

/// <summary>
/// What <c>config.json</c> says of a RoBERTa (Liu et al. 2019), as transformers 5 and the older versions of published checkpoints write it, or of a Linformer
/// student made from one.
/// </summary>
public sealed record RobertaConfig
{
    /// <summary><c>model_type</c> of a transformer.</summary>
    public const string ModelType = "roberta";

    /// <summary><c>model_type</c> of a converted student.</summary>
    public const string StudentModelType = "cald_roberta_linformer";

    public required int VocabularySize { get; init; }

    /// <summary>Width d of the hidden states.</summary>
    public required int HiddenSize { get; init; }

    public required int Layers { get; init; }

    public required int Heads { get; init; }

    /// <summary>Width of the feed-forward block.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Rows of the position table; the longest text is this less the padding id and one.</summary>
    public required int MaximumPositions { get; init; }

    public int TypeVocabularySize { get; init; } = 1;

    public int PaddingId { get; init; } = 1;

    public double LayerNormEpsilon { get; init; } = 1e-5;

    public double InitialiserRange { get; init; } = 0.02;

    public Activation Activation { get; init; } = Activation.GeluErf;

    public double HiddenDropout { get; init; } = 0.1;

    public double AttentionDropout { get; init; } = 0.1;

    /// <summary>Dropout before the classifier; null: <see cref="HiddenDropout"/>.</summary>
    public double? ClassifierDropout { get; init; }

    /// <summary>Class names in the order of the outputs; empty for a masked language model.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>The mixer of a student; null for a transformer.</summary>
    public LinformerConfig? Linformer { get; init; }

    /// <summary>The longest text in tokens, special tokens included.</summary>
    public int MaximumLength => MaximumPositions - PaddingId - 1;

    internal AttentionSizes Attention => new(HiddenSize, Heads, AttentionDropout, InitialiserRange);

    /// <summary>Reads the <c>config.json</c> of a model folder.</summary>
    /// <exception cref="CaldException">No such file, not JSON, another model type, or a field is missing or out of range.</exception>
    public static RobertaConfig Read(string folder) => new RobertaConfigReader(ConfigFields.Of(folder)).Read();

    /// <summary>The config as <c>config.json</c> of a saved model.</summary>
    /// <param name="architecture">HuggingFace's class name, such as <c>RobertaForSequenceClassification</c>.</param>
    public string ToJson(string architecture)
    {
        JsonObject json = new()
        {
            ["architectures"] = new JsonArray(architecture),
            ["attention_probs_dropout_prob"] = AttentionDropout,
            ["bos_token_id"] = 0,
            ["classifier_dropout"] = ClassifierDropout,
            ["dtype"] = "float32",
            ["eos_token_id"] = 2,
            ["hidden_act"] = ConfigFields.NameOf(Activation),
            ["hidden_dropout_prob"] = HiddenDropout,
            ["hidden_size"] = HiddenSize,
            ["initializer_range"] = InitialiserRange,
            ["intermediate_size"] = IntermediateSize,
            ["layer_norm_eps"] = LayerNormEpsilon,
            ["max_position_embeddings"] = MaximumPositions,
            ["model_type"] = Linformer is null ? ModelType : StudentModelType,
            ["num_attention_heads"] = Heads,
            ["num_hidden_layers"] = Layers,
            ["pad_token_id"] = PaddingId,
            ["tie_word_embeddings"] = true,
            ["type_vocab_size"] = TypeVocabularySize,
            ["vocab_size"] = VocabularySize,
        };
        if (Labels.Count > 0)
        {
            ConfigFields.WriteLabels(json, Labels);
        }

        if (Linformer is { } linformer)
        {
            json["linformer"] = linformer.ToJson();
        }

        return json.ToJsonString(new JsonSerializerOptions { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }) + "\n";
    }
}
