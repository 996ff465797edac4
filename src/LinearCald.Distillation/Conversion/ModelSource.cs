namespace LinearCald.Distillation.Conversion;

/// <summary>Finds model folders: as given, or among the models that travel with the program.</summary>
public static class ModelSource
{
    /// <summary>The folder that a recipe's <c>model.source</c> means.</summary>
    /// <param name="source">As given.</param>
    /// <param name="option">How another one is given, for the message.</param>
    /// <exception cref="CaldException">There is no such folder.</exception>
    public static string Resolve(string source, string option = "--set model.source=FOLDER")
    {
        ArgumentNullException.ThrowIfNull(source);
        if (Directory.Exists(source))
        {
            return source;
        }

        if (string.IsNullOrWhiteSpace(source) || File.Exists(source))
        {
            throw new CaldException($"'{source}' is {(File.Exists(source) ? "a file" : "no name of a folder")}; give the model's folder, the one with config.json in it: {option}");
        }

        string shipped = Path.Combine(AppContext.BaseDirectory, source);
        return Directory.Exists(shipped) ? shipped : throw new CaldException(
            $"model folder {source} does not exist, neither in the working directory nor beside the program; give a folder with config.json, safetensors and the tokenizer's files: {option}");
    }
}
