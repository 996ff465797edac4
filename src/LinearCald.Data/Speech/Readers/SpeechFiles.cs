using LinearCald.Data.Tasks.Files;

namespace LinearCald.Data.Speech.Readers;

/// <summary>Finds and reads the manifests of a corpus.</summary>
internal static class SpeechFiles
{
    /// <summary>Lines of a UTF-8 file that are not blank.</summary>
    public static IEnumerable<TextLine> Lines(string path) => TextLineReader.Read(path).Where(line => !string.IsNullOrWhiteSpace(line.Text));

    /// <summary>The first of these folders, seen from <paramref name="root"/>, that exists; null when none does.</summary>
    public static string? FindFolder(string root, params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            string path = Path.Combine(root, name);
            if (Directory.Exists(path))
            {
                return path;
            }
        }

        return null;
    }

    /// <summary>Where audio is: the folder that the options name, else the first usual one that exists, else the first usual one.</summary>
    /// <exception cref="CaldException">The folder that the options name does not exist.</exception>
    public static string AudioFolder(SpeechAssembly assembly, params ReadOnlySpan<string> usual)
    {
        if (assembly.Options.AudioFolder is { } named)
        {
            string path = Path.Combine(assembly.Folder, named);
            return Directory.Exists(path) ? path : throw new CaldException($"{path} does not exist: name the folder of the audio files, or leave that option out");
        }

        return FindFolder(assembly.Folder, usual) ?? Path.Combine(assembly.Folder, usual[0]);
    }

    /// <summary>A file that must be there.</summary>
    /// <param name="purpose">What it holds, for the message.</param>
    /// <param name="candidates">Paths, the first that exists is taken.</param>
    public static string Require(string purpose, params ReadOnlySpan<string> candidates)
    {
        foreach (string path in candidates)
        {
            if (File.Exists(path))
            {
                return path;
            }
        }

        throw new CaldException($"{candidates[0]} does not exist: {purpose} is read from it{(candidates.Length > 1 ? $" (or from {string.Join(", ", candidates[1..].ToArray())})" : "")}");
    }

    /// <summary>A path in the manifest, which may be written with either slash, as a path of this system.</summary>
    public static string PathOf(string folder, string written) => Path.Combine(folder, written.Replace('\\', '/'));
}
