using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace LinearCald.Models.Language;

/// <summary>What the <c>config.json</c> of every causal language model says.</summary>
public abstract record LanguageModelConfig
{
    private protected const int MaximumVocabulary = 10_000_000;
    private protected const int MaximumWidth = 1_000_000;
    private protected const int MaximumLayers = 1000;

    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public required int VocabularySize { get; init; }

    /// <summary>Width d of the hidden states.</summary>
    public required int HiddenSize { get; init; }

    public required int Layers { get; init; }

    /// <summary>Whether the output embedding is the input embedding.</summary>
    public bool TieWordEmbeddings { get; init; }

    /// <summary>Standard deviation of the normal start of embeddings (and of a transformer's linear maps).</summary>
    public double InitialiserRange { get; init; } = 0.02;

    /// <summary>The id that begins a text; null when the config names none.</summary>
    public int? StartToken { get; init; }

    /// <summary>The id that ends a text; null when the config names none.</summary>
    public int? EndToken { get; init; }

    /// <summary>HuggingFace's class name.</summary>
    public abstract string Architecture { get; }

    /// <summary>The config as <c>config.json</c> of a saved model.</summary>
    public string ToJson()
    {
        JsonObject json = new()
        {
            ["architectures"] = new JsonArray(Architecture),
            ["bos_token_id"] = StartToken,
            ["dtype"] = "float32",
            ["eos_token_id"] = EndToken,
            ["hidden_size"] = HiddenSize,
            ["initializer_range"] = InitialiserRange,
            ["num_hidden_layers"] = Layers,
            ["tie_word_embeddings"] = TieWordEmbeddings,
            ["vocab_size"] = VocabularySize,
        };
        Write(json);
        return json.ToJsonString(s_indented) + "\n";
    }

    /// <summary>Adds the fields of this kind of model.</summary>
    private protected abstract void Write(JsonObject json);
}
