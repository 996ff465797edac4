using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using LinearCald.Distillation.Speech.Transcription;

namespace LinearCald.Distillation.Tests.Speech;

/// <summary>Words grouped into cues, and their SubRip form.</summary>
public class SubtitleTests
{
    [Fact]
    public void CuesKeepTheWordsAndTheirLimits() =>
        Prop.ForAll(Cases().ToArbitrary(), ((TimedWord[] Words, SubtitleOptions Options) given) =>
        {
            IReadOnlyList<SubtitleCue> cues = Subtitles.Group(given.Words, given.Options);
            Assert.Equal(given.Words.Select(w => w.Text), cues.SelectMany(c => c.Lines).SelectMany(line => line.Split(' ')));
            int first = 0;
            for (int i = 0; i < cues.Count; i++)
            {
                int count = cues[i].Lines.Sum(line => line.Split(' ').Length);
                TimedWord[] said = given.Words[first..(first + count)];
                Assert.Equal(said[0].Start, cues[i].Start);
                Assert.True(cues[i].End >= cues[i].Start);
                Assert.True(i + 1 == cues.Count || cues[i].End <= cues[i + 1].Start, "a cue ends before the next begins");
                Assert.True(count == 1 || said[^1].End - said[0].Start <= given.Options.MaximumSeconds, "no cue is too long in time");
                Assert.True(cues[i].Lines.Count <= given.Options.Lines || count == 1, "no cue has too many lines");
                Assert.All(cues[i].Lines, line => Assert.True(line.Length <= given.Options.LineCharacters || !line.Contains(' ', StringComparison.Ordinal)));
                Assert.All(said.Zip(said.Skip(1)), pair => Assert.True(pair.Second.Start - pair.First.End < given.Options.Pause, "a pause ends a cue"));
                first += count;
            }
        }).Holds(200);

    [Fact]
    public void SubRipFormIsWhatPlayersRead()
    {
        TimedWord[] words =
        [
            new("it", 3599.98, 3600.02), new("was", 3600.1, 3600.3), new("a", 3600.4, 3600.42), new("truth", 3600.5, 3600.9), new("universally", 3601.0, 3601.6),
            new("acknowledged", 3601.7, 3602.4), new("that", 3605.0, 3605.1),
        ];
        Assert.Equal(
            "1\n00:59:59,980 --> 01:00:02,400\nit was a truth universally acknowledged\n\n2\n01:00:05,000 --> 01:00:06,000\nthat\n\n",
            Subtitles.ToSrt(Subtitles.Group(words)));
        Assert.Equal("", Subtitles.ToSrt(Subtitles.Group([])));
    }

    [Fact]
    public void AFullCueEndsAtTheLongestPauseOfItsSecondHalf()
    {
        // Ten words of nine letters fill more than two lines of 42; the pause before the seventh is the longest of the second half.
        TimedWord[] words = [.. Enumerable.Range(0, 10).Select(i => new TimedWord($"word{i:00000}", (i * 0.5) + (i >= 6 ? 0.2 : 0), (i * 0.5) + 0.4 + (i >= 6 ? 0.2 : 0)))];
        IReadOnlyList<SubtitleCue> cues = Subtitles.Group(words);
        Assert.Equal(2, cues.Count);
        Assert.Equal("word00006", cues[1].Lines[0].Split(' ')[0]);
        Assert.Equal(words[6].Start, cues[1].Start);
    }

    [Theory]
    [InlineData(42, "one line only", "one line only")]
    [InlineData(12, "aaaa bbbb cccc dddd", "aaaa bbbb|cccc dddd")]
    [InlineData(10, "a bb incomprehensibilities c", "a bb|incomprehensibilities|c")]
    public void LinesAreOfAboutEqualLength(int width, string text, string lines) => Assert.Equal(lines.Split('|'), Subtitles.Wrap(text.Split(' '), width));

    private static Gen<(TimedWord[], SubtitleOptions)> Cases() =>
        from gaps in Gen.Choose(0, 120).ArrayOf().Resize(60)
        from seed in Gen.Choose(0, int.MaxValue - 1)
        from width in Gen.Choose(5, 50)
        from lines in Gen.Choose(1, 3)
        from pause in Gen.Choose(20, 150)
        from most in Gen.Choose(1, 9)
        select (Words(gaps, new Random(seed)), new SubtitleOptions { LineCharacters = width, Lines = lines, Pause = pause / 100.0, MaximumSeconds = most });

    private static TimedWord[] Words(int[] gaps, Random random)
    {
        double at = 0;
        return
        [
            .. gaps.Select((gap, i) =>
            {
                double start = at + (gap / 100.0), end = start + 0.02 + (random.Next(80) / 100.0);
                at = end;
                return new TimedWord(string.Create(CultureInfo.InvariantCulture, $"{i}{new string('w', random.Next(14))}"), start, end);
            }),
        ];
    }
}
