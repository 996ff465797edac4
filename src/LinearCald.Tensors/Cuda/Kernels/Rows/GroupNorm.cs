using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>A tensor [Batch, Rows, Channels] at a device address, normalised in groups of channels.</summary>
/// <param name="Type">Of x, y and their gradients; statistics and parameters are float32.</param>
/// <param name="W">[Channels], or 0 for none.</param>
internal readonly record struct GroupNormProblem(DType Type, int Batch, int Rows, int Channels, int Groups, nint X, nint W, nint Mean, nint Rstd);

/// <summary>Launches of the group norm kernels; address 0 stands for what is absent.</summary>
internal static class GroupNorm
{
    private const string Name = "GroupNorm";
    private const int Threads = GroupNormKernels.Warps * Warp.Size;
    private const int LeastTileRows = 64;
    private const int GroupsPerMultiprocessor = 8;
    private const int MostAlongY = 65535;

    /// <summary>y, mean and rstd [batch · groups].</summary>
    public static void Forward(Accelerator accelerator, in GroupNormProblem problem, nint b, nint y, double epsilon) =>
        Dispatch(problem, new ForwardLaunch(accelerator, problem, b, y, (float)epsilon));

    /// <summary>gx, gw and gb, of which any may be 0.</summary>
    public static void Backward(Accelerator accelerator, in GroupNormProblem problem, nint gy, nint gx, nint gw, bool accumulateW, nint gb, bool accumulateB)
    {
        if (problem.Batch == 0 || problem.Rows == 0)
        {
            Clear(accelerator, accumulateW ? 0 : gw, problem.Channels);
            Clear(accelerator, accumulateB ? 0 : gb, problem.Channels);
        }

        Dispatch(problem, new BackwardLaunch(accelerator, problem, gy, gx, gw, accumulateW, gb, accumulateB));
    }

    private static void Clear(Accelerator accelerator, nint gradient, long channels)
    {
        if (gradient != 0)
        {
            Copy.FillBytes(accelerator, gradient, channels * sizeof(float), 0);
        }
    }

    private static void Dispatch<TLaunch>(in GroupNormProblem problem, in TLaunch launch)
        where TLaunch : struct, IFormatLaunch
    {
        if (problem.Batch > MostAlongY)
        {
            throw new CaldException($"{Name}: {problem.Batch:N0} samples; the kernels take {MostAlongY:N0}: split the batch");
        }

        RowMatrix.Dispatch(problem.Type, Name, launch, (long)problem.Batch * problem.Rows, problem.Channels);
    }

    private static (GroupNormSizes Sizes, LaunchShape Shape, LaunchShape JoinShape) Plan(Accelerator accelerator, in GroupNormProblem p, int lanes, bool vectors)
    {
        int strip = Warp.Size * (vectors ? lanes : 1), strips = (p.Channels + strip - 1) / strip;
        long wanted = Math.Max(1, (long)accelerator.Limits.Multiprocessors * GroupsPerMultiprocessor / ((long)strips * p.Batch));
        int tiles = (int)Math.Min(Math.Min(wanted, MostAlongY), (p.Rows + LeastTileRows - 1) / LeastTileRows);
        int tileRows = (p.Rows + tiles - 1) / tiles;
        tiles = (p.Rows + tileRows - 1) / tileRows;
        GroupNormSizes sizes = new() { Rows = p.Rows, Channels = p.Channels, Groups = p.Groups, TileRows = tileRows, Width = new FastDivisor(p.Channels / p.Groups) };
        int joinThreads = Warp.Size;
        while (joinThreads < 512 && joinThreads * 4L < checked(tiles * (long)sizes.Width.Divisor))
        {
            joinThreads *= 2;
        }

        return (sizes, new LaunchShape(new Index3(strips, tiles, p.Batch), Threads), new LaunchShape(new Index3(p.Groups, p.Batch), joinThreads));
    }

