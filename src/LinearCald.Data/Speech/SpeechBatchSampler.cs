using System.Globalization;
using LinearCald.Data.Batching;

namespace LinearCald.Data.Speech;

/// <summary>
/// Which utterances make up the micro-batches of an update. The answer is a pure function of (seed, rule, update), so that a run that goes
/// on from a checkpoint asks for the same update and gets the same batches.
/// </summary>
/// <remarks>
/// An epoch is a random order of all utterances, cut into buckets; a bucket is sorted by length and packed, and the batches of the epoch
/// are shuffled. Epochs follow each other without end, and an update takes the next <see cref="SpeechBatchRule.Accumulation"/> batches.
/// Every utterance comes once an epoch. While the data warm up, the same is done with the easy utterances alone; the first update after
/// it begins the epochs of all.
/// </remarks>
public sealed class SpeechBatchSampler
{
    private readonly SpeechBatchRule _rule;
    private readonly EpochStream _all;
    private readonly EpochStream? _easy;

    /// <param name="examples">The training part; batches hold indices into it.</param>
    /// <param name="rule">Limits, accumulation, warm-up.</param>
    /// <param name="seed">Seed of the run.</param>
    /// <exception cref="CaldException">There is no utterance, or none that the warm-up allows.</exception>
    public SpeechBatchSampler(IReadOnlyList<SpeechExample> examples, SpeechBatchRule rule, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(examples);
        ArgumentNullException.ThrowIfNull(rule);
        rule.Check();
        if (examples.Count == 0)
        {
            throw new CaldException("batches of a corpus without training utterances were asked for: name a training part that has some");
        }

        _rule = rule;
        Count = examples.Count;
        int[] samples = [.. examples.Select(example => example.Samples)];
        _all = new EpochStream([.. Enumerable.Range(0, samples.Length)], samples, rule, seed, Permutation.Purpose.Examples, Permutation.Purpose.Batches);
        List<string> notes = [];
        if (rule.WarmUpUpdates > 0)
        {
            bool transcripts = examples.Any(example => example.Transcript.Length > 0);
            int[] easy = [.. Enumerable.Range(0, samples.Length).Where(i => rule.IsEasy(examples[i], transcripts))];
            if (easy.Length == 0)
            {
                throw new CaldException(string.Create(CultureInfo.InvariantCulture,
                    $"no training utterance passes the filter of the first {rule.WarmUpUpdates} updates (at most {rule.WarmUpMaximumSamples} samples, at least " +
                    $"{rule.WarmUpMinimumCharacters} characters); widen it, or set the warm-up to 0 updates"));
            }

            if (easy.Length < samples.Length)
            {
                notes.Add(string.Create(CultureInfo.InvariantCulture,
                    $"the first {rule.WarmUpUpdates} updates use the {easy.Length} of {samples.Length} utterances that are short enough and have enough text"));
            }

            _easy = new EpochStream(easy, samples, rule, seed, Permutation.Purpose.EasyExamples, Permutation.Purpose.EasyBatches);
        }

        int[] alone = [.. Enumerable.Range(0, samples.Length).Where(i => DynamicBatches.Exceeds(1, samples[i], rule.FrameLimit, rule.SquareLimit))];
        if (alone.Length > 0)
        {
            SpeechExample longest = examples[alone.MaxBy(i => samples[i])];
            notes.Add(string.Create(CultureInfo.InvariantCulture,
                $"{alone.Length} utterance{(alone.Length == 1 ? " is" : "s are")} above the limits of a batch and form{(alone.Length == 1 ? "s" : "")} " +
                $"batches of one; the longest is {longest.Name} with {longest.Seconds:F1} s"));
        }

        Notes = notes;
    }

    /// <summary>Utterances of an epoch.</summary>
    public int Count { get; }

    /// <summary>What a user should know: utterances above the limits, the effect of the warm-up.</summary>
    public IReadOnlyList<string> Notes { get; }

    /// <summary>Updates of the first epoch of all utterances; other epochs, packed otherwise, differ a little where limits are set.</summary>
    public double UpdatesPerEpoch => _all.FirstEpoch / (double)_rule.Accumulation;

    /// <summary>The micro-batches of an update, counted from 0: <see cref="SpeechBatchRule.Accumulation"/> arrays of indices.</summary>
    public int[][] Update(long update)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(update);
        bool warm = update < _rule.WarmUpUpdates;
        EpochStream stream = warm ? _easy! : _all;
        long first = (warm ? update : update - _rule.WarmUpUpdates) * _rule.Accumulation;
        int[][] batches = new int[_rule.Accumulation][];
        for (int i = 0; i < batches.Length; i++)
        {
            batches[i] = stream.Batch(first + i);
        }

        return batches;
    }

    /// <summary>Batches of epoch after epoch of a set of utterances.</summary>
    private sealed class EpochStream(
        int[] members, int[] samples, SpeechBatchRule rule, ulong seed, Permutation.Purpose examplePurpose, Permutation.Purpose batchPurpose)
    {
        private readonly Lock _lock = new();
        private readonly List<long> _starts = [0]; // number of the first batch of each epoch, as far as epochs have been packed
        private int _epoch = -1;
        private int[][] _batches = [];

        public int FirstEpoch
        {
            get
            {
                lock (_lock)
                {
                    Pack(0);
                    return (int)_starts[1];
                }
            }
        }

        public int[] Batch(long number)
        {
            lock (_lock)
            {
                while (_starts[^1] <= number)
                {
                    Pack(_starts.Count - 1);
                }

                int found = _starts.BinarySearch(number);
                int epoch = found >= 0 ? found : ~found - 1;
                Pack(epoch);
                return _batches[number - _starts[epoch]];
            }
        }

        private void Pack(int epoch)
        {
            if (_epoch == epoch)
            {
                return;
            }

            int[] order = (int[])members.Clone();
            Permutation.Shuffle<int>(order, seed, epoch, examplePurpose);
            List<int[]> batches = [];
            foreach (ReadOnlyMemory<int> bucket in Buckets(order))
            {
                batches.AddRange(DynamicBatches.Pack(bucket.ToArray(), samples, rule.BatchSize, rule.FrameLimit, rule.SquareLimit));
            }

            Permutation.Shuffle<int[]>(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(batches), seed, epoch, batchPurpose);
            _batches = [.. batches];
            _epoch = epoch;
            if (epoch == _starts.Count - 1)
            {
                _starts.Add(_starts[^1] + batches.Count);
            }
        }

        // With a fixed number of utterances a batch, buckets are whole batches, and what is left of an epoch is taken off before anything is
        // sorted: the incomplete batch is a random sample too, not always the longest utterances.
        private IEnumerable<ReadOnlyMemory<int>> Buckets(int[] order)
        {
            int whole = rule.IsFixed ? order.Length / rule.BatchSize * rule.BatchSize : order.Length;
            int size = rule.IsFixed ? Math.Max(1, rule.BucketSize / rule.BatchSize) * rule.BatchSize : rule.BucketSize;
            for (int first = 0; first < whole; first += size)
            {
                int count = Math.Min(size, whole - first);
                DynamicBatches.SortByLength(order.AsSpan(first, count), samples);
                yield return order.AsMemory(first, count);
            }

            if (whole < order.Length)
            {
                DynamicBatches.SortByLength(order.AsSpan(whole), samples);
                yield return order.AsMemory(whole);
            }
        }
    }
}
