using System.Runtime.CompilerServices;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// The dimensions of a copy, put in order: none of extent 1, the destination's steps falling, neighbours that are one run in both buffers joined. An
/// element copy does not care in which order it is done, so the order that the destination likes is taken.
/// </summary>
internal struct CopyPlan
{
    /// <summary>Number of dimensions, at least 1.</summary>
    public int Rank;

    /// <summary>Extents, outermost first.</summary>
    public Numbers Extents;

    /// <summary>Steps in the source, in elements.</summary>
    public Numbers XSteps;

    /// <summary>Steps in the destination, in elements.</summary>
    public Numbers YSteps;

    /// <summary>Six numbers.</summary>
    [InlineArray(Shape.MaximumRank)]
    public struct Numbers
    {
        private long _first;
    }

    /// <summary>Elements in all.</summary>
    public readonly long Count
    {
        get
        {
            long count = 1;
            for (int i = 0; i < Rank; i++)
            {
                count *= Extents[i];
            }

            return count;
        }
    }

    /// <summary>Whether both sides are one run.</summary>
    public readonly bool IsContiguous => Rank == 1 && XSteps[0] == 1 && YSteps[0] == 1;

    /// <summary>Elements from the first to the last of the source.</summary>
    public readonly long XExtent => Reach(XSteps);

    /// <summary>Elements from the first to the last of the destination.</summary>
    public readonly long YExtent => Reach(YSteps);

    /// <summary>The plan of a copy that has at least one element.</summary>
    public static CopyPlan Of(in Shape shape, in Strides xStrides, in Strides yStrides)
    {
        CopyPlan plan = default;
        for (int i = 0; i < shape.Rank; i++)
        {
            if (shape[i] > 1)
            {
                plan.Insert(shape[i], xStrides[i], yStrides[i]);
            }
        }

        plan.Join();
        if (plan.Rank == 0)
        {
            plan.Append(1, 1, 1);
        }

        return plan;
    }

    /// <summary>The same copy in larger words: possible where the innermost run of both is a multiple of them and everything is aligned to them.</summary>
    /// <param name="size">Bytes of an element; <paramref name="wordSize"/> receives those of a word, at most 16.</param>
    public readonly CopyPlan Widened(nint x, nint y, int size, out int wordSize)
    {
        CopyPlan plan = this;
        wordSize = size;
        int inner = Rank - 1;
        if (XSteps[inner] != 1 || YSteps[inner] != 1)
        {
            return plan;
        }

        long all = Extents[inner] * size | (long)x | (long)y | 16;
        for (int i = 0; i < inner; i++)
        {
            all |= XSteps[i] * size | (YSteps[i] * size);
        }

        wordSize = (int)(all & -all);
        int factor = wordSize / size;
        if (factor <= 1)
        {
            wordSize = size;
            return plan;
        }

        plan.Extents[inner] /= factor;
        for (int i = 0; i < inner; i++)
        {
            plan.XSteps[i] /= factor;
            plan.YSteps[i] /= factor;
        }

        return plan;
    }

    /// <summary>Whether the copy is a transposition: the destination runs along one dimension, the source along another, both of some extent.</summary>
    /// <param name="least">Smallest extent for which tiles are worth while.</param>
    /// <param name="down">The dimension along which the source is contiguous.</param>
    /// <param name="across">The dimension along which the destination is.</param>
    public readonly bool Transposed(int least, out int down, out int across)
    {
        across = Rank - 1;
        for (down = 0; down < Rank - 1; down++)
        {
            if (XSteps[down] == 1)
            {
                return YSteps[across] == 1 && XSteps[across] != 1 && Extents[down] >= least && Extents[across] >= least;
            }
        }

        return false;
    }

    /// <summary>The dimensions but two.</summary>
    public readonly CopyPlan Without(int first, int second)
    {
        CopyPlan plan = default;
        for (int i = 0; i < Rank; i++)
        {
            if (i != first && i != second)
            {
                plan.Append(Extents[i], XSteps[i], YSteps[i]);
            }
        }

        if (plan.Rank == 0)
        {
            plan.Append(1, 1, 1);
        }

        return plan;
    }

    /// <summary>Cuts the outermost dimension so that parts have at most <paramref name="most"/> elements where that is enough, with each part's offsets.</summary>
    public readonly List<(CopyPlan Part, long XOffset, long YOffset)> Parts(long most)
    {
        List<(CopyPlan, long, long)> parts = [];
        long size = Math.Max(1, most / (Count / Extents[0]));
        for (long at = 0; at < Extents[0]; at += size)
        {
            CopyPlan part = this;
            part.Extents[0] = Math.Min(size, Extents[0] - at);
            if (part.Extents[0] == 1 && Rank > 1)
            {
                part = part.Without(0, 0);
            }

            parts.Add((part, at * XSteps[0], at * YSteps[0]));
        }

        return parts;
    }

    /// <summary>What kernels count with.</summary>
    public readonly StridedIndex Index()
    {
        StridedIndex index = default;
        index.Count = checked((int)Count);
        index.D0 = Dimension(0);
        index.D1 = Dimension(1);
        index.D2 = Dimension(2);
        index.D3 = Dimension(3);
        index.D4 = Dimension(4);
        index.D5 = Dimension(5);
        return index;
    }

    private readonly StridedIndex.Dimension Dimension(int fromInside)
    {
        int i = Rank - 1 - fromInside;
        return i < 0
            ? new StridedIndex.Dimension { Extent = new FastDivisor(1) }
            : new StridedIndex.Dimension { Extent = new FastDivisor((int)Extents[i]), Source = XSteps[i], Target = YSteps[i] };
    }

    private readonly long Reach(Numbers steps)
    {
        long last = 0;
        for (int i = 0; i < Rank; i++)
        {
            last += (Extents[i] - 1) * steps[i];
        }

        return last + 1;
    }

    private void Insert(long extent, long xStep, long yStep)
    {
        int at = Rank;
        while (at > 0 && YSteps[at - 1] < yStep)
        {
            at--;
        }

        for (int i = Rank; i > at; i--)
        {
            Extents[i] = Extents[i - 1];
            XSteps[i] = XSteps[i - 1];
            YSteps[i] = YSteps[i - 1];
        }

        Extents[at] = extent;
        XSteps[at] = xStep;
        YSteps[at] = yStep;
        Rank++;
    }

    private void Append(long extent, long xStep, long yStep)
    {
        Extents[Rank] = extent;
        XSteps[Rank] = xStep;
        YSteps[Rank] = yStep;
        Rank++;
    }

    private void Join()
    {
        int rank = Rank;
        Rank = 0;
        for (int i = 0; i < rank; i++)
        {
            int last = Rank - 1;
            if (last >= 0 && XSteps[last] == XSteps[i] * Extents[i] && YSteps[last] == YSteps[i] * Extents[i])
            {
                Extents[last] *= Extents[i];
                XSteps[last] = XSteps[i];
                YSteps[last] = YSteps[i];
            }
            else
            {
                Append(Extents[i], XSteps[i], YSteps[i]);
            }
        }
    }
}
