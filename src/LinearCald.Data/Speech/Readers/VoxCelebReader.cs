using LinearCald.Data.Tasks.Files;

namespace LinearCald.Data.Speech.Readers;

/// <summary>
/// VoxCeleb1 in the split of SUPERB's speaker identification: lines "part path", part 1 train, 2 validation, 3 test, path
/// <c>speaker/video/clip.wav</c> under <c>wav</c> (or <c>dev/wav</c> and <c>test/wav</c>, as the archives unpack). No transcripts.
/// </summary>
internal static class VoxCelebReader
{
    /// <summary>Where the audio usually lies.</summary>
    private static readonly string[] s_folders = ["wav", "dev/wav", "test/wav", ""];

    public static void Read(SpeechAssembly assembly)
    {
        SpeechOptions options = assembly.Options;
        assembly.Refuse(options.Train.Count + options.Validation.Count + options.Test.Count > 0, "Train, Validation or Test");
        assembly.Refuse(options.Language is not null, nameof(SpeechOptions.Language));
        assembly.Refuse(options.TranscriptColumn is not null, nameof(SpeechOptions.TranscriptColumn));
        assembly.UseTargets(options.Targets.Count == 0 ? ["speaker"] : options.Targets, ["speaker"]);
        string path = options.Manifest is { } named
            ? SpeechFiles.Require("the split", Path.Combine(assembly.Folder, named))
            : SpeechFiles.Require("the split", Path.Combine(assembly.Folder, "veri_test_class.txt"), Path.Combine(assembly.Folder, "iden_split.txt"));
        string[] folders = options.AudioFolder is null
            ? [.. s_folders.Select(name => Path.Combine(assembly.Folder, name)).Where(Directory.Exists)]
            : [SpeechFiles.AudioFolder(assembly, "")];
        foreach (TextLine line in SpeechFiles.Lines(path))
        {
            string place = $"{path}:{line.Number}";
            string[] fields = line.Text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            string[] steps = fields.Length == 2 ? fields[1].Split('/', StringSplitOptions.RemoveEmptyEntries) : [];
            if (fields.Length != 2 || fields[0] is not ("1" or "2" or "3") || steps.Length < 2 || steps.Contains(".."))
            {
                throw new CaldException($"{place}: \"{line.Text}\" where a part from 1 to 3 and a path speaker/video/clip.wav are expected");
            }

            SpeechPart part = (SpeechPart)(fields[0][0] - '1');
            string file = folders.Select(folder => SpeechFiles.PathOf(folder, fields[1])).FirstOrDefault(File.Exists) ?? SpeechFiles.PathOf(folders[0], fields[1]);
            string speaker = steps[^Math.Min(3, steps.Length)];
            assembly.Add(new RawUtterance(part, Path.ChangeExtension(string.Join('_', steps.TakeLast(3)), null), file, "", place) { Speaker = speaker, Classes = [speaker] });
        }
    }
}
