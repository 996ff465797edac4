using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// Sums of all elements in two steps: groups sum tiles in float32 and tiles in float64 into a partial sum each, one group adds these in an order that
/// depends on their number only: the same bits from run to run. Floor: one read.
/// </summary>
internal static class TotalKernels
{
    /// <summary>Threads of a group.</summary>
    public const int Threads = 512;

    private const int InFlight = 4;

    /// <summary>partials[group] = Σ of every <c>SizeX</c>-th tile.</summary>
    [Kernel(Name = "sum")]
    public static void Partial<TWord, TFormat>(ReadOnlyView<TWord> x, long count, View<double> partials, [Constant] bool vectors)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        int span = RowTile<TWord, TFormat, GroupTeam, N32>.Span;
        double sum = 0;
        Registers<float, N32> values = default;
        for (long first = (long)Grid.IndexX * span; first < count; first += (long)Grid.SizeX * span)
        {
            int rest = (int)Math.Min(span, count - first);
            RowTile<TWord, TFormat, GroupTeam, N32>.Load(x.Slice(first, rest), 0, rest, 0f, vectors ? RowAccess.Vector : RowAccess.Scalar, ref values);
            sum += RowNorm<TWord, TFormat, GroupTeam, N32>.Sum(ref values);
        }

        sum = OfGroup(sum);
        if (Group.Thread == 0)
        {
            partials[Grid.IndexX] = sum;
        }
    }

    /// <summary>total = scale · Σ terms; one group.</summary>
    [Kernel(Name = "total")]
    public static void Total<TWord, TFormat>(ReadOnlyView<double> terms, int count, double scale, View<TWord> total)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        double sum = OfGroup(OfThread(terms, count));
        if (Group.Thread == 0)
        {
            total[0] = TFormat.Narrow((float)(scale * sum));
        }
    }

    /// <summary>Σ of every <see cref="Threads"/>-th term.</summary>
    public static double OfThread(ReadOnlyView<double> terms, int count)
    {
        double sum = 0;
        for (int i = Group.Thread; i < count; i += InFlight * Threads)
        {
            for (int u = 0; u < InFlight; u++)
            {
                int wanted = i + (u * Threads);
                double term = terms[Math.Min(wanted, count - 1)];
                sum = wanted < count ? sum + term : sum;
            }
        }

        return sum;
    }

    /// <summary>The sum over the group, on every thread.</summary>
    public static double OfGroup(double value)
    {
        Shared<double> sums = Shared.Allocate<double>(Group.Size / Warp.Size);
        value = Warp.Sum(value);
        if (Warp.Lane == 0)
        {
            sums[Warp.Index] = value;
        }

        Group.Barrier();
        double total = sums[0];
        for (int w = 1; w < Group.Size / Warp.Size; w++)
        {
            total += sums[w];
        }

        return total;
    }
}
