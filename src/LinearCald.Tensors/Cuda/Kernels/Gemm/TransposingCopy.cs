using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// One thread's share of copying float blocks stored with k inner ([along][k]) into shared rows that run along ([k][along]), four bytes at a time through <c>cp.async</c>.
/// A warp copies eight k of four rows: whole 32-byte sectors of device memory, and 32 banks of shared memory when its pitch is 4 modulo 32 words.
/// Needs no alignment. Past the matrix it writes zeros.
/// </summary>
internal struct TransposingCopy
{
    private const int Across = 8;

    private ReadOnlyView<float> _source;
    private int _offset;
    private int _step;
    private int _limit;
    private int _depth;
    private int _destination;

    /// <param name="threads">Threads that copy; known to the compiler.</param>
    /// <param name="source">The matrix.</param>
    /// <param name="leading">From row to row, in elements.</param>
    /// <param name="extent">M for A, N for B.</param>
    /// <param name="first">The block's first row or column of C.</param>
    /// <param name="firstK">Where k begins.</param>
    /// <param name="pitch">Floats from row to row in shared memory.</param>
    public static TransposingCopy Begin(int threads, ReadOnlyView<float> source, int leading, int extent, int first, int firstK, int pitch)
    {
        int depth = Group.Thread & (Across - 1);
        int along = (int)((uint)Group.Thread / Across);
        TransposingCopy copy = default;
        copy._source = source.From(((long)first * leading) + firstK);
        copy._offset = (along * leading) + depth;
        copy._step = threads / Across * leading;
        copy._limit = extent - first - along;
        copy._depth = depth;
        copy._destination = (depth * pitch) + along;
        return copy;
    }

    /// <summary>Starts the copies of the next block, of which <paramref name="left"/> elements of k exist. Sizes and pitch are known to the compiler.</summary>
    public readonly void Start(int threads, int extent, int depth, int pitch, Shared<float> block, int left)
    {
        Shared<float> destination = block.From(_destination);
        int rows = threads / Across;
        for (int d = 0; d < depth; d += Across)
        {
            Loop.Unroll();
            int limit = _depth + d < left ? _limit : 0;
            int offset = _offset;
            ReadOnlyView<float> source = _source.From(d);
            for (int along = 0; along < extent; along += rows)
            {
                Loop.Unroll();
                AsyncCopy.CopyOrClear(destination, (d * pitch) + along, source, offset, along < limit);
                offset += _step;
            }
        }
    }

    /// <summary>Goes on to the next block of k.</summary>
    public void Advance(int depth) => _offset += depth;
}
