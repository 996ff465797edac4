using FsCheck;
using FsCheck.Fluent;
using LinearCald.Data.Speech;

namespace LinearCald.Data.Tests.Speech;

public class SpeechBatchTests
{
    private static readonly Gen<int[]> Lengths = Gen.NonEmptyListOf(Gen.Choose(400, 5000)).Select(list => list.ToArray());

    private static readonly Gen<SpeechBatchRule> Rules =
        from batch in Gen.Choose(1, 9)
        from frames in Gen.Elements(0L, 3000L, 9000L, 40_000L)
        from squares in Gen.Elements(0.0, 1e7, 8e7)
        from bucket in Gen.Elements(1, 5, 16, 1024)
        from accumulation in Gen.Choose(1, 3)
        from warm in Gen.Elements(0, 0, 1, 4)
        select new SpeechBatchRule(batch)
        {
            FrameLimit = frames,
            SquareLimit = squares,
            BucketSize = bucket,
            Accumulation = accumulation,
            WarmUpUpdates = warm,
            WarmUpMaximumSamples = 3000,
        };

    [Fact]
    public void Packing_is_the_greedy_rule() => Prop.ForAll(Lengths.Zip(Rules).ToArbitrary(), c =>
    {
        (int[] lengths, SpeechBatchRule rule) = c;
        int[] order = [.. Enumerable.Range(0, lengths.Length).OrderBy(i => lengths[i])];
        IReadOnlyList<int[]> batches = DynamicBatches.Pack(order, lengths, rule.BatchSize, rule.FrameLimit, rule.SquareLimit);
        Assert.Equal(order, batches.SelectMany(batch => batch));
        for (int b = 0; b < batches.Count; b++)
        {
            Assert.NotEmpty(batches[b]);
            Assert.True(batches[b].Length == 1 || Allowed(batches[b], lengths, rule), "a batch is above a limit");
            Assert.True(b == 0 || !Allowed([.. batches[b - 1], batches[b][0]], lengths, rule), "a batch ended although there was room");
        }
    }).Holds();

    [Fact]
    public void An_utterance_above_the_limits_is_alone()
    {
        Assert.Equal([[0], [1], [2, 3]], DynamicBatches.Pack([0, 1, 2, 3], [9000, 9001, 10, 10], 8, frameLimit: 4000));
        Assert.Equal([[2, 3], [0], [1]], DynamicBatches.Pack([2, 3, 0, 1], [9000, 9001, 10, 10], 8, frameLimit: 4000));
        Assert.Empty(DynamicBatches.Pack([], [1, 2], 8, 1));
        SpeechBatchSampler sampler = new(Examples([9000, 500, 500]), new SpeechBatchRule(8) { FrameLimit = 4000 }, 1);
        Assert.Contains("u0", Assert.Single(sampler.Notes), StringComparison.Ordinal);
        Assert.Equal(2, sampler.UpdatesPerEpoch);
    }

    [Fact]
    public void Evaluation_has_everything_under_half_the_limits() => Prop.ForAll(Lengths.Zip(Rules).ToArbitrary(), c =>
    {
        (int[] lengths, SpeechBatchRule rule) = c;
        IReadOnlyList<int[]> batches = DynamicBatches.ForEvaluation(lengths, rule);
        Assert.Equal(lengths.OrderDescending(), batches.SelectMany(batch => batch).Select(i => lengths[i]));
        Assert.Equal(lengths.Length, batches.SelectMany(batch => batch).Distinct().Count());
        Assert.All(batches, batch => Assert.True(batch.Length == 1 || rule.FrameLimit == 0 || 2L * batch.Length * batch.Max(i => lengths[i]) <= rule.FrameLimit + 1));
    }).Holds();

    [Fact]
    public void Every_utterance_comes_once_an_epoch_within_the_limits() => Prop.ForAll(Lengths.Zip(Rules).ToArbitrary(), c =>
    {
        (int[] lengths, SpeechBatchRule rule) = c;
        SpeechBatchRule cold = rule with { WarmUpUpdates = 0, Accumulation = 1 };
        SpeechBatchSampler sampler = new(Examples(lengths), cold, 7);
        long update = 0;
        for (int epoch = 0; epoch < 3; epoch++)
        {
            List<int> seen = [];
            while (seen.Count < lengths.Length)
            {
                int[] batch = Assert.Single(sampler.Update(update++));
                Assert.True(batch.Length == 1 || Allowed(batch, lengths, cold), "a batch is above a limit");
                seen.AddRange(batch);
            }

            Assert.Equal(Enumerable.Range(0, lengths.Length), seen.Order());
            Assert.True(epoch > 0 || sampler.UpdatesPerEpoch == update, "the first epoch has another number of updates");
        }
    }).Holds();

