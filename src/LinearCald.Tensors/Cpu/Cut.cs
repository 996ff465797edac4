namespace LinearCald.Tensors.Cpu;

/// <summary>How work is cut for <see cref="WorkerPool"/>: by shape alone, so that results do not depend on the number of threads.</summary>
internal static class Cut
{
    /// <summary>Elements of one piece: large against the cost of handing it out (under a microsecond), small against the caches.</summary>
    public const int Elements = 16384;

    /// <summary>Most pieces of a reduction: their partial results lie on the stack.</summary>
    public const int Partials = 512;

    /// <summary>Pieces of <paramref name="size"/> that cover <paramref name="count"/>.</summary>
    public static int Pieces(long count, long size) => checked((int)((count + size - 1) / size));

    /// <summary>Rows of one piece, for rows of <paramref name="columns"/> elements: one at least.</summary>
    public static int Rows(long columns) => (int)Math.Max(1, Elements / Math.Max(1, columns));

    /// <summary>Elements of one piece of a reduction: whole multiples of <see cref="Elements"/>, so that there are at most <see cref="Partials"/>.</summary>
    public static long Reduction(long count) => Math.Max(1, (count + ((long)Elements * Partials) - 1) / ((long)Elements * Partials)) * Elements;
}
