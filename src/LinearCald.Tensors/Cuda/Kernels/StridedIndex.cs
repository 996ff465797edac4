namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>From the number of an element, counted row by row, to its offsets in two buffers of different strides.</summary>
internal struct StridedIndex
{
    /// <summary>One dimension.</summary>
    public struct Dimension
    {
        /// <summary>Its extent.</summary>
        public FastDivisor Extent;

        /// <summary>Its stride in the source.</summary>
        public long Source;

        /// <summary>Its stride in the destination.</summary>
        public long Target;
    }

    /// <summary>The innermost dimension.</summary>
    public Dimension D0;

    /// <summary>The next ones outwards.</summary>
    public Dimension D1;

    /// <inheritdoc cref="D1"/>
    public Dimension D2;

    /// <inheritdoc cref="D1"/>
    public Dimension D3;

    /// <inheritdoc cref="D1"/>
    public Dimension D4;

    /// <inheritdoc cref="D1"/>
    public Dimension D5;

    /// <summary>Elements in all.</summary>
    public int Count;

    /// <summary>Offsets of element <paramref name="i"/>; the outermost dimension needs no division.</summary>
    public readonly void Offsets(int i, int rank, out long source, out long target)
    {
        source = 0;
        target = 0;
        if (rank > 1)
        {
            i = Take(in D0, i, ref source, ref target);
        }

        if (rank > 2)
        {
            i = Take(in D1, i, ref source, ref target);
        }

        if (rank > 3)
        {
            i = Take(in D2, i, ref source, ref target);
        }

        if (rank > 4)
        {
            i = Take(in D3, i, ref source, ref target);
        }

        if (rank > 5)
        {
            i = Take(in D4, i, ref source, ref target);
        }

        switch (rank)
        {
            case 1:
                Add(in D0, i, ref source, ref target);
                break;
            case 2:
                Add(in D1, i, ref source, ref target);
                break;
            case 3:
                Add(in D2, i, ref source, ref target);
                break;
            case 4:
                Add(in D3, i, ref source, ref target);
                break;
            case 5:
                Add(in D4, i, ref source, ref target);
                break;
            case 6:
                Add(in D5, i, ref source, ref target);
                break;
            default:
                break;
        }
    }

    private static int Take(in Dimension dimension, int i, ref long source, ref long target)
    {
        int outer = dimension.Extent.Divide(i);
        Add(in dimension, i - (outer * dimension.Extent.Divisor), ref source, ref target);
        return outer;
    }

    private static void Add(in Dimension dimension, int at, ref long source, ref long target)
    {
        source += at * dimension.Source;
        target += at * dimension.Target;
    }
}
