using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>One call of Linformer attention: q, k, v and y [Batch, Length, Heads · HeadSize], projections [Positions, Rank], slots [Batch, Rank, Heads · HeadSize].</summary>
/// <param name="Precision">Of the products; says what the data are.</param>
/// <param name="Scale">Factor of the scores; above 0.</param>
/// <param name="Dropout">Probability that a probability is dropped.</param>
/// <param name="Key">Names the dropout mask.</param>
internal readonly record struct LinformerProblem(
    GemmPrecision Precision, int Batch, int Heads, int Length, int HeadSize, int Rank, int Positions, double Scale, double Dropout = 0, DeviceRandomKey Key = default)
{
    /// <summary>Columns of all heads.</summary>
    public int Width => Heads * HeadSize;

    /// <summary>The attention of all queries over the slots, of which none is hidden.</summary>
    public AttentionProblem Slots => new(Precision, Batch, Heads, Length, Rank, HeadSize, Scale, false, Dropout, Key);

    /// <summary>What the projection kernels are told.</summary>
    public LinformerSizes Sizes => new() { Batch = Batch, Length = Length, Width = Width, Rank = Rank };

    /// <summary>What the projection kernels are compiled for.</summary>
    /// <param name="hasLengths">Whether samples have their own lengths.</param>
    /// <param name="addresses">The addresses of all tensors of data, or-ed together.</param>
    public LinformerTraits Traits(bool hasLengths, nint addresses) =>
        new(hasLengths, (addresses | ((nint)Width * Precision.ElementBytes()) | ((nint)Rank * Precision.ElementBytes())) % 16 == 0);

    /// <summary>Refuses what the kernels cannot compute.</summary>
    /// <exception cref="CaldException">A size below 1, or texts longer than the projection.</exception>
    public void Check()
    {
        if (Rank < 1 || Length > Positions)
        {
            throw new CaldException($"Linformer attention: rank {Rank} must be at least 1, and {Length} positions at most the projection's {Positions}.");
        }

        Slots.Check();
    }
}

/// <summary>Launches Linformer attention. T is float for the float32 precisions, else ushort: the bits of the 16-bit floats.</summary>
internal static class LinformerLauncher
{
    private const int Side = LinformerTile.Side;

    /// <summary>y, lse [Batch, Heads, Length], and the slots of keys and values, which the gradient needs.</summary>
    /// <param name="lengths">Valid positions of each sample, clamped to 0 … Length; null: all.</param>
    /// <param name="rest">As <see cref="AttentionLauncher.Forward"/>.</param>
    public static unsafe void Forward<T>(
        Accelerator accelerator, in LinformerProblem problem, ReadOnlyView<T> q, ReadOnlyView<T> k, ReadOnlyView<T> v, ReadOnlyView<T> e, ReadOnlyView<T> f, ReadOnlyView<int>? lengths,
        View<T> y, View<float> lse, View<T> kProjected, View<T> vProjected, View<T>? rest = null)
        where T : unmanaged
    {
        problem.Check();
        if (problem.Batch == 0 || problem.Length == 0)
        {
            return;
        }

        LinformerKernels kernels = LinformerKernels.For(problem.Precision);
        LaunchShape shape = Shape(problem.Width, problem.Rank, problem.Batch);
        nint addresses = (nint)k.Address | (nint)v.Address | (nint)e.Address | (nint)f.Address | (nint)kProjected.Address | (nint)vProjected.Address;
        LinformerTraits traits = problem.Traits(lengths.HasValue, addresses);
        accelerator.Launch(kernels.Projection, shape, k, e, lengths ?? default, kProjected, problem.Sizes, traits);
        accelerator.Launch(kernels.Projection, shape, v, f, lengths ?? default, vProjected, problem.Sizes, traits);
        AttentionLauncher.Forward(accelerator, problem.Slots, q, kProjected, vProjected, null, y, lse, rest);
    }

