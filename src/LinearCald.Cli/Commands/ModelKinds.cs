using System.Text.Json;
using LinearCald.Models.GptNeoX;
using LinearCald.Models.Mamba;
using LinearCald.Models.Roberta;
using LinearCald.Models.Wav2Vec2;
using LinearCald.Nn.Files;

namespace LinearCald.Cli.Commands;

/// <summary>What a saved model does.</summary>
internal enum ModelKind
{
    /// <summary>Classifies texts: RoBERTa, or its Linformer student.</summary>
    Classifier,

    /// <summary>Continues texts: GPT-NeoX, its Mamba student, Mamba and Mamba-2.</summary>
    Language,

    /// <summary>Hears: Wav2Vec2, or its bidirectional student.</summary>
    Speech,
}

/// <summary>What kind of model a folder has, by its <c>config.json</c> alone.</summary>
internal static class ModelKinds
{
    private static readonly (string Type, ModelKind Kind)[] Known =
    [
        (RobertaConfig.ModelType, ModelKind.Classifier),
        (RobertaConfig.StudentModelType, ModelKind.Classifier),
        (GptNeoXConfig.ModelType, ModelKind.Language),
        (GptNeoXConfig.StudentModelType, ModelKind.Language),
        (MambaModelConfig.ModelType, ModelKind.Language),
        (Mamba2ModelConfig.ModelType, ModelKind.Language),
        (Wav2Vec2Config.ModelType, ModelKind.Speech),
        (Wav2Vec2Config.StudentModelType, ModelKind.Speech),
    ];

    /// <summary>The kind of the model in a folder.</summary>
    /// <exception cref="CaldException">No config there, or its <c>model_type</c> is of no model that this program has.</exception>
    public static ModelKind Of(string folder)
    {
        JsonElement config = ModelFolder.ReadConfig(folder);
        bool given = config.TryGetProperty("model_type", out JsonElement type);
        foreach ((string name, ModelKind kind) in Known)
        {
            if (given && type.ValueKind == JsonValueKind.String && type.ValueEquals(name))
                return kind;
        }

        string what = given ? $"model_type is {type.GetRawText()}" : "model_type is missing";
        throw new CaldException($"{Path.Combine(folder, ModelFolder.ConfigName)}: {what}; models of these types are read: {string.Join(", ", Known.Select(known => known.Type))}");
    }

    /// <summary>A kind in a sentence.</summary>
    public static string Name(ModelKind kind) => kind switch
    {
        ModelKind.Classifier => "a classifier of texts",
        ModelKind.Language => "a language model",
        _ => "a speech model",
    };

    /// <summary>Whether a Wav2Vec2 has a CTC head.</summary>
    public static bool IsRecogniser(string folder) =>
        ModelFolder.ReadConfig(folder).TryGetProperty("architectures", out JsonElement names) && names.ValueKind == JsonValueKind.Array
        && names.EnumerateArray().Any(name => name.ValueKind == JsonValueKind.String && name.ValueEquals("Wav2Vec2ForCTC"));

    /// <exception cref="CaldException">The folder has no speech recogniser; the message says what it has.</exception>
    public static void RequireRecogniser(string folder)
    {
        ModelKind kind = Of(folder);
        if (kind != ModelKind.Speech)
            throw new CaldException($"{folder} has {Name(kind)}, which does not hear; give the folder of a Wav2Vec2 with a CTC head or of a student of one");
        if (!IsRecogniser(folder))
            throw new CaldException($"{folder} has a speech model without a CTC head, which writes no text; fine-tune it for recognition, or see `cald eval` for what classifiers tell");
    }
}
