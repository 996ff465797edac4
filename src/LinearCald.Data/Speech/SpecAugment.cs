using LinearCald.Tensors;

namespace LinearCald.Data.Speech;

/// <summary>
/// The masks of SpecAugment (Park et al. 2019) in the form in which wav2vec 2.0 is fine-tuned: spans of frames, or of features, whose first
/// places are drawn without replacement. The masks are a pure function of the key.
/// </summary>
public static class SpecAugment
{
    /// <summary>
    /// Masks in time [rows, length], 1 where a frame is masked. A row with n valid frames gets ⌊p·n/span + ε⌋ spans, one ε ~ U(0, 1) for all
    /// rows, at least <paramref name="minimum"/>, and no more than fit: ⌊length/span⌋ where that many spans do not fit the padded row, and
    /// n − span + 1 different places. Spans begin and end within the valid frames and may overlap; a row shorter than a span gets none.
    /// </summary>
    /// <param name="rows">Utterances.</param>
    /// <param name="lengths">Valid frames of each; empty = all are valid.</param>
    /// <param name="length">Frames of the padded batch.</param>
    /// <param name="probability">p, the share of frames that spans would cover if none overlapped.</param>
    /// <param name="span">Frames of a span.</param>
    /// <param name="minimum">Fewest spans of a row, where they fit.</param>
    /// <param name="key">Which draw: another for every micro-batch and model.</param>
    public static int[] Draw(int rows, ReadOnlySpan<int> lengths, int length, double probability, int span, int minimum, RandomKey key)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        if (!(probability is >= 0 and <= 1) || span < 1 || minimum < 0 || (lengths.Length != 0 && lengths.Length != rows))
        {
            throw new CaldException(
                $"SpecAugment: probability {probability} must be within 0 to 1, span {span} at least 1, the fewest spans {minimum} at least 0, and " +
                $"{lengths.Length} lengths one for each of {rows} rows, or none");
        }

        int[] mask = new int[checked(rows * length)];
        double epsilon = Philox.Word(key.Seed, key.Stream, 0) * (1.0 / 4294967296.0);
        HashSet<int> starts = [];
        for (int row = 0; row < rows; row++)
        {
            int valid = lengths.IsEmpty ? length : lengths[row];
            ArgumentOutOfRangeException.ThrowIfGreaterThan(valid, length, nameof(lengths));
            int places = Math.Max(0, valid - span + 1);
            int count = Math.Max(minimum, (int)((probability * valid / span) + epsilon));
            count = Math.Min((long)count * span > length ? length / span : count, places);
            Choose(starts, count, places, key, row);
            foreach (int start in starts)
            {
                mask.AsSpan((row * length) + start, span).Fill(1);
            }
        }

        return mask;
    }

    /// <summary>Masks over features [rows, features], by the same rule; every feature is valid.</summary>
    public static int[] DrawFeatures(int rows, int features, double probability, int span, int minimum, RandomKey key) =>
        Draw(rows, [], features, probability, span, minimum, key);

    /// <summary>
    /// Draws <paramref name="count"/> of the numbers 0 … places − 1, every set of them equally likely (Floyd 1987): for j = places − count …
    /// places − 1 takes a random number of 0 … j, or j itself where that number is taken already.
    /// </summary>
    private static void Choose(HashSet<int> chosen, int count, int places, RandomKey key, int row)
    {
        chosen.Clear();
        for (int j = places - count; j < places; j++)
        {
            // The upper half of an index is the row, from 1 (0 is ε), the lower half the draw.
            uint word = Philox.Word(key.Seed, key.Stream, ((ulong)(row + 1) << 32) | (uint)j);
            int candidate = (int)((ulong)word * (ulong)(j + 1) >> 32);
            if (!chosen.Add(candidate))
            {
                chosen.Add(j);
            }
        }
    }
}
