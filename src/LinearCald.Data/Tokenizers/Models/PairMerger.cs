namespace LinearCald.Data.Tokenizers.Models;

/// <summary>
/// Byte-pair merging: as long as any neighbours may join, join the pair of lowest rank, the leftmost of equals.
/// Short words rescan their pairs' ranks, which is fastest; long ones use a heap over a linked list, O(n log n).
/// </summary>
internal static class PairMerger
{
    private const int ScanLimit = 32;

    /// <summary>Merges in place and returns the number of tokens left.</summary>
    /// <param name="merges">The merges.</param>
    /// <param name="ids">Token ids; on return the first ones are the result.</param>
    /// <param name="firsts">On return, the index of the first original symbol of each token.</param>
    public static int Merge(MergeTable merges, Span<int> ids, Span<int> firsts)
    {
        for (int i = 0; i < ids.Length; i++)
        {
            firsts[i] = i;
        }

        return ids.Length <= ScanLimit ? MergeByScan(merges, ids, firsts) : MergeByHeap(merges, ids, firsts);
    }

    private static int MergeByScan(MergeTable merges, Span<int> ids, Span<int> firsts)
    {
        int count = ids.Length;
        Span<int> ranks = stackalloc int[ScanLimit]; // ranks[i]: of the pair i, i + 1
        Span<int> joined = stackalloc int[ScanLimit];
        for (int i = 0; i + 1 < count; i++)
        {
            SetPair(merges, ids, i, ranks, joined);
        }

        while (count > 1)
        {
            int best = 0;
            for (int i = 1; i + 1 < count; i++)
            {
                if (ranks[i] < ranks[best])
                {
                    best = i;
                }
            }

            if (ranks[best] == int.MaxValue)
            {
                break;
            }

            ids[best] = joined[best];
            Remove(ids, best + 1, count);
            Remove(firsts, best + 1, count);
            Remove(ranks, best, count - 1);
            Remove(joined, best, count - 1);
            count--;
            if (best + 1 < count)
            {
                SetPair(merges, ids, best, ranks, joined);
            }

            if (best > 0)
            {
                SetPair(merges, ids, best - 1, ranks, joined);
            }
        }

        return count;
    }

    private static void SetPair(MergeTable merges, Span<int> ids, int index, Span<int> ranks, Span<int> joined) =>
        ranks[index] = merges.TryGet(ids[index], ids[index + 1], out int rank, out joined[index]) ? rank : int.MaxValue;

    private static void Remove(Span<int> values, int index, int count) => values[(index + 1)..count].CopyTo(values[index..]);

    private static int MergeByHeap(MergeTable merges, Span<int> ids, Span<int> firsts)
    {
        int length = ids.Length;
        int[] next = new int[length], previous = new int[length];
        PriorityQueue<(int Left, int Right, int LeftId, int RightId, int Joined), (int Rank, int Left)> queue = new();
        for (int i = 0; i < length; i++)
        {
            next[i] = i + 1;
            previous[i] = i - 1;
        }

        for (int i = 0; i + 1 < length; i++)
        {
            Enqueue(ids, i, i + 1);
        }

        while (queue.TryDequeue(out (int Left, int Right, int LeftId, int RightId, int Joined) pair, out _))
        {
            if (ids[pair.Left] != pair.LeftId || next[pair.Left] != pair.Right || ids[pair.Right] != pair.RightId)
            {
                continue; // one of the two has joined another since
            }

            ids[pair.Left] = pair.Joined;
            ids[pair.Right] = -1;
            int after = next[pair.Right];
            next[pair.Left] = after;
            if (after < length)
            {
                previous[after] = pair.Left;
                Enqueue(ids, pair.Left, after);
            }

            if (previous[pair.Left] >= 0)
            {
                Enqueue(ids, previous[pair.Left], pair.Left);
            }
        }

        int count = 0;
        for (int i = 0; i < length; i = next[i])
        {
            (ids[count], firsts[count++]) = (ids[i], i);
        }

        return count;

        void Enqueue(Span<int> symbols, int left, int right)
        {
            if (merges.TryGet(symbols[left], symbols[right], out int rank, out int joined))
            {
                queue.Enqueue((left, right, symbols[left], symbols[right], joined), (rank, left));
            }
        }
    }
}

/// <summary>The plain twin of <see cref="PairMerger"/>: look at every pair, join the best, start again.</summary>
internal static class PairMergerReference
{
    /// <summary>The merged ids.</summary>
    public static List<int> Merge(MergeTable merges, IEnumerable<int> symbols)
    {
        List<int> ids = [.. symbols];
        while (true)
        {
            int bestIndex = -1, bestRank = int.MaxValue, bestJoined = -1;
            for (int i = 0; i + 1 < ids.Count; i++)
            {
                if (merges.TryGet(ids[i], ids[i + 1], out int rank, out int joined) && rank < bestRank)
                {
                    (bestIndex, bestRank, bestJoined) = (i, rank, joined);
                }
            }

            if (bestIndex < 0)
            {
                return ids;
            }

            ids[bestIndex] = bestJoined;
            ids.RemoveAt(bestIndex + 1);
        }
    }
}
