using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// The gradient of <see cref="LayerNormKernels"/>: with x̂ = (x − μ) rstd and g = gy w, gx = rstd (g − mean(g) − x̂ mean(g x̂)), gw = Σ gy x̂, gb = Σ gy
/// over the rows. Teams go over many rows each and keep their part of gw and gb in registers; the groups' partial sums [groups, columns] are added in order
/// by <see cref="ColumnSumKernels"/>: no atomics. Floor: two reads and one write of the matrix.
/// </summary>
internal static class LayerNormGradientKernels
{
    /// <summary>Input gradient, and this group's partial sums of gw and gb, for rows that fit into registers.</summary>
    /// <param name="rounds">Rows of a team, the last of which may lie beyond the matrix.</param>
    [Kernel(Name = "layer_norm_gradient")]
    public static void Backward<TWord, TFormat, TTeam, TCount>(
        View<TWord> gy, ReadOnlyView<TWord> x, ReadOnlyView<float> w, ReadOnlyView<float> mean, ReadOnlyView<float> rstd, View<TWord> gx,
        View<float> partialW, View<float> partialB, int rows, int columns, int rounds,
        [Constant] RowAccess access, [Constant] bool hasW, [Constant] bool input, [Constant] bool parameters)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TTeam : struct, IRowTeam
        where TCount : struct, ICount
    {
        int teams = Group.Size / TTeam.Threads;
        Registers<float, TCount> weight = default;
        Registers<float, TCount> sumW = default;
        Registers<float, TCount> sumB = default;
        sumW.Fill(0f);
        sumB.Fill(0f);
        if (hasW)
        {
            RowTile<TWord, TFormat, TTeam, TCount>.LoadParameter(w, 0, columns, access, ref weight);
        }

        // Two sets in turn, so that one barrier a row is enough.
        Shared<Float2> even = TTeam.Scratch();
        Shared<Float2> odd = TTeam.Scratch();
        for (int round = 0; round < rounds; round++)
        {
            Loop.Keep();
            int wanted = (((round * Grid.SizeX) + Grid.IndexX) * teams) + TTeam.Index;
            int row = Math.Min(wanted, rows - 1);
            bool active = wanted < rows;
            long start = (long)row * columns;
            Registers<float, TCount> normal = default;
            Registers<float, TCount> gradient = default;
            RowTile<TWord, TFormat, TTeam, TCount>.Load(x.Slice(start, columns), 0, columns, 0f, access, ref normal);
            RowTile<TWord, TFormat, TTeam, TCount>.Load(gy.Slice(start, columns), 0, columns, 0f, access, ref gradient);
            float average = mean[row];
            float scale = rstd[row];
            float sum = 0f;
            float projection = 0f;
            for (int i = 0; i < TCount.Value; i++)
            {
                float n = (normal[i] - average) * scale;
                float g = gradient[i];
                if (parameters)
                {
                    sumW[i] = active ? GpuMath.Fma(g, n, sumW[i]) : sumW[i];
                    sumB[i] = active ? sumB[i] + g : sumB[i];
                }

                float weighted = hasW ? g * weight[i] : g;
                sum += weighted;
                projection = GpuMath.Fma(weighted, n, projection);
                normal[i] = n;
                gradient[i] = weighted;
            }

            if (input)
            {
                Float2 sums = TTeam.Sum((round & 1) == 0 ? even : odd, new Float2(sum, projection));
                sum = sums.X / columns;
                projection = sums.Y / columns;
                for (int i = 0; i < TCount.Value; i++)
                {
                    gradient[i] = scale * GpuMath.Fma(-normal[i], projection, gradient[i] - sum);
                }

                RowTile<TWord, TFormat, TTeam, TCount>.Store(gx.Slice(start, columns), 0, columns, active, access, ref gradient);
            }
        }

        if (parameters)
        {
            long group = (long)Grid.IndexX * columns;
            if (TTeam.IsGroup)
            {
                StorePartial<TWord, TFormat, TTeam, TCount>(ref sumW, partialW.Slice(group, columns), columns, access);
                StorePartial<TWord, TFormat, TTeam, TCount>(ref sumB, partialB.Slice(group, columns), columns, access);
            }
            else
            {
                Shared<float> teamSums = Shared.Allocate<float>(Group.Size * TCount.Value);
                JoinTeams<TWord, TFormat, TTeam, TCount>(ref sumW, teamSums, partialW.Slice(group, columns), columns, access);
                Group.Barrier();
                JoinTeams<TWord, TFormat, TTeam, TCount>(ref sumB, teamSums, partialB.Slice(group, columns), columns, access);
            }
        }
    }

