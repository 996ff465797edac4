using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// Elementwise functions over contiguous elements. A thread works on <see cref="InFlight"/> vectors of 16 bytes that lie a group's width apart, and
/// reads all of them before it uses the first: 64 bytes in flight a thread and input. What does not fill a vector is done one element a thread by
/// the last group. Without vectors (addresses that are not multiples of 16) the same is done with single elements.
/// Floor: every input read once, the output written once. Outputs may be inputs, so inputs are not read-only views.
/// </summary>
internal static class ElementwiseKernels
{
    /// <summary>Threads of a group.</summary>
    public const int Threads = 256;

    /// <summary>Vectors of each input that a thread reads before it uses the first.</summary>
    public const int InFlight = 4;

    /// <summary>y[i] = f(x[i]).</summary>
    [Kernel(Name = "map")]
    public static void Map<TWord, TFormat, TOperator>(View<TWord> x, View<TWord> y, int count, float p, float q, [Constant] bool vectors)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TOperator : struct, IMapOperator
    {
        int first = (Grid.IndexX * (Threads * InFlight)) + Group.IndexX;
        if (!vectors)
        {
            for (int k = 0; k < InFlight; k++)
            {
                int i = first + (k * Threads);
                if (i < count)
                {
                    y[i] = TFormat.Narrow(TOperator.Apply(TFormat.Widen(x[i]), p, q));
                }
            }

            return;
        }

        View<UInt4> xs = x.As<UInt4>(), ys = y.As<UInt4>();
        int whole = (int)((uint)count / (uint)TFormat.Lanes);
        if (first + ((InFlight - 1) * Threads) < whole)
        {
            Registers<UInt4, N4> loaded = default;
            for (int k = 0; k < InFlight; k++)
            {
                loaded[k] = xs[first + (k * Threads)];
            }

            for (int k = 0; k < InFlight; k++)
            {
                ys[first + (k * Threads)] = MapVector<TWord, TFormat, TOperator>(loaded[k], p, q);
            }
        }
        else
        {
            for (int v = first; v < whole; v += Threads)
            {
                ys[v] = MapVector<TWord, TFormat, TOperator>(xs[v], p, q);
            }
        }

        int last = (whole * TFormat.Lanes) + Group.IndexX;
        if (Grid.IndexX == Grid.SizeX - 1 && last < count)
        {
            y[last] = TFormat.Narrow(TOperator.Apply(TFormat.Widen(x[last]), p, q));
        }
    }

    /// <summary>
    /// y[i] = f(a[i], b[i]), from the end: the first groups take the last elements, which are what the second-level cache still holds of an operand that the kernel
    /// before wrote (a gradient from the layer above) or read.
    /// </summary>
    [Kernel(Name = "zip")]
    public static void Zip<TWord, TFormat, TOperator>(View<TWord> a, View<TWord> b, View<TWord> y, int count, [Constant] bool vectors)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TOperator : struct, IZipOperator
    {
        int group = Grid.SizeX - 1 - Grid.IndexX;
        int first = (group * (Threads * InFlight)) + Group.IndexX;
        if (!vectors)
        {
            for (int k = 0; k < InFlight; k++)
            {
                int i = first + (k * Threads);
                if (i < count)
                {
                    y[i] = TFormat.Narrow(TOperator.Apply(TFormat.Widen(a[i]), TFormat.Widen(b[i])));
                }
            }

            return;
        }

        View<UInt4> xs = a.As<UInt4>(), zs = b.As<UInt4>(), ys = y.As<UInt4>();
        int whole = (int)((uint)count / (uint)TFormat.Lanes);
        if (first + ((InFlight - 1) * Threads) < whole)
        {
            Registers<UInt4, N4> left = default, right = default;
            for (int k = 0; k < InFlight; k++)
            {
                left[k] = xs[first + (k * Threads)];
                right[k] = zs[first + (k * Threads)];
            }

            for (int k = 0; k < InFlight; k++)
            {
                ys[first + (k * Threads)] = ZipVector<TWord, TFormat, TOperator>(left[k], right[k]);
            }
        }
        else
        {
            for (int v = first; v < whole; v += Threads)
            {
                ys[v] = ZipVector<TWord, TFormat, TOperator>(xs[v], zs[v]);
            }
        }

        int last = (whole * TFormat.Lanes) + Group.IndexX;
        if (group == Grid.SizeX - 1 && last < count)
        {
            y[last] = TFormat.Narrow(TOperator.Apply(TFormat.Widen(a[last]), TFormat.Widen(b[last])));
        }
    }

