using System.Globalization;
using LinearCald.Data.Tasks.Files;

namespace LinearCald.Data.Speech.Readers;

/// <summary>
/// A folder with <c>transcripts.tsv</c>: UTF-8, tabs, no quoting. The header names the columns; <c>file</c> is needed, <c>split</c>,
/// <c>lang</c>, <c>speaker</c>, <c>seconds</c>, <c>text</c>, <c>norm</c> are used where they are, and any other column may be a target.
/// </summary>
internal static class TranscriptsReader
{
    public static void Read(SpeechAssembly assembly)
    {
        string path = SpeechFiles.Require("what is said in which file", Path.Combine(assembly.Folder, assembly.Options.Manifest ?? "transcripts.tsv"));
        string audio = SpeechFiles.AudioFolder(assembly, "");
        SplitNames splits = new(assembly, part => part switch
        {
            SpeechPart.Train => ["train"],
            SpeechPart.Validation => ["valid", "validation", "dev"],
            _ => ["test"],
        });
        Columns? columns = null;
        HashSet<string> seen = new(StringComparer.Ordinal);
        SortedDictionary<string, int> unused = new(StringComparer.Ordinal);
        SortedDictionary<string, int> otherLanguages = new(StringComparer.Ordinal);
        foreach (TextLine line in SpeechFiles.Lines(path))
        {
            string place = $"{path}:{line.Number}";
            string[] fields = line.Text.Split('\t');
            if (columns is null)
            {
                columns = new Columns(fields, assembly, place);
                assembly.UseTargets(assembly.Options.Targets);
                continue;
            }

            if (fields.Length != columns.Count)
            {
                throw new CaldException($"{place}: {fields.Length} columns where the header has {columns.Count}; columns are separated by single tabs");
            }

            if (assembly.Options.Language is { } language && fields[columns.Language] != language)
            {
                otherLanguages[fields[columns.Language]] = otherLanguages.GetValueOrDefault(fields[columns.Language]) + 1;
                continue;
            }

            string split = columns.Split < 0 ? "train" : fields[columns.Split];
            seen.Add(split);
            if (splits.PartOf(split) is not { } part)
            {
                unused[split] = unused.GetValueOrDefault(split) + 1;
                continue;
            }

            assembly.Add(columns.Utterance(fields, part, audio, place));
        }

        if (columns is null)
        {
            throw new CaldException($"{path} is empty; a header line with the column file, and a line an utterance are expected");
        }

        splits.RequireAll(seen);
        NoteUnused(assembly, "language", otherLanguages);
        NoteUnused(assembly, "split", unused);
    }

    private static void NoteUnused(SpeechAssembly assembly, string what, SortedDictionary<string, int> counts)
    {
        if (counts.Count > 0)
        {
            assembly.Note($"rows of other {what}s are not used: {string.Join(", ", counts.Select(entry => $"{entry.Value} of \"{entry.Key}\""))}");
        }
    }

    /// <summary>Which column is what; −1 for those that are not there.</summary>
    private sealed class Columns
    {
        private readonly int _file;
        private readonly int _transcript;
        private readonly int _speaker;
        private readonly int _seconds;
        private readonly int[] _targets;

        public Columns(string[] header, SpeechAssembly assembly, string place)
        {
            SpeechOptions options = assembly.Options;
            Count = header.Length;
            if (header.Distinct(StringComparer.Ordinal).Count() != header.Length)
            {
                throw new CaldException($"{place}: the header names a column twice: {string.Join(", ", header)}");
            }

            int Find(string name) => Array.IndexOf(header, name);
            int Require(string name, string use) => Find(name) is >= 0 and int found
                ? found
                : throw new CaldException($"{place}: no column \"{name}\", which is {use}; the header has {string.Join(", ", header)}");
            _file = Require("file", "the audio file of each row");
            Split = Find("split");
            Language = options.Language is null ? Find("lang") : Require("lang", "what the language is chosen by");
            _speaker = Find("speaker");
            _seconds = Find("seconds");
            _transcript = options.TranscriptColumn is { } named ? Require(named, "to be the transcript") : Find("norm") is >= 0 and int norm ? norm : Find("text");
            _targets = [.. options.Targets.Select(target => Require(target, "to be a target"))];
            if (_transcript < 0 && _targets.Length == 0)
            {
                throw new CaldException($"{place}: neither a transcript (norm, text) nor a target; name a column of {string.Join(", ", header)}");
            }
        }

        public int Count { get; }

        public int Split { get; }

        public int Language { get; }

        public RawUtterance Utterance(string[] fields, SpeechPart part, string audio, string place)
        {
            string file = fields[_file];
            if (file.Length == 0)
            {
                throw new CaldException($"{place}: the column \"file\" is empty");
            }

            double? seconds = null;
            if (_seconds >= 0 && fields[_seconds].Length > 0)
            {
                seconds = double.TryParse(fields[_seconds], NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value is >= 0 and < 1e9
                    ? value
                    : throw new CaldException($"{place}: \"{fields[_seconds]}\" in the column \"seconds\" is no length in seconds");
            }

            return new RawUtterance(part, file, SpeechFiles.PathOf(audio, file), _transcript < 0 ? "" : fields[_transcript], place)
            {
                Speaker = _speaker < 0 ? null : fields[_speaker],
                Classes = [.. _targets.Select(column => fields[column])],
                StatedSeconds = seconds,
            };
        }
    }
}
