using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// Softmax and its logarithm along the rows of [rows, columns], and their gradients. A row stays in the registers of its team; rows that do not fit are read
/// twice. A row of nothing but −∞ gives NaN. Floor: one read and one write of the matrix forward, two reads and a write backward.
/// </summary>
internal static class SoftmaxKernels
{
    /// <summary>y = eˣ / Σ eˣ, or x − log Σ eˣ.</summary>
    [Kernel(Name = "softmax")]
    public static void Forward<TWord, TFormat, TTeam, TCount>(
        View<TWord> x, View<TWord> y, int rows, int columns, [Constant] RowAccess access, [Constant] bool wide, [Constant] bool log)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TTeam : struct, IRowTeam
        where TCount : struct, ICount
    {
        int wanted = (Grid.IndexX * (Group.Size / TTeam.Threads)) + TTeam.Index;
        int row = Math.Min(wanted, rows - 1);
        View<TWord> from = x.Slice((long)row * columns, columns);
        View<TWord> to = y.Slice((long)row * columns, columns);
        Registers<float, TCount> values = default;
        int tiles = RowTile<TWord, TFormat, TTeam, TCount>.Tiles(columns, wide);
        int span = RowTile<TWord, TFormat, TTeam, TCount>.Span;
        float largest = float.NegativeInfinity;
        float sum = 0f;
        if (wide)
        {
            for (int tile = 0; tile < tiles; tile++)
            {
                RowTile<TWord, TFormat, TTeam, TCount>.Load(from, tile * span, columns, float.NegativeInfinity, access, ref values);
                OnlineSum.Add(ref values, 1f, ref largest, ref sum);
            }

            OnlineSum.Merge<TTeam>(1f, ref largest, ref sum);
        }
        else
        {
            RowTile<TWord, TFormat, TTeam, TCount>.Load(from, 0, columns, float.NegativeInfinity, access, ref values);
            for (int i = 0; i < TCount.Value; i++)
            {
                largest = MathF.Max(largest, values[i]);
            }

            largest = TTeam.Max(TTeam.Scratch(), largest);
            for (int i = 0; i < TCount.Value; i++)
            {
                float shifted = values[i] - largest;
                float e = GpuMath.Exp(shifted);
                sum += e;
                values[i] = log ? shifted : e;
            }

            sum = TTeam.Sum(TTeam.Scratch(), sum);
        }

        float scale = 1f / sum;
        float offset = log ? GpuMath.Log(sum) : 0f;
        for (int tile = 0; tile < tiles; tile++)
        {
            if (wide)
            {
                RowTile<TWord, TFormat, TTeam, TCount>.Load(from, tile * span, columns, float.NegativeInfinity, access, ref values);
            }

            for (int i = 0; i < TCount.Value; i++)
            {
                float shifted = wide ? values[i] - largest : values[i];
                float e = wide && !log ? GpuMath.Exp(shifted) : shifted;
                values[i] = log ? e - offset : e * scale;
            }

            RowTile<TWord, TFormat, TTeam, TCount>.Store(to, tile * span, columns, wanted < rows, access, ref values);
        }
    }

    /// <summary>gx = y (gy − Σ gy y), or for the logarithm gy − e^y Σ gy; gx may be gy or y.</summary>
    [Kernel(Name = "softmax_gradient")]
    public static void Backward<TWord, TFormat, TTeam, TCount>(
        View<TWord> y, View<TWord> gy, View<TWord> gx, int rows, int columns, [Constant] RowAccess access, [Constant] bool wide, [Constant] bool log)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TTeam : struct, IRowTeam
        where TCount : struct, ICount
    {
        int wanted = (Grid.IndexX * (Group.Size / TTeam.Threads)) + TTeam.Index;
        int row = Math.Min(wanted, rows - 1);
        View<TWord> output = y.Slice((long)row * columns, columns);
        View<TWord> from = gy.Slice((long)row * columns, columns);
        View<TWord> to = gx.Slice((long)row * columns, columns);
        Registers<float, TCount> values = default;
        Registers<float, TCount> gradient = default;
        int tiles = RowTile<TWord, TFormat, TTeam, TCount>.Tiles(columns, wide);
        int span = RowTile<TWord, TFormat, TTeam, TCount>.Span;
        float sum = 0f;
        for (int tile = 0; tile < tiles; tile++)
        {
            RowTile<TWord, TFormat, TTeam, TCount>.Load(output, tile * span, columns, 0f, access, ref values);
            RowTile<TWord, TFormat, TTeam, TCount>.Load(from, tile * span, columns, 0f, access, ref gradient);
            for (int i = 0; i < TCount.Value; i++)
            {
                sum = log ? sum + gradient[i] : GpuMath.Fma(gradient[i], values[i], sum);
            }
        }

        sum = TTeam.Sum(TTeam.Scratch(), sum);
        for (int tile = 0; tile < tiles; tile++)
        {
            if (wide)
            {
                RowTile<TWord, TFormat, TTeam, TCount>.Load(output, tile * span, columns, 0f, access, ref values);
                RowTile<TWord, TFormat, TTeam, TCount>.Load(from, tile * span, columns, 0f, access, ref gradient);
            }

            for (int i = 0; i < TCount.Value; i++)
            {
                gradient[i] = log ? GpuMath.Fma(-GpuMath.Exp(values[i]), sum, gradient[i]) : values[i] * (gradient[i] - sum);
            }

            RowTile<TWord, TFormat, TTeam, TCount>.Store(to, tile * span, columns, wanted < rows, access, ref gradient);
        }
    }
}
