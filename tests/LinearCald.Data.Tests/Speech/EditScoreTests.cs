using FsCheck;
using FsCheck.Fluent;
using LinearCald.Data.Speech;
using LinearCald.Data.Speech.Scoring;

namespace LinearCald.Data.Tests.Speech;

public class EditScoreTests
{
    private static readonly Gen<string> Sentences = Gen.ListOf(Gen.Elements("a", "b", "ab", "c", "ü")).Select(words => string.Join(' ', words));

    [Fact]
    public void Errors_are_those_of_a_plain_dynamic_programme() => Prop.ForAll(Sentences.Zip(Sentences).ToArbitrary(), pair =>
    {
        (string reference, string hypothesis) = pair;
        Check(ErrorRates.Words(reference, hypothesis), reference.Split(' ', StringSplitOptions.RemoveEmptyEntries), hypothesis.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Check(ErrorRates.Characters(reference, hypothesis), [.. reference.Select(c => $"{c}")], [.. hypothesis.Select(c => $"{c}")]);
    }).Holds(300);

    [Fact]
    public void An_alignment_has_the_score_and_both_texts() => Prop.ForAll(Sentences.Zip(Sentences).ToArbitrary(), pair =>
    {
        (string reference, string hypothesis) = pair;
        Alignment alignment = Alignment.Words(reference, hypothesis);
        Assert.Equal(ErrorRates.Words(reference, hypothesis), alignment.Score);
        Assert.Equal(reference, string.Join(' ', alignment.Pairs.Select(place => place.Reference).Where(word => word is not null)));
        Assert.Equal(hypothesis, string.Join(' ', alignment.Pairs.Select(place => place.Hypothesis).Where(word => word is not null)));
        Assert.All(alignment.Pairs, place => Assert.True(place.Kind switch
        {
            EditKind.Insertion => place.Reference is null,
            EditKind.Deletion => place.Hypothesis is null,
            EditKind.Match => place.Reference == place.Hypothesis,
            _ => place.Reference != place.Hypothesis && place.Reference is not null && place.Hypothesis is not null,
        }));
        Assert.Equal(ErrorRates.Characters(reference, hypothesis), Alignment.Characters(reference, hypothesis).Score);
    }).Holds(300);

    [Fact]
    public void Swapping_the_texts_swaps_insertions_and_deletions() => Prop.ForAll(Sentences.Zip(Sentences).ToArbitrary(), pair =>
    {
        EditScore there = ErrorRates.Words(pair.Item1, pair.Item2), back = ErrorRates.Words(pair.Item2, pair.Item1);
        Assert.Equal((there.Substitutions, there.Insertions, there.Deletions, there.Hits), (back.Substitutions, back.Deletions, back.Insertions, back.Hits));
        Assert.Equal(there.Errors == 0, pair.Item1 == pair.Item2);
    }).Holds(200);

    [Fact]
    public void Ties_go_to_the_alignment_with_more_matches()
    {
        // Two substitutions would do as well.
        Assert.Equal(new EditScore(0, 1, 1, 2), ErrorRates.Words("a b", "b c"));
    }

    [Fact]
    public void Empty_texts_have_finite_rates()
    {
        Assert.Equal(0, ErrorRates.Words("", "  ").Rate);
        Assert.Equal(2, ErrorRates.Words("", "two words").Rate);
        Assert.Equal(1, ErrorRates.Words("two words", "").Rate);
        Assert.Equal(new EditScore(0, 0, 9, 9), ErrorRates.Characters(" two words ", ""));
        Assert.Equal(0, default(EditScore).Rate);
    }

    [Fact]
    public void Rates_of_a_corpus_are_all_edits_over_all_words()
    {
        TranscriptReport report = new();
        report.Add("u1", "the cat sat on the mat", "the cat sat on mat");
        report.Add("u2", "no", "yes no");
        report.Add("u3", "", "");
        report.Add("u4", "fine", "fine");
        Assert.Equal(new EditScore(0, 1, 1, 8), report.Words);
        Assert.Equal(0.25, report.Words.Rate);
        Assert.Equal(0.5, report.UtteranceErrorRate);
        Assert.Equal(["u2", "u1"], report.Worst(5).Select(utterance => utterance.Name));
        StringWriter text = new();
        report.Write(text, count: 1);
        Assert.Contains("WER 25.00 % (S 0, I 1, D 1 of 8)", text.ToString(), StringComparison.Ordinal);
        Assert.Contains("u2: WER 100.00 %", text.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("u1:", text.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Edits_are_marked_under_the_words()
    {
        string text = Alignment.Words("it was a long way home", "it is a way to home").Render();
        Assert.Equal(
            """
            REF: it was a long way ** home
            HYP: it is  a **** way to home
                    S     D        I

            """.ReplaceLineEndings("\n"), text);
        string[] lines = Alignment.Words("one two three four five six", "one two three four five six").Render(width: 25).TrimEnd('\n').Split('\n');
        Assert.Equal(["REF: one two three four", "HYP: one two three four", "REF: five six", "HYP: five six"], lines);
    }

    [Fact]
    public void Targets_are_counted_apart_and_together()
    {
        TargetAccuracy accuracy = new([new SpeechTarget("scenario", ["alarm", "music"]), new SpeechTarget("action", ["set", "play", "stop"])]);
        Assert.Equal(5, accuracy.Outputs);
        Assert.Equal([1, 0], accuracy.AddLogits([0, 1, 3, 2, 1], [1, 0]));
        Assert.Equal([0, 2], accuracy.AddLogits([2, 1, 0, 0, 5], [0, 1]));
        Assert.Equal([0, 1], accuracy.AddLogits([2, 2, 0, 9, 5], [1, 1]));
        Assert.Equal([1, 1], accuracy.AddLogits([2, 3, 0, 9, 5], [1, 1]));
        Assert.Equal((0.75, 0.75, 0.75, 0.5), (accuracy.Accuracy(0), accuracy.Accuracy(1), accuracy.Mean, accuracy.Joint));
        CaldException error = Assert.Throws<CaldException>(() => accuracy.AddLogits([0, 0, 0, float.NaN, 0], [0, 0]));
        Assert.Contains("\"play\"", error.Message, StringComparison.Ordinal);
        Assert.Equal(4, accuracy.Count);
        Assert.Throws<CaldException>(() => new TargetAccuracy(accuracy.Targets).Joint);
    }

    private static void Check(EditScore score, string[] reference, string[] hypothesis)
    {
        (int errors, int matches) = Plain(reference, hypothesis);
        Assert.Equal((errors, matches), (score.Errors, score.Hits));
        Assert.Equal(reference.Length, score.ReferenceLength);
        Assert.Equal(hypothesis.Length, score.Hits + score.Substitutions + score.Insertions);
        Assert.True(Math.Min(score.Substitutions, Math.Min(score.Insertions, score.Deletions)) >= 0, "a count is negative");
    }

    /// <summary>The fewest edits, and the most matches of alignments with so few.</summary>
    private static (int Errors, int Matches) Plain(string[] a, string[] b)
    {
        (int Errors, int Matches)[,] table = new (int, int)[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++)
        {
            for (int j = 0; j <= b.Length; j++)
            {
                List<(int Errors, int Matches)> ways = i == 0 && j == 0 ? [(0, 0)] : [];
                if (i > 0)
                {
                    ways.Add((table[i - 1, j].Errors + 1, table[i - 1, j].Matches));
                }

                if (j > 0)
                {
                    ways.Add((table[i, j - 1].Errors + 1, table[i, j - 1].Matches));
                }

                if (i > 0 && j > 0)
                {
                    int differ = a[i - 1] == b[j - 1] ? 0 : 1;
                    ways.Add((table[i - 1, j - 1].Errors + differ, table[i - 1, j - 1].Matches + 1 - differ));
                }

                table[i, j] = ways.OrderBy(way => way.Errors).ThenByDescending(way => way.Matches).First();
            }
        }

        return table[a.Length, b.Length];
    }
}
