using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// Sums over the rows of [rows, columns] in two steps: groups of <see cref="Warps"/> warps sum stretches of rows for a strip of columns into
/// partial[split, columns], then the splits are added in order. The same bits from run to run. Floor: one read of the matrix.
/// </summary>
internal static class ColumnSumKernels
{
    /// <summary>Warps of a group: that many rows at a time.</summary>
    public const int Warps = 8;

    private const int InFlight = 4;

    /// <summary>partial[split] = Σ of every <c>SizeY</c>-th row, in strips of 32 vectors.</summary>
    [Kernel(Name = "column_sums")]
    public static void Partial<TWord, TFormat>(ReadOnlyView<TWord> x, View<float> partial, int rows, int columns, [Constant] bool vectors)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        int strip = Warp.Size * TFormat.Lanes;
        int first = Grid.IndexX * strip;
        Registers<float, N8> sums = default;
        sums.Fill(0f);
        int stride = Grid.SizeY * Warps;
        for (int row = (Grid.IndexY * Warps) + Warp.Index; row < rows; row += InFlight * stride)
        {
            for (int u = 0; u < InFlight; u++)
            {
                int wanted = row + (u * stride);
                ReadOnlyView<TWord> from = x.Slice((long)Math.Min(wanted, rows - 1) * columns, columns);
                if (vectors)
                {
                    int vector = (Grid.IndexX * Warp.Size) + Warp.Lane;
                    Registers<float, N8> values = TFormat.Unpack(from.As<UInt4>().ReadStreaming(Math.Min(vector, (int)((uint)columns / (uint)TFormat.Lanes) - 1)));
                    for (int l = 0; l < TFormat.Lanes; l++)
                    {
                        sums[l] = wanted < rows ? sums[l] + values[l] : sums[l];
                    }
                }
                else
                {
                    for (int l = 0; l < TFormat.Lanes; l++)
                    {
                        float value = TFormat.Widen(from.ReadStreaming(Math.Min(first + (l * Warp.Size) + Warp.Lane, columns - 1)));
                        sums[l] = wanted < rows ? sums[l] + value : sums[l];
                    }
                }
            }
        }

        Shared<float> joined = Shared.Allocate<float>(Warps * strip);
        for (int l = 0; l < TFormat.Lanes; l++)
        {
            joined[(Warp.Index * strip) + (vectors ? (Warp.Lane * TFormat.Lanes) + l : (l * Warp.Size) + Warp.Lane)] = sums[l];
        }

        Group.Barrier();
        for (int c = Group.Thread; c < strip; c += Group.Size)
        {
            float sum = 0f;
            for (int w = 0; w < Warps; w++)
            {
                sum += joined[(w * strip) + c];
            }

            if (first + c < columns)
            {
                partial[((long)Grid.IndexY * columns) + first + c] = sum;
            }
        }
    }

    /// <summary>y = Σ partial[split], or is added to; y is float32 or of the data's type. Groups of 8 warps, 32 columns.</summary>
    [Kernel(Name = "add_partial_rows")]
    public static void AddPartials<TWord, TFormat>(ReadOnlyView<float> partial, View<TWord> y, int splits, int columns, [Constant] bool accumulate)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        int column = (Grid.IndexX * Warp.Size) + Warp.Lane;
        float total = SumOfPartials(partial, splits, columns, column);
        if (Warp.Index == 0 && column < columns)
        {
            y[column] = TFormat.Narrow(accumulate ? TFormat.Widen(y[column]) + total : total);
        }
    }

    /// <summary>Σ partial[split, column] on the first of <see cref="Warps"/> warps whose lanes have one column each; nothing of use on the others.</summary>
    public static float SumOfPartials(ReadOnlyView<float> partial, int splits, int columns, int column)
    {
        float sum = 0f;
        for (int split = Warp.Index; split < splits; split += InFlight * Warps)
        {
            for (int u = 0; u < InFlight; u++)
            {
                int wanted = split + (u * Warps);
                float value = partial[((long)Math.Min(wanted, splits - 1) * columns) + Math.Min(column, columns - 1)];
                sum = wanted < splits ? sum + value : sum;
            }
        }

        Shared<float> joined = Shared.Allocate<float>(Warps * Warp.Size);
        joined[Group.Thread] = sum;
        Group.Barrier();
        float total = joined[Warp.Lane];
        for (int w = 1; w < Warps; w++)
        {
            total += joined[(w * Warp.Size) + Warp.Lane];
        }

        return total;
    }
}