    [Fact]
    public void Any_update_may_be_asked_for() => Prop.ForAll(Lengths.Zip(Rules).Zip(Gen.Choose(0, 40)).ToArbitrary(), c =>
    {
        ((int[] lengths, SpeechBatchRule rule), int resume) = c;
        SpeechExample[] examples = Examples([.. lengths, 400]); // one at least passes the warm-up
        SpeechBatchSampler whole = new(examples, rule, 3), resumed = new(examples, rule, 3);
        int[][][] updates = [.. Enumerable.Range(0, 42).Select(update => whole.Update(update))];
        Assert.Equal(updates[resume + 1], resumed.Update(resume + 1));
        Assert.Equal(updates[resume], resumed.Update(resume));
        Assert.Equal(updates[0], whole.Update(0));
        Assert.All(updates, update => Assert.Equal(rule.Accumulation, update.Length));
    }).Holds();

    [Fact]
    public void The_warm_up_ends_with_its_last_update()
    {
        int[] lengths = [.. Enumerable.Range(1, 300).Select(i => i * 1000)];
        SpeechExample[] examples = Examples(lengths);
        examples[0] = examples[0] with { Transcript = "no" };
        SpeechBatchRule rule = new(4) { WarmUpUpdates = 50, Accumulation = 2 };
        SpeechBatchSampler sampler = new(examples, rule, 5);
        int[] warm = [.. Enumerable.Range(0, 50).SelectMany(u => sampler.Update(u)).SelectMany(batch => batch)];
        Assert.All(warm, i => Assert.InRange(examples[i].Samples, 2000, 160_000));
        Assert.Contains(159, warm);
        int[] after = [.. Enumerable.Range(50, 38).SelectMany(u => sampler.Update(u)).SelectMany(batch => batch)];
        Assert.Equal(Enumerable.Range(0, 300), after.Distinct().Order());
        Assert.Contains("159 of 300", Assert.Single(sampler.Notes), StringComparison.Ordinal);

        // Without transcripts the number of characters is not asked for.
        SpeechExample[] silent = [.. examples.Select(example => example with { Transcript = "" })];
        Assert.Contains("160 of 300", Assert.Single(new SpeechBatchSampler(silent, rule, 5).Notes), StringComparison.Ordinal);
        CaldException none = Assert.Throws<CaldException>(() => new SpeechBatchSampler(examples[..1], rule, 5));
        Assert.Contains("first 50 updates", none.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_fixed_number_of_utterances_leaves_a_random_rest()
    {
        int[] lengths = [.. Enumerable.Range(1, 34).Select(i => i * 1000)];
        SpeechBatchSampler sampler = new(Examples(lengths), new SpeechBatchRule(4) { BucketSize = 10 }, 3);
        Assert.Equal(9, sampler.UpdatesPerEpoch);
        List<double> rests = [];
        for (int epoch = 0; epoch < 300; epoch++)
        {
            int[][] batches = [.. Enumerable.Range(0, 9).Select(u => sampler.Update((epoch * 9) + u)[0])];
            Assert.Equal(8, batches.Count(batch => batch.Length == 4));
            rests.Add(batches.Single(batch => batch.Length == 2).Average(i => lengths[i]));
        }

        Assert.InRange(rests.Average(), 15_500, 19_500);
    }

    [Fact]
    public void Seeds_and_epochs_have_orders_of_their_own()
    {
        SpeechExample[] examples = Examples([.. Enumerable.Range(0, 200).Select(i => 1000 + (i * 37 % 1000))]);
        int[] Epoch(ulong seed, int epoch)
        {
            SpeechBatchSampler sampler = new(examples, new SpeechBatchRule(4), seed);
            return [.. Enumerable.Range(epoch * 50, 50).SelectMany(u => sampler.Update(u)[0])];
        }

        Assert.NotEqual(Epoch(1, 0), Epoch(1, 1));
        Assert.NotEqual(Epoch(1, 0), Epoch(2, 0));
        Assert.Throws<CaldException>(() => new SpeechBatchSampler([], new SpeechBatchRule(4), 0));
    }

    private static SpeechExample[] Examples(int[] lengths) => [.. lengths.Select((length, i) => new SpeechExample($"u{i}", $"u{i}.wav", "some words", length))];

    private static bool Allowed(int[] batch, int[] lengths, SpeechBatchRule rule)
    {
        double longest = batch.Max(i => lengths[i]);
        return batch.Length <= rule.BatchSize
            && (rule.FrameLimit == 0 || batch.Length * longest <= rule.FrameLimit)
            && (rule.SquareLimit == 0 || batch.Length * longest * longest <= rule.SquareLimit);
    }
}
