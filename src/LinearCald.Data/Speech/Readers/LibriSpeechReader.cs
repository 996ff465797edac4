using LinearCald.Data.Tasks.Files;

namespace LinearCald.Data.Speech.Readers;

/// <summary>
/// LibriSpeech's layout: <c>part/speaker/chapter/speaker-chapter.trans.txt</c> with a line "speaker-chapter-utterance TEXT" an utterance, and
/// <c>speaker-chapter-utterance.flac</c> beside it.
/// </summary>
internal static class LibriSpeechReader
{
    private static readonly string[] Extensions = [".flac", ".wav", ".ogg", ".mp3"];

    public static void Read(SpeechAssembly assembly)
    {
        assembly.Refuse(assembly.Options.Manifest is not null, nameof(SpeechOptions.Manifest));
        assembly.Refuse(assembly.Options.Language is not null, nameof(SpeechOptions.Language));
        assembly.Refuse(assembly.Options.TranscriptColumn is not null, nameof(SpeechOptions.TranscriptColumn));
        assembly.Refuse(assembly.Options.AudioFolder is not null, nameof(SpeechOptions.AudioFolder));
        assembly.UseTargets(assembly.Options.Targets, ["speaker"]);
        string root = SpeechFiles.FindFolder(assembly.Folder, "LibriSpeech") ?? assembly.Folder;
        string[] seen = [.. Directory.EnumerateDirectories(root).Select(folder => Path.GetFileName(folder)!).Order(StringComparer.Ordinal)];
        SplitNames splits = new(assembly, part => part switch
        {
            SpeechPart.Train => [.. seen.Where(name => name.StartsWith("train-", StringComparison.Ordinal))],
            SpeechPart.Validation => ["dev-clean"],
            _ => ["test-clean"],
        });
        splits.RequireAll(seen);
        foreach (SpeechPart part in Enum.GetValues<SpeechPart>())
        {
            foreach (string split in splits.Of(part).Where(seen.Contains))
            {
                ReadSplit(assembly, part, Path.Combine(root, split));
            }
        }
    }

    private static void ReadSplit(SpeechAssembly assembly, SpeechPart part, string folder)
    {
        string[] manifests = [.. Directory.EnumerateFiles(folder, "*.trans.txt", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
        if (manifests.Length == 0)
        {
            throw new CaldException($"{folder} has no *.trans.txt in any folder: LibriSpeech's layout is part/speaker/chapter/speaker-chapter.trans.txt");
        }

        foreach (string path in manifests)
        {
            string chapter = Path.GetDirectoryName(path)!;
            foreach (TextLine line in SpeechFiles.Lines(path))
            {
                string place = $"{path}:{line.Number}";
                string[] fields = line.Text.Split(' ', 2);
                if (fields.Length != 2 || fields[0].Length == 0 || fields[0].AsSpan().IndexOfAny('/', '\\') >= 0)
                {
                    throw new CaldException($"{place}: \"{line.Text}\" where a name, a space and a text are expected");
                }

                string speaker = fields[0].Split('-')[0], stem = Path.Combine(chapter, fields[0]);
                string file = Extensions.Select(extension => stem + extension).FirstOrDefault(File.Exists) ?? stem + Extensions[0];
                assembly.Add(new RawUtterance(part, fields[0], file, fields[1], place)
                {
                    Speaker = speaker,
                    Classes = assembly.Targets.Count == 0 ? [] : [speaker],
                });
            }
        }
    }
}