    /// <summary>y[r, c] = f(a[r, c], row[c]); one column is a row of one element.</summary>
    /// <param name="columns">Length of the row: in vectors with <paramref name="vectors"/>, when it must be a whole number of them.</param>
    /// <param name="count">Vectors or elements of a.</param>
    [Kernel(Name = "zip_row")]
    public static void ZipRow<TWord, TFormat, TOperator>(
        View<TWord> a, ReadOnlyView<TWord> row, View<TWord> y, int count, FastDivisor columns, [Constant] bool vectors)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TOperator : struct, IZipOperator
    {
        int first = (Grid.IndexX * (Threads * InFlight)) + Group.IndexX;
        if (!vectors)
        {
            for (int k = 0; k < InFlight; k++)
            {
                int i = first + (k * Threads);
                if (i < count)
                {
                    int column = i - (columns.Divide(i) * columns.Divisor);
                    y[i] = TFormat.Narrow(TOperator.Apply(TFormat.Widen(a[i]), TFormat.Widen(row[column])));
                }
            }

            return;
        }

        View<UInt4> xs = a.As<UInt4>(), ys = y.As<UInt4>();
        ReadOnlyView<UInt4> zs = row.As<UInt4>();
        if (first + ((InFlight - 1) * Threads) < count)
        {
            Registers<UInt4, N4> left = default, right = default;
            for (int k = 0; k < InFlight; k++)
            {
                int v = first + (k * Threads);
                left[k] = xs[v];
                right[k] = zs[v - (columns.Divide(v) * columns.Divisor)];
            }

            for (int k = 0; k < InFlight; k++)
            {
                ys[first + (k * Threads)] = ZipVector<TWord, TFormat, TOperator>(left[k], right[k]);
            }
        }
        else
        {
            for (int v = first; v < count; v += Threads)
            {
                ys[v] = ZipVector<TWord, TFormat, TOperator>(xs[v], zs[v - (columns.Divide(v) * columns.Divisor)]);
            }
        }
    }

    /// <summary>y[r, c] += x[r, c], the rows of y at a pitch.</summary>
    /// <param name="pitch">In vectors with <paramref name="vectors"/>, as are <paramref name="count"/> and <paramref name="columns"/>.</param>
    [Kernel(Name = "add_rows")]
    public static void AddRows<TWord, TFormat>(View<TWord> y, ReadOnlyView<TWord> x, long pitch, int count, FastDivisor columns, [Constant] bool vectors)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        int first = (Grid.IndexX * (Threads * InFlight)) + Group.IndexX;
        if (!vectors)
        {
            for (int k = 0; k < InFlight; k++)
            {
                int i = first + (k * Threads);
                if (i < count)
                {
                    long at = Pitched(i, pitch, columns);
                    y[at] = TFormat.Narrow(TFormat.Widen(y[at]) + TFormat.Widen(x[i]));
                }
            }

            return;
        }

        View<UInt4> ys = y.As<UInt4>();
        ReadOnlyView<UInt4> xs = x.As<UInt4>();
        Registers<UInt4, N4> left = default, right = default;
        for (int k = 0; k < InFlight; k++)
        {
            // Beyond the end the last vector is read: no branch stands between the loads.
            int v = Math.Min(first + (k * Threads), count - 1);
            left[k] = ys[Pitched(v, pitch, columns)];
            right[k] = xs[v];
        }

        for (int k = 0; k < InFlight; k++)
        {
            int v = first + (k * Threads);
            if (v < count)
            {
                ys[Pitched(v, pitch, columns)] = ZipVector<TWord, TFormat, AddZip>(left[k], right[k]);
            }
        }
    }

    /// <summary>y[i] = f(a[i], b[0]).</summary>
    [Kernel(Name = "zip_one")]
    public static void ZipOne<TWord, TFormat, TOperator>(View<TWord> a, ReadOnlyView<TWord> b, View<TWord> y, int count, [Constant] bool vectors)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TOperator : struct, IZipOperator =>
        Map<TWord, TFormat, SecondFixed<TOperator>>(a, y, count, TFormat.Widen(b[0]), 0f, vectors);

    private static long Pitched(int i, long pitch, FastDivisor columns)
    {
        int row = columns.Divide(i);
        return (row * pitch) + (i - (row * columns.Divisor));
    }

    private static UInt4 MapVector<TWord, TFormat, TOperator>(UInt4 x, float p, float q)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TOperator : struct, IMapOperator
    {
        Registers<float, N8> values = TFormat.Unpack(x);
        for (int i = 0; i < TFormat.Lanes; i++)
        {
            values[i] = TOperator.Apply(values[i], p, q);
        }

        return TFormat.Pack(values);
    }

    private static UInt4 ZipVector<TWord, TFormat, TOperator>(UInt4 a, UInt4 b)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TOperator : struct, IZipOperator
    {
        Registers<float, N8> values = TFormat.Unpack(a), others = TFormat.Unpack(b);
        for (int i = 0; i < TFormat.Lanes; i++)
        {
            values[i] = TOperator.Apply(values[i], others[i]);
        }

        return TFormat.Pack(values);
    }

    private readonly struct SecondFixed<TOperator> : IMapOperator
        where TOperator : struct, IZipOperator
    {
        public static float Apply(float x, float p, float q) => TOperator.Apply(x, p);
    }
}
