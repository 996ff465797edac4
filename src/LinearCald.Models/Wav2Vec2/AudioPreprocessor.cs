using System.Text.Json;
using System.Text.Json.Nodes;
using LinearCald.Nn.Files;

namespace LinearCald.Models.Wav2Vec2;

/// <summary>What a model expects of its waves: the <c>preprocessor_config.json</c> of HuggingFace's Wav2Vec2FeatureExtractor.</summary>
public sealed record AudioPreprocessor
{
    /// <summary>Name of the file beside <c>config.json</c>.</summary>
    public const string FileName = "preprocessor_config.json";

    /// <summary>Where newer versions of transformers may keep the same fields, in a section.</summary>
    private const string ProcessorName = "processor_config.json";

    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };

    /// <summary>Samples a second (<c>sampling_rate</c>).</summary>
    public int SamplingRate { get; init; } = 16_000;

    /// <summary>Whether each utterance is brought to mean 0 and variance 1 (<c>do_normalize</c>).</summary>
    public bool Normalise { get; init; } = true;

    /// <summary>
    /// Whether the model is told where padding begins (<c>return_attention_mask</c>). Models with group norm were pretrained on waves padded with zeros without being
    /// told, those with layer norm with it.
    /// </summary>
    public bool Masked { get; init; } = true;

    /// <summary>Reads a model folder's file.</summary>
    /// <param name="folder">The model folder; the file may be missing.</param>
    /// <param name="masked">What holds where the file does not say whether the model is told of padding.</param>
    /// <exception cref="CaldException">Not JSON, or a field is out of range or not supported.</exception>
    public static AudioPreprocessor Read(string folder, bool masked)
    {
        if (Fields(folder) is not { } fields)
        {
            return new AudioPreprocessor { Masked = masked };
        }

        if (fields.Number("padding_value", 0, double.MinValue, double.MaxValue) != 0)
        {
            throw fields.Bad("padding_value", $"is {fields.Raw("padding_value")}; waves are padded with 0");
        }

        if (fields.Integer("feature_size", 1, 1, int.MaxValue) != 1)
        {
            throw fields.Bad("feature_size", $"is {fields.Raw("feature_size")}; this model reads waves, one number a sample");
        }

        return new AudioPreprocessor
        {
            SamplingRate = fields.Integer("sampling_rate", 16_000, 1, 10_000_000),
            Normalise = fields.Flag("do_normalize", true),
            Masked = fields.Flag("return_attention_mask", masked),
        };
    }

    /// <summary>The contents of the file.</summary>
    public string ToJson() => new JsonObject
    {
        ["do_normalize"] = Normalise,
        ["feature_extractor_type"] = "Wav2Vec2FeatureExtractor",
        ["feature_size"] = 1,
        ["padding_side"] = "right",
        ["padding_value"] = 0.0,
        ["return_attention_mask"] = Masked,
        ["sampling_rate"] = SamplingRate,
    }.ToJsonString(s_indented) + "\n";

    private static ConfigFields? Fields(string folder)
    {
        string own = Path.Combine(folder, FileName);
        if (File.Exists(own))
        {
            return new ConfigFields(JsonObject.Create(JsonDocumentFile.ReadObject(own))!, own);
        }

        string shared = Path.Combine(folder, ProcessorName);
        return File.Exists(shared) ? new ConfigFields(JsonObject.Create(JsonDocumentFile.ReadObject(shared))!, shared).Section("feature_extractor") : null;
    }
}
