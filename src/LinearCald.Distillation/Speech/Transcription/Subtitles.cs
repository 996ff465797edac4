using System.Globalization;
using System.Text;

namespace LinearCald.Distillation.Speech.Transcription;

/// <summary>Subtitles of timed words.</summary>
public static class Subtitles
{
    /// <summary>
    /// Groups words into cues: a pause ends one, and so does a word that would make it too long. A cue that is too long ends before the longest pause of its
    /// second half, so that phrases stay together.
    /// </summary>
    /// <param name="words">In the order they are said.</param>
    /// <param name="options">Lengths and pauses; null for the defaults.</param>
    public static IReadOnlyList<SubtitleCue> Group(IReadOnlyList<TimedWord> words, SubtitleOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(words);
        options ??= new SubtitleOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.LineCharacters, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Lines, 1);
        List<(int First, int End)> groups = [];
        for (int first = 0; first < words.Count;)
        {
            int end = EndOf(words, first, options);
            groups.Add((first, end));
            first = end;
        }

        return
        [
            .. groups.Select((group, i) =>
            {
                TimedWord[] said = [.. words.Skip(group.First).Take(group.End - group.First)];
                double next = i + 1 < groups.Count ? words[groups[i + 1].First].Start : double.PositiveInfinity;
                double end = Math.Min(Math.Max(said[^1].End, said[0].Start + options.MinimumSeconds), Math.Max(next, said[^1].Start));
                return new SubtitleCue(said[0].Start, end, Wrap([.. said.Select(word => word.Text)], options.LineCharacters));
            }),
        ];
    }

    /// <summary>Cues in the SubRip form: a number, the times, the lines and an empty line each.</summary>
    public static string ToSrt(IReadOnlyList<SubtitleCue> cues)
    {
        ArgumentNullException.ThrowIfNull(cues);
        StringBuilder text = new();
        for (int i = 0; i < cues.Count; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"{i + 1}\n{Clock(cues[i].Start)} --> {Clock(cues[i].End)}\n");
            foreach (string line in cues[i].Lines)
            {
                text.Append(line).Append('\n');
            }

            text.Append('\n');
        }

        return text.ToString();
    }

    // The word behind the cue that begins with a given one.
    private static int EndOf(IReadOnlyList<TimedWord> words, int first, SubtitleOptions options)
    {
        for (int i = first + 1; i < words.Count; i++)
        {
            if (Silence(words, i) >= options.Pause)
            {
                return i;
            }

            string[] texts = [.. Enumerable.Range(first, i - first + 1).Select(w => words[w].Text)];
            if (words[i].End - words[first].Start > options.MaximumSeconds || Greedy(texts, options.LineCharacters).Count > options.Lines)
            {
                int half = first + ((i - first + 1) / 2);
                return Enumerable.Range(half, i - half + 1).Where(w => w > first).Reverse().MaxBy(w => Silence(words, w));
            }
        }

        return words.Count;
    }

    private static double Silence(IReadOnlyList<TimedWord> words, int before) => words[before].Start - words[before - 1].End;

    /// <summary>Lines of about equal length: the narrowest ones that are not more than lines of full width would be.</summary>
    internal static IReadOnlyList<string> Wrap(IReadOnlyList<string> words, int width)
    {
        List<string> lines = Greedy(words, width);
        for (int narrower = width - 1; narrower > 0 && Greedy(words, narrower) is { } tried && tried.Count == lines.Count && tried.All(line => line.Length <= narrower); narrower--)
        {
            lines = tried;
        }

        return lines;
    }

    private static List<string> Greedy(IReadOnlyList<string> words, int width)
    {
        List<string> lines = [];
        foreach (string word in words)
        {
            if (lines.Count > 0 && lines[^1].Length + 1 + word.Length <= width)
            {
                lines[^1] += " " + word;
            }
            else
            {
                lines.Add(word);
            }
        }

        return lines;
    }

    private static string Clock(double seconds)
    {
        long milliseconds = (long)Math.Round(seconds * 1000);
        return string.Create(CultureInfo.InvariantCulture, $"{milliseconds / 3_600_000:00}:{milliseconds / 60_000 % 60:00}:{milliseconds / 1000 % 60:00},{milliseconds % 1000:000}");
    }
}
