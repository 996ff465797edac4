using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// Weight normalisation of a convolution along its taps (Salimans and Kingma 2016): w[r, k] = g[k] v[r, k] / norm[k], norm[k] = ‖v[:, k]‖, on float32 matrices [rows, taps], and
/// its gradients: gg = s / norm, gv = g / norm · (gw − v s / norm²) with s[k] = Σ gw v. Strips of 32 columns, or of 32 quads of them; a warp a row, rows a grid's height apart;
/// sums per split are joined in order. Floor: two reads and a write of the matrix.
/// </summary>
internal static class WeightNormKernels
{
    /// <summary>Warps of a group: that many rows at a time.</summary>
    public const int Warps = 8;

    private const int InFlight = 4;

    /// <summary>partial[split, k] = Σ over the split's rows of v · u. Grid: strips along x, splits along y.</summary>
    [Kernel(Name = "weight_norm_sums")]
    public static void Sums(ReadOnlyView<float> v, ReadOnlyView<float> u, View<float> partial, int rows, int taps, [Constant] bool vectors)
    {
        int width = vectors ? 4 : 1, strip = Warp.Size * width, column = Column(taps, width);
        Registers<float, N4> sums = default;
        sums.Fill(0f);
        int step = Grid.SizeY * Warps;
        for (int row = (Grid.IndexY * Warps) + Warp.Index; row < rows; row += InFlight * step)
        {
            Registers<Float4, N4> left = default, right = default;
            for (int r = 0; r < InFlight; r++)
            {
                Loop.Unroll();
                long at = ((long)Math.Min(row + (r * step), rows - 1) * taps) + column;
                left[r] = Quad.Load<float, Float32Format>(v.From(at), vectors, 1);
                right[r] = Quad.Load<float, Float32Format>(u.From(at), vectors, 1);
            }

            for (int r = 0; r < InFlight; r++)
            {
                Loop.Unroll();
                if (row + (r * step) < rows)
                {
                    sums[0] = GpuMath.Fma(left[r].X, right[r].X, sums[0]);
                    sums[1] = GpuMath.Fma(left[r].Y, right[r].Y, sums[1]);
                    sums[2] = GpuMath.Fma(left[r].Z, right[r].Z, sums[2]);
                    sums[3] = GpuMath.Fma(left[r].W, right[r].W, sums[3]);
                }
            }
        }

        Shared<float> joined = Shared.Allocate<float>(Warps * strip);
        for (int i = 0; i < width; i++)
        {
            joined[(((Warp.Index * Warp.Size) + Warp.Lane) * width) + i] = sums[i];
        }

        Group.Barrier();
        for (int c = Group.Thread; c < strip; c += Group.Size)
        {
            int at = (Grid.IndexX * strip) + c;
            if (at < taps)
            {
                float sum = joined[c];
                for (int w = 1; w < Warps; w++)
                {
                    Loop.Unroll();
                    sum += joined[(w * strip) + c];
                }

                partial[((long)Grid.IndexY * taps) + at] = sum;
            }
        }
    }

    /// <summary>norm = √Σ partial. Groups of 8 warps, 32 columns.</summary>
    [Kernel(Name = "weight_norm_join")]
    public static void Norm(ReadOnlyView<float> partial, View<float> norm, int splits, int taps)
    {
        int column = (Grid.IndexX * Warp.Size) + Warp.Lane;
        float total = ColumnSumKernels.SumOfPartials(partial, splits, taps, column);
        if (Warp.Index == 0 && column < taps)
        {
            norm[column] = MathF.Sqrt(total);
        }
    }

    /// <summary>slope = s / norm² with s = Σ partial, and gg (+)= s / norm. Groups of 8 warps, 32 columns.</summary>
    [Kernel(Name = "weight_norm_gradient_join")]
    public static void Slope(ReadOnlyView<float> partial, ReadOnlyView<float> norm, View<float> slope, View<float> gg, int splits, int taps, [Constant] bool hasG, [Constant] bool accumulate)
    {
        int column = (Grid.IndexX * Warp.Size) + Warp.Lane;
        float total = ColumnSumKernels.SumOfPartials(partial, splits, taps, column);
        if (Warp.Index == 0 && column < taps)
        {
            float along = total / norm[column];
            slope[column] = along / norm[column];
            if (hasG)
            {
                gg[column] = accumulate ? gg[column] + along : along;
            }
        }
    }

