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

    /// <summary>What the forward pass keeps for the backward pass: the state on entry of every chunk, [N, P].</summary>
    public static Shape SavedShape(in SsdShape shape) => new(checked(shape.Batch * shape.Heads), Chunks(shape.Length), shape.StateSize, shape.HeadSize);

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

    /// <summary>
    /// All gradients, each overwritten. What is summed over heads passes through <paramref name="shares"/>: as many rows of the batch at a time as there is room for.
    /// </summary>
    /// <typeparam name="TFormat">Format of the data.</typeparam>
    /// <param name="shares">As many as <see cref="Shares"/> says.</param>
    /// <param name="batches">Rows of the batch at a time, that <see cref="Shares"/> was asked for.</param>
    public void Backward<TFormat>(
        ReadOnlyView<T> gy, ReadOnlyView<T> saved, View<float> shares, int batches, in SsdRows<T> gx, in SsdRows<T> gdelta, in SsdRows<T> gb, in SsdRows<T> gc, View<float> ga, View<float>? gd, View<float>? gbias,
        View<float>? ginitial)
        where TFormat : struct, IElementFormat<T>
    {
        int columns = Columns(64), blocks = Blocks(columns), width = Shape.Groups * Shape.StateSize, samples = Shape.Batch * blocks;
        SsdKernels kernels = SsdKernels.For(Precision, Shape.StateSize, columns);
        SsdTraits traits = BackwardTraits(gy, saved, in gx, ginitial.HasValue);
        View<float> sums = shares.Slice(0, 3L * samples * Shape.Heads);
        for (int first = 0; first < Shape.Batch && Shape.Length > 0; first += batches)
        {
            int count = Math.Min(batches, Shape.Batch - first), rows = count * Shape.Length;
            long wide = (long)rows * Shape.HeadsPerGroup * blocks * width, at = SumsRoom(blocks);
            SsdOutputs<T> outputs = new()
            {
                X = gx.View,
                XPitch = gx.Pitch,
                B = shares.Slice(at, wide),
                C = shares.Slice(at + wide, wide),
                Delta = shares.Slice(at + (2 * wide), (long)rows * blocks * Shape.Heads),
                Sums = sums,
                Initial = ginitial ?? default,
            };
            Accelerator.Launch(
                kernels.Backward, new LaunchShape(checked(count * Shape.Heads * blocks), SsdSizes.Threads), Inputs, gy, saved, outputs, Sizes(blocks) with { FirstBatch = first, Batches = count }, traits);
            Sum<TFormat>(outputs.B, in gb, first, Shape.HeadsPerGroup * blocks, rows, width);
            Sum<TFormat>(outputs.C, in gc, first, Shape.HeadsPerGroup * blocks, rows, width);
            Sum<TFormat>(outputs.Delta, in gdelta, first, blocks, rows, Shape.Heads);
        }

        int summed = Shape.Length > 0 ? samples : 0; // nothing was written for rows without positions
        Heads(sums, ga, summed);
        Heads(sums.From((long)samples * Shape.Heads), gd, summed);
        Heads(sums.From(2L * samples * Shape.Heads), gbias, summed);
    }

    /// <summary>Elements of the shares of sums that a backward pass over <paramref name="batches"/> rows of the batch at a time needs.</summary>
    public long Shares(int batches)
    {
        int blocks = Blocks(Columns(64));
        return SumsRoom(blocks) + (batches * SharesOfRow(blocks));
    }

    /// <summary>How many rows of the batch at a time fit into <paramref name="elements"/> shares; one at least.</summary>
    public int BatchesWithin(long elements) => (int)Math.Clamp(elements / Math.Max(1, SharesOfRow(Blocks(Columns(64)))), 1, Math.Max(1, Shape.Batch));

    private static int Chunks(int length) => (length + SsdSizes.Chunk - 1) / SsdSizes.Chunk;

    private static bool IsMultiple(int bytes, nint address, long pitch)
    {
        unsafe
        {
            return (((nuint)address | (nuint)(pitch * sizeof(T))) % (nuint)bytes) == 0;
        }
    }

    // in whole 16 bytes: what lies behind is written in pairs
    private long SumsRoom(int blocks) => ((3L * Shape.Batch * blocks * Shape.Heads) + 3) & ~3L;

    private long SharesOfRow(int blocks) => (long)Shape.Length * blocks * ((2L * Shape.HeadsPerGroup * Shape.Groups * Shape.StateSize) + Shape.Heads);

    private unsafe SsdTraits BackwardTraits(ReadOnlyView<T> gy, ReadOnlyView<T> saved, in SsdRows<T> gx, bool hasInitial)
    {
        SsdTraits traits = Traits(hasInitial, false, false, new View<T>(gy.Address, gy.Length), new View<T>(saved.Address, saved.Length));
        return traits with
        {
            Vectors = traits.Vectors && IsMultiple(16, (nint)gx.View.Address, gx.Pitch),
            Pairs = traits.Pairs && IsMultiple(2 * sizeof(T), (nint)gx.View.Address, gx.Pitch),
        };
    }

    private int Columns(int most) => Shape.HeadSize <= 16 ? 16 : Shape.HeadSize <= 32 ? 32 : most;

    private int Blocks(int columns) => (Shape.HeadSize + columns - 1) / columns;

    private int Groups(int blocks) => checked(Shape.Batch * Shape.Heads * blocks);

    private SsdSizes Sizes(int blocks) => new()
    {
        Batch = Shape.Batch,
        Batches = Shape.Batch,
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

    private void Sum<TFormat>(ReadOnlyView<float> parts, in SsdRows<T> target, int firstBatch, int count, int rows, int columns)
        where TFormat : struct, IElementFormat<T>
    {
        bool hasLengths = Inputs.Lengths.Length > 0;
        Accelerator.Launch(
            SumKernel<TFormat>.Instance, LaunchShape.For((long)rows * columns), parts, target.View.From((long)firstBatch * Shape.Length * target.Pitch), hasLengths ? Inputs.Lengths.From(firstBatch) : default,
            count, rows, columns, target.Pitch, Shape.Length, hasLengths);
    }

    private void Heads(ReadOnlyView<float> parts, View<float>? target, int count)
    {
        if (target is { } sums)
        {
            Accelerator.Launch(SsdKernels.SumHeads, LaunchShape.For(Shape.Heads), parts, sums, count, Shape.Heads);
        }
    }

    private static class SumKernel<TFormat>
        where TFormat : struct, IElementFormat<T>
    {
        public static readonly Kernel Instance = Kernel.Of(SsdSumKernels.Rows<T, TFormat>);
    }
}

/// <summary>Rows at a pitch.</summary>
internal readonly record struct SsdRows<T>(View<T> View, int Pitch)
    where T : unmanaged;
