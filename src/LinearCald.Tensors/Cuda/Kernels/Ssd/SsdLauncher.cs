using LinearCald.Gpu;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>One call of the scan on the device. T is float for the float32 precisions, else ushort: the bits of the 16-bit floats.</summary>
/// <param name="Accelerator">Where.</param>
/// <param name="Shape">The sizes; its chunk is not used, the kernels have their own.</param>
/// <param name="Precision">Of the products; says what the data are.</param>
/// <param name="Inputs">The tensors.</param>
/// <param name="XPitch">Elements from one position of x to the next, as the other three.</param>
internal readonly record struct SsdLauncher<T>(
    Accelerator Accelerator, SsdShape Shape, GemmPrecision Precision, SsdInputs<T> Inputs, int XPitch, int DeltaPitch, int BPitch, int CPitch)
    where T : unmanaged
{
    private const int FewGroups = 264; // two for each multiprocessor of an H100

    private int Width => Shape.Heads * Shape.HeadSize;

    /// <summary>Elements that the forward pass keeps for the backward pass: the state on entry of every chunk.</summary>
    public static long SavedCount(in SsdShape shape) => shape.Batch * (long)shape.Heads * Chunks(shape.Length) * shape.StateCount;

    /// <summary>y, contiguous, and where they are given the kept states and the final state.</summary>
    public void Forward(View<T> y, View<T>? saved, View<float>? initial, View<float>? final)
    {
        if (Shape.Length == 1 && saved is null)
        {
            SsdKernels step = SsdKernels.For(Precision, Shape.StateSize, 16);
            long features = (long)Shape.Batch * Width;
            if (features > 0)
            {
                LaunchShape shape = LaunchShape.For(features * Warp.Size, SsdStepKernel.Warps * Warp.Size);
                Accelerator.Launch(step.Step, shape, Inputs, y, initial ?? default, final ?? default, Sizes(1), Traits(initial.HasValue, final.HasValue, false, y, default));
            }

            return;
        }

        int columns = Columns(Precision >= GemmPrecision.BFloat16 && (long)Shape.Batch * Shape.Heads * Blocks(64) >= FewGroups ? 64 : 32);
        SsdKernels kernels = SsdKernels.For(Precision, Shape.StateSize, columns);
        int blocks = Blocks(columns), groups = Groups(blocks);
        if (groups > 0)
        {
            Accelerator.Launch(
                kernels.Forward, new LaunchShape(groups, SsdSizes.Threads), Inputs, y, saved ?? default, initial ?? default, final ?? default, Sizes(blocks),
                Traits(initial.HasValue, final.HasValue, saved.HasValue, y, saved ?? default));
        }
    }

    /// <summary>Launches the backward pass; its shares of sums over heads and rows go to <paramref name="shares"/>, <see cref="BackwardShares"/> says how many.</summary>
    public void Backward(ReadOnlyView<T> gy, ReadOnlyView<T> saved, View<T> gx, int gxPitch, View<float> shares, View<float>? ginitial)
    {
        int columns = Columns(64), blocks = Blocks(columns), groups = Groups(blocks);
        SsdKernels kernels = SsdKernels.For(Precision, Shape.StateSize, columns);
        SsdShareCounts counts = BackwardShares();
        SsdOutputs<T> outputs = new()
        {
            X = gx,
            XPitch = gxPitch,
            B = shares.Slice(0, counts.Wide),
            C = shares.Slice(counts.Wide, counts.Wide),
            Delta = shares.Slice(2 * counts.Wide, counts.Delta),
            Sums = shares.Slice((2 * counts.Wide) + counts.Delta, counts.Sums),
            Initial = ginitial ?? default,
        };
        if (groups > 0)
        {
            unsafe
            {
                View<T> kept = new(saved.Address, saved.Length), output = new(gy.Address, gy.Length);
                SsdTraits traits = Traits(ginitial.HasValue, false, false, output, kept);
                bool vectors = traits.Vectors && IsMultiple(16, (nint)gx.Address, gxPitch), pairs = traits.Pairs && IsMultiple(2 * sizeof(T), (nint)gx.Address, gxPitch);
                Accelerator.Launch(kernels.Backward, new LaunchShape(groups, SsdSizes.Threads), Inputs, gy, saved, outputs, Sizes(blocks), traits with { Vectors = vectors, Pairs = pairs });
            }
        }
    }

    /// <summary>Adds the shares of b and c, of delta, and of the parameters in order.</summary>
    /// <typeparam name="TFormat">Format of the data.</typeparam>
    public void SumShares<TFormat>(ReadOnlyView<float> shares, (View<T> View, int Pitch) gdelta, (View<T> View, int Pitch) gb, (View<T> View, int Pitch) gc, View<float> ga, View<float>? gd, View<float>? gbias)
        where TFormat : struct, IElementFormat<T>
    {
        SsdShareCounts counts = BackwardShares();
        int blocks = Blocks(Columns(64)), rows = Shape.Batch * Shape.Length, width = Shape.Groups * Shape.StateSize, samples = Shape.Batch * blocks;
        Sum<TFormat>(shares.Slice(0, counts.Wide), gb, Shape.HeadsPerGroup * blocks, rows, width);
        Sum<TFormat>(shares.Slice(counts.Wide, counts.Wide), gc, Shape.HeadsPerGroup * blocks, rows, width);
        Sum<TFormat>(shares.Slice(2 * counts.Wide, counts.Delta), gdelta, blocks, rows, Shape.Heads);
        ReadOnlyView<float> sums = shares.From((2 * counts.Wide) + counts.Delta);
        Heads(sums, ga, samples);
        Heads(sums.From((long)samples * Shape.Heads), gd, samples);
        Heads(sums.From(2L * samples * Shape.Heads), gbias, samples);
    }

    /// <summary>Sizes of the buffer of shares.</summary>
    public SsdShareCounts BackwardShares()
    {
        int blocks = Blocks(Columns(64));
        long rows = (long)Shape.Batch * Shape.Length;
        return new SsdShareCounts(rows * Shape.HeadsPerGroup * blocks * Shape.Groups * Shape.StateSize, rows * blocks * Shape.Heads, 3L * Shape.Batch * blocks * Shape.Heads);
    }

    private static int Chunks(int length) => (length + SsdSizes.Chunk - 1) / SsdSizes.Chunk;

    private static bool IsMultiple(int bytes, nint address, long pitch)
    {
        unsafe
        {
            return (((nuint)address | (nuint)(pitch * sizeof(T))) % (nuint)bytes) == 0;
        }
    }

    private int Columns(int most) => Shape.HeadSize <= 16 ? 16 : Shape.HeadSize <= 32 ? 32 : most;

    private int Blocks(int columns) => (Shape.HeadSize + columns - 1) / columns;

    private int Groups(int blocks) => checked(Shape.Batch * Shape.Heads * blocks);

    private SsdSizes Sizes(int blocks) => new()
    {
        Batch = Shape.Batch,
        Length = Shape.Length,
        Heads = Shape.Heads,
        HeadsPerGroup = Shape.HeadsPerGroup,
        Chunks = Chunks(Shape.Length),
        Blocks = blocks,
        XPitch = XPitch,
        DeltaPitch = DeltaPitch,
        BPitch = BPitch,
        CPitch = CPitch,
        YPitch = Width,
        DeltaMin = (float)Shape.DeltaMin,
        DeltaMax = (float)Shape.DeltaMax,
    };

    private unsafe SsdTraits Traits(bool hasInitial, bool hasFinal, bool saves, View<T> y, View<T> saved)
    {
        nint addresses = (nint)Inputs.X.Address | (nint)Inputs.B.Address | (nint)Inputs.C.Address | (nint)y.Address | (nint)saved.Address;
        long pitches = (long)XPitch | (long)BPitch | (long)CPitch | (long)Shape.HeadSize | (long)Shape.StateSize;
        return new SsdTraits(
            Shape.HeadSize, Shape.StateSize, Shape.Reverse, Shape.Softplus, Inputs.D.Length > 0, Inputs.DeltaBias.Length > 0, Inputs.Sequences.Length > 0, Inputs.Lengths.Length > 0,
            hasInitial, hasFinal, saves, IsMultiple(16, addresses, pitches), IsMultiple(2 * sizeof(T), addresses, pitches));
    }

    private void Sum<TFormat>(ReadOnlyView<float> parts, (View<T> View, int Pitch) target, int count, int rows, int columns)
        where TFormat : struct, IElementFormat<T>
    {
        if (rows > 0)
        {
            Accelerator.Launch(
                Kernel.Of(SsdSumKernels.Rows<T, TFormat>), LaunchShape.For((long)rows * columns), parts, target.View, Inputs.Lengths, count, rows, columns, target.Pitch, Shape.Length, Inputs.Lengths.Length > 0);
        }
    }

    private void Heads(ReadOnlyView<float> parts, View<float>? target, int count)
    {
        if (target is { } sums)
        {
            Accelerator.Launch(Kernel.Of(SsdSumKernels.Heads), LaunchShape.For(Shape.Heads), parts, sums, count, Shape.Heads);
        }
    }
}

/// <summary>Elements of the shares of the backward pass.</summary>
/// <param name="Wide">Of b, and as many of c.</param>
/// <param name="Delta">Of delta.</param>
/// <param name="Sums">Of a, d and the bias together.</param>
internal readonly record struct SsdShareCounts(long Wide, long Delta, long Sums)
{
    public long All => (2 * Wide) + Delta + Sums;
}