    private readonly record struct ForwardLaunch(Accelerator Accelerator, GroupNormProblem Problem, nint B, nint Y, float Epsilon) : IFormatLaunch
    {
        public void Run<TWord, TFormat>()
            where TWord : unmanaged
            where TFormat : struct, IElementFormat<TWord>
        {
            (Accelerator accelerator, GroupNormProblem p, nint b, nint y, float epsilon) = this;
            bool vectors = p.Channels % TFormat.Lanes == 0 && RowMatrix.Aligned(p.X | y);
            (GroupNormSizes sizes, LaunchShape shape, LaunchShape joinShape) = Plan(accelerator, p, TFormat.Lanes, vectors);
            int tiles = shape.Grid.Y;
            long rows = (long)p.Batch * p.Rows, statistics = (long)p.Batch * p.Groups;
            using DeviceBuffer<Float2> partial = accelerator.Allocate<Float2>((long)p.Batch * tiles * p.Channels, "statistics of tiles of a group norm");
            ReadOnlyView<TWord> x = RowMatrix.ReadOnly<TWord>(p.X, rows, p.Channels);
            View<float> mean = RowMatrix.View<float>(p.Mean, statistics), rstd = RowMatrix.View<float>(p.Rstd, statistics);
            accelerator.Launch(Kernels<TWord, TFormat>.Tiles, shape, x, partial.View, sizes, vectors);
            accelerator.Launch(s_join, joinShape, partial.ReadOnly, mean, rstd, sizes, tiles, epsilon);
            accelerator.Launch(
                Kernels<TWord, TFormat>.Apply, shape, x, RowMatrix.ReadOnly<float>(p.W, p.Channels), RowMatrix.ReadOnly<float>(b, p.Channels), (ReadOnlyView<float>)mean,
                (ReadOnlyView<float>)rstd, RowMatrix.View<TWord>(y, rows, p.Channels), sizes, vectors, p.W != 0, b != 0);
        }
    }

    private readonly record struct BackwardLaunch(
        Accelerator Accelerator, GroupNormProblem Problem, nint GY, nint GX, nint GW, bool AccumulateW, nint GB, bool AccumulateB) : IFormatLaunch
    {
        public void Run<TWord, TFormat>()
            where TWord : unmanaged
            where TFormat : struct, IElementFormat<TWord>
        {
            (Accelerator accelerator, GroupNormProblem p, nint gy, nint gx, nint gw, bool accumulateW, nint gb, bool accumulateB) = this;
            bool vectors = p.Channels % TFormat.Lanes == 0 && RowMatrix.Aligned(p.X | gy | gx);
            (GroupNormSizes sizes, LaunchShape shape, LaunchShape joinShape) = Plan(accelerator, p, TFormat.Lanes, vectors);
            int tiles = shape.Grid.Y, splits = checked(p.Batch * tiles);
            long rows = (long)p.Batch * p.Rows, statistics = (long)p.Batch * p.Groups;
            using DeviceBuffer<float> sumsB = accelerator.Allocate<float>((long)splits * p.Channels, "partial gradients of a group norm's bias");
            using DeviceBuffer<float> sumsW = accelerator.Allocate<float>((long)splits * p.Channels, "partial gradients of a group norm's weight");
            ReadOnlyView<TWord> x = RowMatrix.ReadOnly<TWord>(p.X, rows, p.Channels), given = RowMatrix.ReadOnly<TWord>(gy, rows, p.Channels);
            ReadOnlyView<float> w = RowMatrix.ReadOnly<float>(p.W, p.Channels), mean = RowMatrix.ReadOnly<float>(p.Mean, statistics), rstd = RowMatrix.ReadOnly<float>(p.Rstd, statistics);
            accelerator.Launch(Kernels<TWord, TFormat>.GradientTiles, shape, given, x, mean, rstd, sumsB.View, sumsW.View, sizes, vectors);
            if (gx != 0)
            {
                using DeviceBuffer<Float2> means = accelerator.Allocate<Float2>(statistics, "means of a group norm's gradient");
                accelerator.Launch(s_gradientJoin, joinShape, sumsB.ReadOnly, sumsW.ReadOnly, w, means.View, sizes, tiles, p.W != 0);
                accelerator.Launch(
                    Kernels<TWord, TFormat>.Input, shape, given, x, w, mean, rstd, means.ReadOnly, RowMatrix.View<TWord>(gx, rows, p.Channels), sizes, vectors, p.W != 0);
            }

            if (gw != 0)
            {
                ColumnSum.AddPartials(accelerator, DType.Float32, sumsW.View, gw, splits, p.Channels, accumulateW);
            }

            if (gb != 0)
            {
                ColumnSum.AddPartials(accelerator, DType.Float32, sumsB.View, gb, splits, p.Channels, accumulateB);
            }
        }
    }

    private static readonly Kernel s_join = Kernel.Of(GroupNormKernels.Join);
    private static readonly Kernel s_gradientJoin = Kernel.Of(GroupNormGradientKernels.Join);

    private static class Kernels<TWord, TFormat>
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        public static readonly Kernel Tiles = Kernel.Of(GroupNormKernels.Tiles<TWord, TFormat>);
        public static readonly Kernel Apply = Kernel.Of(GroupNormKernels.Apply<TWord, TFormat>);
        public static readonly Kernel GradientTiles = Kernel.Of(GroupNormGradientKernels.Tiles<TWord, TFormat>);
        public static readonly Kernel Input = Kernel.Of(GroupNormGradientKernels.Input<TWord, TFormat>);
    }
}
