using System.Text.Json;

namespace LinearCald.Nn.Files;

/// <summary>A folder in HuggingFace layout: where its parts are, and what to tell the user when one is missing.</summary>
public static class ModelFolder
{
    /// <summary>Name of the file that describes the architecture.</summary>
    public const string ConfigName = "config.json";

    /// <summary>Name of the weights when they are in one file.</summary>
    public const string WeightsName = "model.safetensors";

    /// <summary>The root object of the folder's <c>config.json</c>.</summary>
    /// <exception cref="CaldException">The folder or the file is missing or cannot be read.</exception>
    public static JsonElement ReadConfig(string folder)
    {
        Require(folder);
        string path = Path.Combine(folder, ConfigName);
        if (!File.Exists(path))
        {
            throw new CaldException(
                $"{folder} has no {ConfigName}, which says what kind of model it holds. Name the folder that has it; this one holds: {Contents(folder)}.");
        }

        return JsonDocumentFile.ReadObject(path);
    }

    /// <summary>Checks that the folder exists.</summary>
    /// <exception cref="CaldException">It does not, or it is a file.</exception>
    public static void Require(string folder)
    {
        if (!Directory.Exists(folder))
        {
            throw new CaldException(File.Exists(folder)
                ? $"{folder} is a file: name the model's folder, the one with {ConfigName} in it."
                : $"There is no folder {folder}: check the path.");
        }
    }

    /// <summary>The path of the weights in a folder: an index, or a single file.</summary>
    /// <exception cref="CaldException">There are none, or only pickled ones.</exception>
    internal static string FindWeights(string folder)
    {
        Require(folder);
        string single = Path.Combine(folder, WeightsName);
        string index = Path.Combine(folder, WeightsIndex.FileName);
        if (File.Exists(single))
            return single;
        if (File.Exists(index))
            return index;
        string? pickle = Directory.EnumerateFiles(folder).Select(p => Path.GetFileName(p)).Where(ForeignFormat.IsPickleName).Min(StringComparer.Ordinal);
        throw new CaldException(pickle is not null
            ? $"{folder} has its weights only as {pickle}. {ForeignFormat.PickleAdvice}"
            : $"{folder} has no weights: expected {WeightsName}, or {WeightsIndex.FileName} with its shards; it holds: {Contents(folder)}.");
    }

    private static string Contents(string folder)
    {
        const int Limit = 12;
        List<string> names = [.. Directory.EnumerateFileSystemEntries(folder).Select(p => Path.GetFileName(p)).Order(StringComparer.Ordinal).Take(Limit + 1)];
        return names.Count == 0 ? "nothing" : string.Join(", ", names.Take(Limit)) + (names.Count > Limit ? ", …" : "");
    }
}
