using LinearCald.Data.Tasks.Files;

namespace LinearCald.Data.Speech.Readers;

/// <summary>
/// SLURP: <c>dataset/slurp/{train,train_synthetic,devel,test}.jsonl</c>, one sentence a line with its recordings, and the recordings in
/// <c>slurp_real</c> and <c>slurp_synth</c>. Every recording is an utterance.
/// </summary>
internal static class SlurpReader
{
    private static readonly string[] Fields = ["scenario", "action", "intent"];

    public static void Read(SpeechAssembly assembly)
    {
        assembly.Refuse(assembly.Options.Manifest is not null, nameof(SpeechOptions.Manifest));
        assembly.Refuse(assembly.Options.Language is not null, nameof(SpeechOptions.Language));
        assembly.Refuse(assembly.Options.TranscriptColumn is not null, nameof(SpeechOptions.TranscriptColumn));
        assembly.UseTargets(assembly.Options.Targets, Fields);
        SplitNames splits = new(assembly, part => part switch
        {
            SpeechPart.Train => ["train", "train_synthetic"],
            SpeechPart.Validation => ["devel"],
            _ => ["test"],
        });
        string manifests = SpeechFiles.FindFolder(assembly.Folder, "dataset/slurp", "slurp") ?? assembly.Folder;
        HashSet<string> seen = [.. Directory.EnumerateFiles(manifests, "*.jsonl").Select(file => Path.GetFileNameWithoutExtension(file)!)];
        if (seen.Count == 0)
        {
            throw new CaldException($"{manifests} has no .jsonl file: SLURP's dataset/slurp with train.jsonl, devel.jsonl and test.jsonl is expected");
        }

        splits.RequireAll(seen);
        AudioFolders audio = new(assembly);
        int repeated = 0;
        foreach (SpeechPart part in Enum.GetValues<SpeechPart>())
        {
            foreach (string split in splits.Of(part))
            {
                if (seen.Contains(split))
                {
                    repeated += ReadSplit(assembly, part, Path.Combine(manifests, split + ".jsonl"), audio);
                }
                else
                {
                    assembly.Note($"{split}.jsonl is not there; {part.ToString().ToLowerInvariant()} goes without it");
                }
            }
        }

        if (repeated > 0)
        {
            assembly.Note($"{repeated} recordings are named more than once; each is used the first time");
        }
    }

    private static int ReadSplit(SpeechAssembly assembly, SpeechPart part, string path, AudioFolders audio)
    {
        int repeated = 0;
        foreach (TextLine line in SpeechFiles.Lines(path))
        {
            string place = $"{path}:{line.Number}";
            using JsonRow row = JsonRow.Parse(line.Text, place);
            string sentence = row.Text("sentence");
            string[] classes = [.. assembly.Targets.Select(target => ClassOf(row, target))];
            foreach (JsonRow recording in row.Objects("recordings"))
            {
                string file = recording.Text("file"), name = Path.GetFileNameWithoutExtension(file);
                if (file.Length == 0 || file.AsSpan().IndexOfAny('/', '\\') >= 0)
                {
                    throw new CaldException($"{place}: the recording \"{file}\" is no name of a file");
                }

                if (assembly.Has(name))
                {
                    repeated++;
                    continue;
                }

                assembly.Add(new RawUtterance(part, name, audio.Find(file), sentence, place) { Classes = classes });
            }
        }

        return repeated;
    }

    // An intent is a scenario and an action; sets that were derived from SLURP have the one field or the other two.
    private static string ClassOf(JsonRow row, string target) =>
        target == "intent" && !row.HasText("intent") ? $"{row.Text("scenario")}_{row.Text("action")}" : row.Text(target);

    /// <summary>Where recordings are.</summary>
    private sealed class AudioFolders
    {
        private static readonly string[] s_names = ["slurp_real", "slurp_synth", ""];

        private readonly string[] _folders;

        public AudioFolders(SpeechAssembly assembly)
        {
            string root = SpeechFiles.AudioFolder(assembly, "audio", "scripts/audio", "");
            _folders = [.. s_names.Select(name => Path.Combine(root, name)).Where(Directory.Exists)];
            _folders = _folders.Length > 0 ? _folders : [root];
        }

        /// <summary>The path of a recording; where it is in none of the folders, the one it should have.</summary>
        public string Find(string file) =>
            _folders.Select(folder => Path.Combine(folder, file)).FirstOrDefault(File.Exists) ?? Path.Combine(_folders[0], file);
    }
}
