using System.Globalization;
using LinearCald.Data.Batching;
using LinearCald.Data.Speech.Text;

namespace LinearCald.Data.Speech.Readers;

/// <summary>
/// Takes utterances from a reader and makes a corpus of them: samples of large parts, files that must exist, lengths from audio headers,
/// transcripts, classes, and a count of all that was left out.
/// </summary>
internal sealed class SpeechAssembly(SpeechFormat format, string folder, SpeechOptions options)
{
    // What a segment may reach beyond the end of its file: manifests round.
    private const decimal SegmentSlack = 0.5m;

    private readonly List<RawUtterance> _utterances = [];
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly List<string> _notes = [];

    /// <summary>The folder of the corpus.</summary>
    public string Folder { get; } = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));

    /// <summary>What was asked for.</summary>
    public SpeechOptions Options => options;

    /// <summary>What utterances are classified by, in the order of their classes.</summary>
    public IReadOnlyList<string> Targets { get; private set; } = [];

    /// <summary>Decides on the targets.</summary>
    /// <param name="known">Those that the format has; null where the reader has checked them.</param>
    /// <exception cref="CaldException">The format does not have one that was asked for.</exception>
    public void UseTargets(IReadOnlyList<string> wanted, IReadOnlyList<string>? known = null)
    {
        foreach (string target in wanted)
        {
            if (known is not null && !known.Contains(target, StringComparer.Ordinal))
            {
                throw new CaldException($"{Folder}: a {format} corpus has no target \"{target}\"; it has {string.Join(", ", known)}");
            }
        }

        if (wanted.Distinct(StringComparer.Ordinal).Count() != wanted.Count)
        {
            throw new CaldException($"{Folder}: the targets {string.Join(", ", wanted)} name one twice");
        }

        Targets = wanted;
    }

    /// <summary>Refuses an option where the format has nothing that it could mean.</summary>
    public void Refuse(bool given, string option)
    {
        if (given)
        {
            throw new CaldException($"{Folder}: the option {option} means nothing to a {format} corpus; leave it out");
        }
    }

    /// <summary>Whether an utterance of this name is there already.</summary>
    public bool Has(string name) => _names.Contains(name);

    /// <summary>Takes an utterance.</summary>
    /// <exception cref="CaldException">There is one of this name already.</exception>
    public void Add(RawUtterance utterance)
    {
        if (!_names.Add(utterance.Name))
        {
            throw new CaldException($"{utterance.Place}: the utterance {utterance.Name} is there twice; names must be unique");
        }

        _utterances.Add(utterance);
    }

    /// <summary>Takes a note for the user.</summary>
    public void Note(string text) => _notes.Add(text);

    /// <summary>Makes the corpus.</summary>
    public SpeechCorpus Build()
    {
        if (_utterances.Count == 0)
        {
            throw new CaldException(string.Join("; ", _notes.Prepend($"{Folder} has no utterances of the parts asked for")));
        }

        List<RawUtterance> utterances = Sampled();
        utterances = Existing(utterances);
        Dictionary<string, AudioLength> lengths = AudioHeaders.Read(utterances.Select(utterance => utterance.File), options.Threads);
        IReadOnlyList<SpeechTarget> targets = TargetClasses.Of(Targets, options.Classes, utterances, _notes);
        List<SpeechExample>[] parts = [[], [], []];
        ProblemList unreadable = new(options.UnreadableFiles,
            "utterance whose audio cannot be read", "utterances whose audio cannot be read",
            "Repair or fetch these files, or leave them out (unreadable files: skip).");
        ProblemList tooShort = new(options.ShortClips,
            $"utterance shorter than the {options.ReceptiveField} samples a model needs for one frame",
            $"utterances shorter than the {options.ReceptiveField} samples a model needs for one frame",
            "Remove these files, or leave them out (short clips: skip).");
        int tooLong = 0, cut = 0, misstated = 0;
        TranscriptRule rule = options.Normalisation ?? (format == SpeechFormat.TedLium ? TranscriptRule.Tidy : TranscriptRule.AsWritten);
        foreach (RawUtterance utterance in utterances)
        {
            AudioLength length = lengths[utterance.File];
            long first = 0, frames = length.Frames;
            string? fault = length.Fault;
            if (fault is null && utterance.Segment is { } segment)
            {
                fault = Locate(segment, length, out first, out frames, ref cut);
            }

            if (fault is not null)
            {
                unreadable.Add($"{utterance.Place}: {fault}");
                continue;
            }

            long samples = AudioHeaders.SamplesAt16K(frames, length.SampleRate);
            if (samples < options.ReceptiveField)
            {
                tooShort.Add($"{utterance.Place}: {utterance.File} has {samples} samples");
                continue;
            }

            if (samples > int.MaxValue)
            {
                throw new CaldException($"{utterance.Place}: {utterance.File} lasts {samples / SpeechCorpus.SampleRate / 3600} hours; cut it into utterances");
            }

            if (utterance.Part == SpeechPart.Train && options.MaximumTrainSamples > 0 && samples > options.MaximumTrainSamples)
            {
                tooLong++;
                continue;
            }

            double seconds = length.Frames / (double)length.SampleRate;
            misstated += utterance.StatedSeconds is { } stated && Math.Abs(stated - seconds) > 0.1 + (0.05 * seconds) ? 1 : 0;
            parts[(int)utterance.Part].Add(new SpeechExample(utterance.Name, utterance.File, TranscriptText.Apply(rule, utterance.Transcript), (int)samples)
            {
                FirstFrame = first,
                Frames = utterance.Segment is null ? -1 : frames,
                Labels = TargetClasses.LabelsOf(utterance, targets),
                Speaker = utterance.Speaker,
            });
        }

        unreadable.Settle(Folder, _notes);
        tooShort.Settle(Folder, _notes);
        NoteCount(tooLong, string.Create(CultureInfo.InvariantCulture, $"training utterances longer than {options.MaximumTrainSamples} samples were left out"));
        NoteCount(cut, $"segments reach at most {SegmentSlack} s beyond the end of their file and were cut there");
        NoteCount(misstated, "files have another length than the manifest states; the files' own headers were used");
        NoteEmptyParts(parts);
        return new SpeechCorpus(Path.GetFileName(Folder), new SpeechSplit(parts[0], parts[1], parts[2]), targets, [.. _notes]);
    }

    /// <summary>Where a segment lies in its file, in frames; otherwise what is wrong with it.</summary>
    private static string? Locate((decimal Start, decimal End) segment, AudioLength length, out long first, out long frames, ref int cut)
    {
        first = (long)(segment.Start * length.SampleRate);
        long end = (long)(segment.End * length.SampleRate);
        frames = 0;
        if (first >= length.Frames || end > length.Frames + (long)(SegmentSlack * length.SampleRate))
        {
            return string.Create(CultureInfo.InvariantCulture,
                $"the segment {segment.Start} to {segment.End} s lies outside its file, which lasts {length.Frames / (double)length.SampleRate:F2} s");
        }

        if (end > length.Frames)
        {
            end = length.Frames;
            cut++;
        }

        frames = end - first;
        return null;
    }

    private List<RawUtterance> Existing(List<RawUtterance> utterances)
    {
        ProblemList missing = new(options.MissingFiles,
            "audio file named in a manifest is missing", "audio files named in a manifest are missing",
            "Fetch these files, check the folder, or leave them out (missing files: skip).");
        Dictionary<string, bool> exists = new(StringComparer.Ordinal);
        List<RawUtterance> found = new(utterances.Count);
        foreach (RawUtterance utterance in utterances)
        {
            if (!exists.TryGetValue(utterance.File, out bool there))
            {
                there = exists[utterance.File] = File.Exists(utterance.File);
                if (!there)
                {
                    missing.Add($"{utterance.Place}: {utterance.File}");
                }
            }

            if (there)
            {
                found.Add(utterance);
            }
        }

        missing.Settle(Folder, _notes);
        return found.Count > 0 ? found : throw new CaldException($"{Folder}: none of the {exists.Count} audio files that its manifests name is there");
    }

    private List<RawUtterance> Sampled()
    {
        List<RawUtterance> all = [];
        foreach (SpeechPart part in Enum.GetValues<SpeechPart>())
        {
            RawUtterance[] members = [.. _utterances.Where(utterance => utterance.Part == part)];
            int most = part == SpeechPart.Train ? options.MaximumTrainExamples : options.MaximumEvaluationExamples;
            if (most == 0 || members.Length <= most)
            {
                all.AddRange(members);
                continue;
            }

            int[] order = [.. Enumerable.Range(0, members.Length)];
            Permutation.Shuffle<int>(order, seed: 0, epoch: (int)part, Permutation.Purpose.Sample);
            all.AddRange(order.Take(most).Order().Select(i => members[i]));
            _notes.Add($"{part.ToString().ToLowerInvariant()}: a sample of {most} of {members.Length} utterances");
        }

        return all;
    }

    private void NoteEmptyParts(List<SpeechExample>[] parts)
    {
        if (parts.All(part => part.Count == 0))
        {
            throw new CaldException($"{Folder}: no utterance is left; {string.Join("; ", _notes)}");
        }

        string[] empty = [.. Enum.GetValues<SpeechPart>().Where(part => parts[(int)part].Count == 0).Select(part => part.ToString().ToLowerInvariant())];
        if (empty.Length > 0)
        {
            _notes.Add($"no utterances for {string.Join(" and ", empty)}");
        }
    }

    private void NoteCount(int count, string what)
    {
        if (count > 0)
        {
            _notes.Add($"{count} {what}");
        }
    }
}
