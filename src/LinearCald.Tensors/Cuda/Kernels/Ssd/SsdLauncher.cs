using LinearCald.Gpu;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>One call of the scan on the device. T is float for the float32 precisions, else ushort: the bits of the 16-bit floats.</summary>
/// <param name="Accelerator">Where.</param>
/// <param name="Shape">The sizes; its chunk is not used, the kernels have their own.</param>
/// <param name="Precision">Of the products; says what the data are.</param>
/// <param name="Inputs">The tensors.</param>
/// <param name="Segments">Parts that rows are cut into, or 0 to choose by the sizes.</param>
/// <param name="XPitch">Elements from one position of x to the next, as the other three.</param>
internal readonly record struct SsdLauncher<T>(
    Accelerator Accelerator, SsdShape Shape, GemmPrecision Precision, SsdInputs<T> Inputs, int Segments, int XPitch, int DeltaPitch, int BPitch, int CPitch)
    where T : unmanaged
{
    private static unsafe bool Is16Bit => sizeof(T) == 2;

    private int Width => Shape.Heads * Shape.HeadSize;

    /// <summary>What the forward pass keeps for the backward pass: the state on entry of every chunk, [N, P].</summary>
    public static Shape SavedShape(in SsdShape shape) => new(checked(shape.Batch * shape.Heads), SsdSizes.ChunksOf(shape.Length), shape.StateSize, shape.HeadSize);

    /// <summary>How the forward pass is dealt out.</summary>
    public SsdPlan ForwardPlan() => SsdPlan.Forward(Shape, Is16Bit, Accelerator.Limits.Multiprocessors, Segments);

    /// <summary>How the backward pass over <paramref name="batches"/> rows of the batch at a time is dealt out.</summary>
    public SsdPlan BackwardPlan(int batches) => SsdPlan.Backward(Shape, batches, Is16Bit, Accelerator.Limits.Multiprocessors, Segments);

    /// <summary>y, contiguous, and where they are given the kept states and the final state.</summary>
    /// <param name="room">For what segments hand on, as much as <see cref="ForwardPlan"/> says.</param>
    /// <param name="initial">May be <paramref name="final"/> where there is one segment.</param>
    public void Forward(View<T> y, View<T>? saved, View<float>? initial, View<float>? final, in SsdPlan plan, View<float> room)
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

        SsdKernels kernels = SsdKernels.For(Precision, Shape.StateSize, plan.Columns);
        SsdSizes sizes = Sizes(plan.Blocks) with { Segments = plan.Segments };
        if (sizes.Teams > 0)
        {
            SsdTraits traits = Traits(initial.HasValue, final.HasValue, saved.HasValue, y, saved ?? default) with { IsCut = plan.Segments > 1 };
            SsdCarry carry = plan.Carry(room, Shape, Shape.Batch);
            Ends(kernels, default, carry, sizes, traits, adjoint: false);
            Accelerator.Launch(kernels.Forward, GroupsOf(sizes, plan.Segments), Inputs, y, saved ?? default, initial ?? default, final ?? default, carry, sizes, traits);
        }
    }

    /// <summary>
    /// All gradients, each overwritten. What is summed over heads passes through <paramref name="shares"/>: as many rows of the batch at a time as there is room for.
    /// </summary>
    /// <typeparam name="TFormat">Format of the data.</typeparam>
    /// <param name="shares">As many as <see cref="Shares"/> says.</param>
    /// <param name="batches">Rows of the batch at a time, that <see cref="Shares"/> was asked for.</param>
    /// <param name="room">For what segments hand on, as much as <paramref name="plan"/> says.</param>
    public void Backward<TFormat>(
        ReadOnlyView<T> gy, ReadOnlyView<T> saved, View<float> shares, int batches, in SsdPlan plan, View<float> room, in SsdRows<T> gx, in SsdRows<T> gdelta, in SsdRows<T> gb, in SsdRows<T> gc, View<float> ga,
        View<float>? gd, View<float>? gbias, View<float>? ginitial)
        where TFormat : struct, IElementFormat<T>
    {
        int blocks = plan.Blocks, width = Shape.Groups * Shape.StateSize, samples = Shape.Batch * blocks * plan.Segments;
        SsdKernels kernels = SsdKernels.For(Precision, Shape.StateSize, plan.Columns);
        SsdTraits traits = BackwardTraits(gy, saved, in gx, ginitial.HasValue) with { IsCut = plan.Segments > 1 };
        View<float> sums = shares.Slice(0, 3L * samples * Shape.Heads);
        for (int first = 0; first < Shape.Batch && Shape.Length > 0; first += batches)
        {
            int count = Math.Min(batches, Shape.Batch - first), rows = count * Shape.Length;
            long wide = (long)rows * Shape.HeadsPerGroup * blocks * width, at = SumsRoom(in plan);
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
            SsdSizes sizes = Sizes(blocks) with { FirstBatch = first, Batches = count, Segments = plan.Segments };
            SsdCarry carry = plan.Carry(room, Shape, count);
            Ends(kernels, gy, carry, sizes, traits, adjoint: true);
            Accelerator.Launch(kernels.Backward, GroupsOf(sizes, plan.Segments), Inputs, gy, saved, outputs, carry, sizes, traits);
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
    public long Shares(int batches, in SsdPlan plan) => SumsRoom(in plan) + (batches * SharesOfRow(plan.Blocks));

    /// <summary>How many rows of the batch at a time fit into <paramref name="elements"/> shares; one at least.</summary>
    public int BatchesWithin(long elements) => (int)Math.Clamp(elements / Math.Max(1, SharesOfRow(BackwardPlan(1).Blocks)), 1, Math.Max(1, Shape.Batch));

    private static LaunchShape GroupsOf(in SsdSizes sizes, int turns) => new(checked(sizes.Teams * turns), SsdSizes.Threads);

    private static bool IsMultiple(int bytes, nint address, long pitch)
    {
        unsafe
        {
            return (((nuint)address | (nuint)(pitch * sizeof(T))) % (nuint)bytes) == 0;
        }
    }

    // in whole 16 bytes: what lies behind is written in pairs
    private long SumsRoom(in SsdPlan plan) => ((3L * Shape.Batch * plan.Blocks * plan.Segments * Shape.Heads) + 3) & ~3L;

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

    // the first pass over rows that are cut
    private void Ends(SsdKernels kernels, ReadOnlyView<T> gy, SsdCarry carry, SsdSizes sizes, SsdTraits traits, bool adjoint)
    {
        if (sizes.Segments > 1)
        {
            SsdTraits needed = traits with { HasD = false, HasInitial = false, HasFinal = false, Saves = false, Pairs = false };
            Accelerator.Launch(kernels.Ends, GroupsOf(sizes, sizes.Segments - 1), Inputs, gy, carry, sizes, needed, adjoint);
        }
    }

    private SsdSizes Sizes(int blocks) => new()
    {
        Batch = Shape.Batch,
        Batches = Shape.Batch,
        Length = Shape.Length,
        Heads = Shape.Heads,
        HeadsPerGroup = Shape.HeadsPerGroup,
        Chunks = SsdSizes.ChunksOf(Shape.Length),
        Blocks = blocks,
        Segments = 1,
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
            hasInitial, hasFinal, saves, false, IsMultiple(16, addresses, pitches), IsMultiple(2 * sizeof(T), addresses, pitches));
    }

    private unsafe void Sum<TFormat>(ReadOnlyView<float> parts, in SsdRows<T> target, int firstBatch, int count, int rows, int columns)
        where TFormat : struct, IElementFormat<T>
    {
        bool hasLengths = Inputs.Lengths.Length > 0, vectors = IsMultiple(16, (nint)parts.Address | (nint)target.View.Address, (long)target.Pitch | (long)columns);
        Accelerator.Launch(
            SumKernel<TFormat>.Instance, LaunchShape.For((long)rows * columns / (vectors ? TFormat.Lanes : 1)), parts, target.View.From((long)firstBatch * Shape.Length * target.Pitch),
            hasLengths ? Inputs.Lengths.From(firstBatch) : default, count, rows, columns, target.Pitch, Shape.Length, hasLengths, vectors);
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
