using System.Text.Json;
using LinearCald.Nn.Files;

namespace LinearCald.Cli.Commands;

/// <summary>What kind of speech model a folder has, by its config alone.</summary>
internal static class SpeechModels
{
    private const string ModelType = "wav2vec2";

    /// <summary>Whether a folder has a Wav2Vec2, transformer or student.</summary>
    /// <exception cref="CaldException">No config there.</exception>
    public static bool IsFor(string folder) => TypeOf(folder) == ModelType;

    /// <summary>Whether a Wav2Vec2 has a CTC head.</summary>
    public static bool IsRecogniser(string folder) =>
        ModelFolder.ReadConfig(folder).TryGetProperty("architectures", out JsonElement names) && names.ValueKind == JsonValueKind.Array
        && names.EnumerateArray().Any(name => name.ValueKind == JsonValueKind.String && name.GetString() == "Wav2Vec2ForCTC");

    /// <exception cref="CaldException">The folder has no speech recogniser; the message says what it has.</exception>
    public static void RequireRecogniser(string folder)
    {
        if (!IsFor(folder))
            throw new CaldException($"{folder} has a model of type '{TypeOf(folder)}', which does not hear; give the folder of a Wav2Vec2 with a CTC head or of a student of one");
        if (!IsRecogniser(folder))
            throw new CaldException($"{folder} has a speech model without a CTC head, which writes no text; fine-tune it for recognition, or see `cald eval` for what classifiers tell");
    }

    private static string TypeOf(string folder) =>
        ModelFolder.ReadConfig(folder).TryGetProperty("model_type", out JsonElement type) && type.ValueKind == JsonValueKind.String ? type.GetString()! : "";
}