    /// <summary>Input gradient alone, for rows of any width.</summary>
    [Kernel(Name = "layer_norm_input_gradient")]
    public static void WideInput<TWord, TFormat, TTeam, TCount>(
        View<TWord> gy, ReadOnlyView<TWord> x, ReadOnlyView<float> w, ReadOnlyView<float> mean, ReadOnlyView<float> rstd, View<TWord> gx, int columns,
        [Constant] RowAccess access, [Constant] bool hasW)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TTeam : struct, IRowTeam
        where TCount : struct, ICount
    {
        int row = Grid.IndexX;
        long start = (long)row * columns;
        int tiles = RowTile<TWord, TFormat, TTeam, TCount>.Tiles(columns, true);
        int span = RowTile<TWord, TFormat, TTeam, TCount>.Span;
        float average = mean[row];
        float scale = rstd[row];
        Registers<float, TCount> weight = default;
        Registers<float, TCount> normal = default;
        Registers<float, TCount> gradient = default;
        float sum = 0f;
        float projection = 0f;
        for (int tile = 0; tile < tiles; tile++)
        {
            RowTile<TWord, TFormat, TTeam, TCount>.Load(x.Slice(start, columns), tile * span, columns, 0f, access, ref normal);
            RowTile<TWord, TFormat, TTeam, TCount>.Load(gy.Slice(start, columns), tile * span, columns, 0f, access, ref gradient);
            if (hasW)
            {
                RowTile<TWord, TFormat, TTeam, TCount>.LoadParameter(w, tile * span, columns, access, ref weight);
            }

            for (int i = 0; i < TCount.Value; i++)
            {
                float weighted = hasW ? gradient[i] * weight[i] : gradient[i];
                sum += weighted;
                projection = GpuMath.Fma(weighted, (normal[i] - average) * scale, projection);
            }
        }

        Float2 sums = TTeam.Sum(TTeam.Scratch(), new Float2(sum, projection));
        sum = sums.X / columns;
        projection = sums.Y / columns;
        for (int tile = 0; tile < tiles; tile++)
        {
            RowTile<TWord, TFormat, TTeam, TCount>.Load(x.Slice(start, columns), tile * span, columns, 0f, access, ref normal);
            RowTile<TWord, TFormat, TTeam, TCount>.Load(gy.Slice(start, columns), tile * span, columns, 0f, access, ref gradient);
            if (hasW)
            {
                RowTile<TWord, TFormat, TTeam, TCount>.LoadParameter(w, tile * span, columns, access, ref weight);
            }

            for (int i = 0; i < TCount.Value; i++)
            {
                float weighted = hasW ? gradient[i] * weight[i] : gradient[i];
                gradient[i] = scale * GpuMath.Fma(-(normal[i] - average) * scale, projection, weighted - sum);
            }

            RowTile<TWord, TFormat, TTeam, TCount>.Store(gx.Slice(start, columns), tile * span, columns, true, access, ref gradient);
        }
    }

    /// <summary>Partial sums of gw and gb for rows of any width: a thread a column, rows IndexY, IndexY + SizeY, …</summary>
    [Kernel(Name = "layer_norm_parameter_gradient")]
    public static void WideParameters<TWord, TFormat>(
        View<TWord> gy, ReadOnlyView<TWord> x, ReadOnlyView<float> mean, ReadOnlyView<float> rstd, View<float> partialW, View<float> partialB, int rows, int columns)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        int column = Grid.ThreadX;
        if (column < columns)
        {
            float sumW = 0f;
            float sumB = 0f;
            for (int row = Grid.IndexY; row < rows; row += Grid.SizeY)
            {
                long at = ((long)row * columns) + column;
                float g = TFormat.Widen(gy[at]);
                sumW = GpuMath.Fma(g, (TFormat.Widen(x[at]) - mean[row]) * rstd[row], sumW);
                sumB += g;
            }

            partialW[((long)Grid.IndexY * columns) + column] = sumW;
            partialB[((long)Grid.IndexY * columns) + column] = sumB;
        }
    }

    /// <summary>Writes a team's sums where the team is a group.</summary>
    public static void StorePartial<TWord, TFormat, TTeam, TCount>(ref Registers<float, TCount> sums, View<float> partial, int columns, RowAccess access)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TTeam : struct, IRowTeam
        where TCount : struct, ICount
    {
        for (int i = 0; i < TCount.Value; i++)
        {
            if (RowTile<TWord, TFormat, TTeam, TCount>.Inside(0, i, columns, access))
            {
                partial[RowTile<TWord, TFormat, TTeam, TCount>.ColumnOf(0, i, access)] = sums[i];
            }
        }
    }

    /// <summary>Writes the sums of a group's teams, added in their order through shared memory.</summary>
    public static void JoinTeams<TWord, TFormat, TTeam, TCount>(
        ref Registers<float, TCount> sums, Shared<float> teamSums, View<float> partial, int columns, RowAccess access)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TTeam : struct, IRowTeam
        where TCount : struct, ICount
    {
        int span = RowTile<TWord, TFormat, TTeam, TCount>.Span;
        Shared<float> own = teamSums.From(TTeam.Index * span);
        for (int i = 0; i < TCount.Value; i++)
        {
            own[RowTile<TWord, TFormat, TTeam, TCount>.ColumnOf(0, i, access)] = sums[i];
        }

        Group.Barrier();
        for (int column = Group.Thread; column < columns; column += Group.Size)
        {
            float sum = 0f;
            for (int team = 0; team < Group.Size / TTeam.Threads; team++)
            {
                sum += teamSums[(team * span) + column];
            }

            partial[column] = sum;
        }
    }
}