    /// <summary>w = g v / norm. Grid: strips along x, splits along y.</summary>
    [Kernel(Name = "weight_norm")]
    public static void Apply(ReadOnlyView<float> v, ReadOnlyView<float> g, ReadOnlyView<float> norm, View<float> w, int rows, int taps, [Constant] bool vectors)
    {
        int width = vectors ? 4 : 1, column = Column(taps, width);
        bool inside = ((Grid.IndexX * Warp.Size) + Warp.Lane) * width < taps;
        Float4 scale = Scale(g, norm, column, vectors);
        for (int row = (Grid.IndexY * Warps) + Warp.Index; row < rows; row += Grid.SizeY * Warps)
        {
            long at = ((long)row * taps) + column;
            Float4 x = Quad.Load<float, Float32Format>(v.From(at), vectors, 1);
            if (inside)
            {
                Quad.Store<float, Float32Format>(w.From(at), new Float4(scale.X * x.X, scale.Y * x.Y, scale.Z * x.Z, scale.W * x.W), vectors, 1);
            }
        }
    }

    /// <summary>gv (+)= g / norm · (gw − v · slope). Grid: strips along x, splits along y.</summary>
    [Kernel(Name = "weight_norm_gradient")]
    public static void Direction(
        ReadOnlyView<float> gw, ReadOnlyView<float> v, ReadOnlyView<float> g, ReadOnlyView<float> norm, ReadOnlyView<float> slope, View<float> gv, int rows, int taps,
        [Constant] bool accumulate, [Constant] bool vectors)
    {
        int width = vectors ? 4 : 1, column = Column(taps, width);
        bool inside = ((Grid.IndexX * Warp.Size) + Warp.Lane) * width < taps;
        Float4 scale = Scale(g, norm, column, vectors), along = Quad.Load<float, Float32Format>(slope.From(column), vectors, 1);
        for (int row = (Grid.IndexY * Warps) + Warp.Index; row < rows; row += Grid.SizeY * Warps)
        {
            long at = ((long)row * taps) + column;
            Float4 x = Quad.Load<float, Float32Format>(v.From(at), vectors, 1), given = Quad.Load<float, Float32Format>(gw.From(at), vectors, 1);
            if (inside)
            {
                Float4 old = accumulate ? Quad.Load<float, Float32Format>(gv.From(at), vectors, 1) : default;
                Float4 sum = new(
                    GpuMath.Fma(scale.X, GpuMath.Fma(-x.X, along.X, given.X), old.X),
                    GpuMath.Fma(scale.Y, GpuMath.Fma(-x.Y, along.Y, given.Y), old.Y),
                    GpuMath.Fma(scale.Z, GpuMath.Fma(-x.Z, along.Z, given.Z), old.Z),
                    GpuMath.Fma(scale.W, GpuMath.Fma(-x.W, along.W, given.W), old.W));
                Quad.Store<float, Float32Format>(gv.From(at), sum, vectors, 1);
            }
        }
    }

    // Columns that there are not read the last ones.
    private static int Column(int taps, int width) => Math.Min(((Grid.IndexX * Warp.Size) + Warp.Lane) * width, taps - width);

    private static Float4 Scale(ReadOnlyView<float> g, ReadOnlyView<float> norm, int column, bool vectors)
    {
        Float4 magnitude = Quad.Load<float, Float32Format>(g.From(column), vectors, 1), length = Quad.Load<float, Float32Format>(norm.From(column), vectors, 1);
        return vectors
            ? new Float4(magnitude.X / length.X, magnitude.Y / length.Y, magnitude.Z / length.Z, magnitude.W / length.W)
            : new Float4(magnitude.X / length.X, 0f, 0f, 0f);
    }
}
