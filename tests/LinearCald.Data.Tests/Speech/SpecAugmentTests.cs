using FsCheck;
using FsCheck.Fluent;
using LinearCald.Data.Speech;
using LinearCald.Tensors;

namespace LinearCald.Data.Tests.Speech;

public class SpecAugmentTests
{
    private static readonly Gen<(int Length, int[] Lengths, double Probability, int Span, int Minimum, ulong Seed)> Cases =
        from length in Gen.Choose(1, 120)
        from lengths in Gen.NonEmptyListOf(Gen.Choose(0, length))
        from probability in Gen.Elements(0.0, 0.05, 0.1, 0.5, 1.0)
        from span in Gen.Choose(1, 12)
        from minimum in Gen.Choose(0, 3)
        from seed in Gen.Choose(0, int.MaxValue)
        select (length, lengths.ToArray(), probability, span, minimum, (ulong)seed);

    [Fact]
    public void Masks_are_spans_within_the_valid_frames() => Prop.ForAll(Cases.ToArbitrary(), c =>
    {
        RandomKey key = new(c.Seed, 9);
        int[] mask = SpecAugment.Draw(c.Lengths.Length, c.Lengths, c.Length, c.Probability, c.Span, c.Minimum, key);
        Assert.Equal(mask, SpecAugment.Draw(c.Lengths.Length, c.Lengths, c.Length, c.Probability, c.Span, c.Minimum, key));
        Assert.Equal(c.Lengths.Length * c.Length, mask.Length);
        for (int row = 0; row < c.Lengths.Length; row++)
        {
            int valid = c.Lengths[row];
            int[] frames = mask[(row * c.Length)..((row + 1) * c.Length)];
            Assert.All(frames[valid..], masked => Assert.Equal(0, masked));
            Assert.All(Runs(frames), run => Assert.True(run >= c.Span, $"a run of {run} frames is no span of {c.Span}"));

            // ⌊p·n/span + ε⌋ is one of two numbers; both limits apply after the least number.
            double expected = c.Probability * valid / c.Span;
            int Limited(int count)
            {
                count = Math.Max(count, c.Minimum);
                count = count * c.Span > c.Length ? c.Length / c.Span : count;
                return Math.Min(count, Math.Max(0, valid - c.Span + 1));
            }

            int least = Limited((int)expected), most = Limited((int)(expected + 1)), masked = frames.Sum();
            Assert.InRange(masked, least == 0 ? 0 : c.Span + least - 1, most * c.Span);
        }
    }).Holds(300);

    [Fact]
    public void First_places_are_distinct_and_uniform()
    {
        // Spans of one frame: exactly two different frames of ten are masked, each as often as the others.
        int[] counts = new int[10];
        for (ulong stream = 0; stream < 5000; stream++)
        {
            int[] mask = SpecAugment.Draw(1, [10], 12, 0, 1, 2, new RandomKey(4, stream));
            Assert.Equal(2, mask.Sum());
            for (int i = 0; i < 10; i++)
            {
                counts[i] += mask[i];
            }
        }

        Assert.All(counts, count => Assert.InRange(count, 860, 1140)); // 1000 ± 28
    }

    [Fact]
    public void The_share_of_spans_is_the_probability()
    {
        // p·n/span = 0.25 spans a row on average, by the draw of ε.
        int[] spans = [.. Enumerable.Range(0, 4000).Select(stream => SpecAugment.Draw(1, [], 50, 0.05, 10, 0, new RandomKey(8, (ulong)stream)).Sum() / 10)];
        Assert.All(spans, count => Assert.InRange(count, 0, 1));
        Assert.InRange(spans.Average(), 0.22, 0.28);
    }

    [Fact]
    public void Rows_and_keys_draw_for_themselves()
    {
        int[] mask = SpecAugment.Draw(2, [], 400, 0.1, 10, 2, new RandomKey(1, 1));
        Assert.NotEqual(mask[..400], mask[400..]);
        Assert.NotEqual(mask, SpecAugment.Draw(2, [], 400, 0.1, 10, 2, new RandomKey(1, 2)));
        Assert.NotEqual(mask, SpecAugment.Draw(2, [], 400, 0.1, 10, 2, new RandomKey(2, 1)));
        Assert.Equal(mask, SpecAugment.DrawFeatures(2, 400, 0.1, 10, 2, new RandomKey(1, 1)));
    }

    [Fact]
    public void Senseless_settings_are_refused()
    {
        Assert.Throws<CaldException>(() => SpecAugment.Draw(1, [], 10, 1.5, 2, 0, default));
        Assert.Throws<CaldException>(() => SpecAugment.Draw(1, [], 10, double.NaN, 2, 0, default));
        Assert.Throws<CaldException>(() => SpecAugment.Draw(1, [], 10, 0.1, 0, 0, default));
        Assert.Throws<CaldException>(() => SpecAugment.Draw(2, [5], 10, 0.1, 2, 0, default));
    }

    private static IEnumerable<int> Runs(int[] frames)
    {
        int run = 0;
        foreach (int masked in frames.Append(0))
        {
            if (masked == 0 && run > 0)
            {
                yield return run;
            }

            run = masked == 0 ? 0 : run + 1;
        }
    }
}
