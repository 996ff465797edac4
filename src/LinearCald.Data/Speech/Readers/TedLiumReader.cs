using System.Globalization;
using LinearCald.Data.Speech.Text;
using LinearCald.Data.Tasks.Files;

namespace LinearCald.Data.Speech.Readers;

/// <summary>
/// TED-LIUM release 3: <c>legacy/{train,dev,test}/stm/*.stm</c> name segments of the talks in <c>…/sph/*.sph</c>. A line of an STM file has
/// talk, channel, speaker, start and end in seconds, perhaps a label in angle brackets, and the text; lines that begin with ;; are comments.
/// </summary>
internal static class TedLiumReader
{
    private const string NotScored = "ignore_time_segment_in_scoring";

    public static void Read(SpeechAssembly assembly)
    {
        assembly.Refuse(assembly.Options.Manifest is not null, nameof(SpeechOptions.Manifest));
        assembly.Refuse(assembly.Options.Language is not null, nameof(SpeechOptions.Language));
        assembly.Refuse(assembly.Options.TranscriptColumn is not null, nameof(SpeechOptions.TranscriptColumn));
        assembly.Refuse(assembly.Options.AudioFolder is not null, nameof(SpeechOptions.AudioFolder));
        assembly.UseTargets(assembly.Options.Targets, ["speaker"]);
        string root = SpeechFiles.FindFolder(assembly.Folder, "legacy") ?? assembly.Folder;
        SplitNames splits = new(assembly, part => part switch
        {
            SpeechPart.Train => ["train"],
            SpeechPart.Validation => ["dev"],
            _ => ["test"],
        });
        HashSet<string> seen = [.. Directory.EnumerateDirectories(root).Where(folder => Directory.Exists(Path.Combine(folder, "stm"))).Select(folder => Path.GetFileName(folder)!)];
        if (seen.Count == 0)
        {
            throw new CaldException($"{root} has no folder with stm files: the folder of TED-LIUM's release, or its folder legacy, is expected, with train/stm, train/sph and so on");
        }

        splits.RequireAll(seen);
        int ignored = 0;
        foreach (SpeechPart part in Enum.GetValues<SpeechPart>())
        {
            foreach (string split in splits.Of(part).Where(seen.Contains))
            {
                string folder = Path.Combine(root, split);
                foreach (string stm in Directory.EnumerateFiles(Path.Combine(folder, "stm"), "*.stm").Order(StringComparer.Ordinal))
                {
                    ignored += ReadTalk(assembly, part, stm, Path.Combine(folder, "sph"));
                }
            }
        }

        if (ignored > 0)
        {
            assembly.Note($"{ignored} segments are marked as not to be scored and were left out");
        }
    }

    private static int ReadTalk(SpeechAssembly assembly, SpeechPart part, string stm, string audio)
    {
        bool asWritten = assembly.Options.Normalisation == TranscriptRule.AsWritten;
        int ignored = 0, index = 0;
        foreach (TextLine line in SpeechFiles.Lines(stm))
        {
            if (line.Text.StartsWith(";;", StringComparison.Ordinal))
            {
                continue;
            }

            string place = $"{stm}:{line.Number}";
            StmLine segment = StmLine.Parse(line.Text, place);
            string name = string.Create(CultureInfo.InvariantCulture, $"{segment.Talk}_{index++:D8}");
            if (segment.Text == NotScored)
            {
                ignored++;
                continue;
            }

            if (segment.Channel != "1")
            {
                throw new CaldException($"{place}: channel {segment.Channel}; the talks of TED-LIUM have one channel, 1");
            }

            assembly.Add(new RawUtterance(part, name, Path.Combine(audio, segment.Talk + ".sph"), asWritten ? segment.Text : TedLiumText.Normalise(segment.Text), place)
            {
                Speaker = segment.Speaker,
                Classes = assembly.Targets.Count == 0 ? [] : [segment.Speaker],
                Segment = (segment.Start, segment.End),
            });
        }

        return ignored;
    }

    /// <summary>A line of an STM file.</summary>
    private readonly record struct StmLine(string Talk, string Channel, string Speaker, decimal Start, decimal End, string Text)
    {
        public static StmLine Parse(string line, string place)
        {
            string[] fields = line.Split((char[]?)null, 6, StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length < 5)
            {
                throw new CaldException($"{place}: {fields.Length} fields where an STM line has talk, channel, speaker, start, end, label and text");
            }

            decimal start = Seconds(fields[3], place), end = Seconds(fields[4], place);
            if (end <= start)
            {
                throw new CaldException($"{place}: the segment ends at {fields[4]} s, not after its start at {fields[3]} s");
            }

            string rest = fields.Length == 6 ? fields[5].Trim() : "";
            if (rest.StartsWith('<') && rest.IndexOf('>') is > 0 and int close && rest[..close].Contains(',', StringComparison.Ordinal))
            {
                rest = rest[(close + 1)..].TrimStart(); // a label such as <o,f0,male>; <unk> at the start of a text is none
            }

            return fields[0].AsSpan().IndexOfAny('/', '\\') < 0
                ? new StmLine(fields[0], fields[1], fields[2], start, end, rest)
                : throw new CaldException($"{place}: the talk \"{fields[0]}\" is no name of a file");
        }

        private static decimal Seconds(string field, string place) =>
            decimal.TryParse(field, NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out decimal seconds) && seconds < 1e6m
                ? seconds
                : throw new CaldException($"{place}: \"{field}\" is no time in seconds");
    }
}