    /// <summary>
    /// Gradients of queries, keys and values, overwritten (0 for keys and values beyond a sample's length), and of the projections, added or overwritten.
    /// ge and gf may be one buffer: then both parts are added into it and <paramref name="accumulateE"/> alone counts.
    /// </summary>
    public static unsafe void Backward<T>(
        Accelerator accelerator, in LinformerProblem problem, ReadOnlyView<T> q, ReadOnlyView<T> k, ReadOnlyView<T> v, ReadOnlyView<T> e, ReadOnlyView<T> f, ReadOnlyView<int>? lengths,
        ReadOnlyView<T> y, ReadOnlyView<float> lse, ReadOnlyView<T> kProjected, ReadOnlyView<T> vProjected, ReadOnlyView<T> gy,
        View<T> gq, View<T> gk, View<T> gv, View<T> ge, bool accumulateE, View<T> gf, bool accumulateF, ReadOnlyView<T>? rest = null)
        where T : unmanaged
    {
        problem.Check();
        LinformerKernels kernels = LinformerKernels.For(problem.Precision);
        long slots = (long)problem.Batch * problem.Rank * problem.Width;
        int runs = Runs(problem), partSize = checked(problem.Length * problem.Rank);
        using DeviceBuffer<T> gProjected = accelerator.Allocate<T>(2 * slots, "gradients of Linformer's slots");
        using DeviceBuffer<float> parts = accelerator.Allocate<float>(2L * runs * partSize, "parts of a Linformer projection's gradient");
        if (problem.Batch > 0 && problem.Length > 0)
        {
            View<T> gkProjected = gProjected.View.Slice(0, slots), gvProjected = gProjected.View.Slice(slots, slots);
            AttentionLauncher.Backward(accelerator, problem.Slots, q, kProjected, vProjected, null, y, lse, gy, gq, gkProjected, gvProjected, rest);
            ReadOnlyView<int> valid = lengths ?? default;
            LinformerSizes sizes = problem.Sizes;
            nint addresses = (nint)k.Address | (nint)v.Address | (nint)e.Address | (nint)f.Address | (nint)gk.Address | (nint)gv.Address | (nint)gkProjected.Address | (nint)gvProjected.Address;
            LinformerTraits traits = problem.Traits(lengths.HasValue, addresses);
            LaunchShape shape = Shape(problem.Width, problem.Length, problem.Batch);
            accelerator.Launch(kernels.InputGradient, shape, (ReadOnlyView<T>)gkProjected, e, valid, gk, sizes, traits);
            accelerator.Launch(kernels.InputGradient, shape, (ReadOnlyView<T>)gvProjected, f, valid, gv, sizes, traits);
            shape = Shape(problem.Rank, problem.Length, runs);
            accelerator.Launch(kernels.ProjectionGradient, shape, k, (ReadOnlyView<T>)gkProjected, valid, parts.View, 0, runs, sizes, traits);
            accelerator.Launch(kernels.ProjectionGradient, shape, v, (ReadOnlyView<T>)gvProjected, valid, parts.View, runs, runs, sizes, traits);
        }

        int size = checked(problem.Positions * problem.Rank);
        bool one = ge.Address == gf.Address;
        ReadOnlyView<float> all = parts.ReadOnly;
        accelerator.Launch(kernels.ProjectionGradientSum, LaunchShape.For(size), all, one ? 2 * runs : runs, partSize, ge, size, accumulateE);
        if (!one)
        {
            accelerator.Launch(kernels.ProjectionGradientSum, LaunchShape.For(size), all.From((long)runs * partSize), runs, partSize, gf, size, accumulateF);
        }
    }

    // enough groups for two on each multiprocessor of a large GPU; a function of the shape only, so that sums do not depend on the device
    private static int Runs(in LinformerProblem problem)
    {
        int tiles = Blocks(problem.Rank) * Blocks(problem.Length);
        return problem.Batch == 0 || problem.Length == 0 ? 0 : Math.Clamp(264 / tiles, 1, problem.Batch);
    }

    private static LaunchShape Shape(int columns, int rows, int count) => new(checked(Blocks(columns) * Blocks(rows) * count), LinformerTile.Threads);

    private static int Blocks(int count) => (count + Side - 1) / Side;
}

/// <summary>The projection kernels for one precision.</summary>
internal sealed record LinformerKernels(Kernel Projection, Kernel InputGradient, Kernel ProjectionGradient, Kernel ProjectionGradientSum)
{
    private static readonly Lazy<LinformerKernels> s_float32 = new(Make<FmaProduct, float>), s_tensorFloat32 = new(Make<TensorFloat32Product, float>);
    private static readonly Lazy<LinformerKernels> s_bFloat16 = new(Make<PairProduct<BFloat16Pairs>, ushort>), s_float16 = new(Make<PairProduct<HalfPairs>, ushort>);

    /// <summary>The kernels of a precision.</summary>
    public static LinformerKernels For(GemmPrecision precision) => precision switch
    {
        GemmPrecision.Float32 => s_float32.Value,
        GemmPrecision.TensorFloat32 => s_tensorFloat32.Value,
        GemmPrecision.BFloat16 => s_bFloat16.Value,
        _ => s_float16.Value,
    };

    private static LinformerKernels Make<TProduct, T>()
        where TProduct : struct, ITileProduct<T>
        where T : unmanaged => new(
            Kernel.Of(Kernels.LinformerProjection.Run<TProduct, T>),
            Kernel.Of(Kernels.LinformerInputGradient.Run<TProduct, T>),
            Kernel.Of(Kernels.LinformerProjectionGradient.Run<TProduct, T>),
            Kernel.Of(Kernels.LinformerProjectionGradient.Sum<TProduct, T>));
}
