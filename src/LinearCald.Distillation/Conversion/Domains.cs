using System.Text.Json;
using LinearCald.Distillation.Classification;
using LinearCald.Distillation.Language;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Speech;
using LinearCald.Models.GptNeoX;
using LinearCald.Models.Roberta;
using LinearCald.Models.Wav2Vec2;
using LinearCald.Nn.Files;

namespace LinearCald.Distillation.Conversion;

/// <summary>Finds the kind of conversion by the source model.</summary>
internal static class Domains
{
    /// <exception cref="CaldException">The source is of a family that is not converted here.</exception>
    public static ConversionDomain Of(string source, Recipe recipe, SessionOptions options) => ModelType(source) switch
    {
        RobertaConfig.ModelType or RobertaConfig.StudentModelType => new ClassificationDomain(source, recipe, options),
        GptNeoXConfig.ModelType or GptNeoXConfig.StudentModelType => new LanguageDomain(source, recipe, options),
        Wav2Vec2Config.ModelType or Wav2Vec2Config.StudentModelType => new SpeechDomain(source, recipe, options),
        string other => throw new CaldException($"{source}: model_type '{other}' is not one that is converted (roberta, gpt_neox, wav2vec2)"),
    };

    /// <summary>The <c>model_type</c> of a model folder's config.json; empty when it has none.</summary>
    public static string ModelType(string folder) =>
        JsonDocumentFile.ReadObject(Path.Combine(folder, "config.json")).TryGetProperty("model_type", out JsonElement type) && type.ValueKind == JsonValueKind.String
            ? type.GetString()!
            : "";
}
