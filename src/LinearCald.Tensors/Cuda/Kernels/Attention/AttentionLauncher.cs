using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>Launches softmax attention. T is float for the float32 precisions, else ushort: the bits of the 16-bit floats.</summary>
internal static unsafe class AttentionLauncher
{
    /// <summary>y and lse [Batch, Heads, QueryLength] (natural logarithm; −∞ for rows that see no key, whose y is 0).</summary>
    /// <param name="lengths">Valid keys of each sample, clamped to 0 … KeyLength; null: all.</param>
    /// <param name="rest">Takes what rounding took from y, for the gradients; of 16-bit data.</param>
    /// <param name="tile">How warpgroups compute it; null: as is best, on warpgroups or not.</param>
    public static void Forward<T>(
        Accelerator accelerator, in AttentionProblem problem, ReadOnlyView<T> q, ReadOnlyView<T> k, ReadOnlyView<T> v, ReadOnlyView<int>? lengths, View<T> y, View<float> lse, View<T>? rest = null,
        WarpgroupFlashTile? tile = null)
        where T : unmanaged
    {
        problem.Check();
        View<T> rests = rest ?? default;
        nint addresses = (nint)q.Address | (nint)k.Address | (nint)v.Address | (nint)y.Address | (nint)rests.Address;
        if ((tile ?? WarpgroupFlash.TileOf(problem, accelerator.Limits, addresses)) is { } chosen)
        {
            WarpgroupFlash.Forward(accelerator, problem, chosen, q.As<ushort>(), k.As<ushort>(), v.As<ushort>(), lengths, y.As<ushort>(), lse, rest?.As<ushort>());
            return;
        }

        FlashKernels kernels = FlashKernels.For(problem.Precision, problem.HeadSize);
        if (TryShape(problem, problem.QueryLength, kernels.ForwardQueries, out LaunchShape shape))
        {
            accelerator.Launch(kernels.Forward, shape, q, k, v, lengths ?? default, y, rests, lse, problem.Sizes, problem.Traits(lengths.HasValue, addresses) with { HasRest = rest.HasValue });
        }
    }

    /// <summary>Gradients of queries, keys and values, overwritten; those of hidden keys are 0. y, lse and rest are the forward pass's.</summary>
    /// <param name="warpgroups">Whether warpgroups compute it; null: as is best.</param>
    public static void Backward<T>(
        Accelerator accelerator, in AttentionProblem problem, ReadOnlyView<T> q, ReadOnlyView<T> k, ReadOnlyView<T> v, ReadOnlyView<int>? lengths, ReadOnlyView<T> y, ReadOnlyView<float> lse,
        ReadOnlyView<T> gy, View<T> gq, View<T> gk, View<T> gv, ReadOnlyView<T>? rest = null, bool? warpgroups = null)
        where T : unmanaged
    {
        problem.Check();
        FlashKernels kernels = FlashKernels.For(problem.Precision, problem.HeadSize);
        AttentionSizes sizes = problem.Sizes;
        nint addresses = (nint)q.Address | (nint)k.Address | (nint)v.Address | (nint)y.Address | (nint)gy.Address | (nint)gq.Address | (nint)gk.Address | (nint)gv.Address;
        AttentionTraits traits = problem.Traits(lengths.HasValue, addresses);
        ReadOnlyView<int> keyLengths = lengths ?? default;
        int rows = checked(problem.Batch * problem.Heads * problem.QueryLength);
        using DeviceBuffer<float> dots = accelerator.Allocate<float>(rows, "attention's row dots");
        if (rows > 0)
        {
            ReadOnlyView<T> rests = rest ?? default;
            AttentionTraits wide = problem.Traits(lengths.HasValue, addresses | (nint)rests.Address) with { HasRest = rest.HasValue };
            accelerator.Launch(kernels.RowDots, LaunchShape.For((long)rows * FlashRowDots.Lanes), y, rests, gy, dots.View, rows, sizes, wide);
        }

        if (warpgroups ?? (WarpgroupFlash.TileOf(problem, accelerator.Limits, addresses) is not null && WarpgroupFlash.CanTakeBackward(problem)))
        {
            WarpgroupFlash.Backward(
                accelerator, problem, q.As<ushort>(), k.As<ushort>(), v.As<ushort>(), lengths, lse, dots.ReadOnly, gy.As<ushort>(), gq.As<ushort>(), gk.As<ushort>(), gv.As<ushort>());
            return;
        }

        if (TryShape(problem, problem.QueryLength, kernels.QueryGradientQueries, out LaunchShape shape))
        {
            accelerator.Launch(kernels.QueryGradient, shape, q, k, v, keyLengths, lse, dots.View, gy, gq, sizes, traits);
        }

        if (TryShape(problem, problem.KeyLength, kernels.KeyGradientKeys, out shape))
        {
            ReadOnlySpan<KeyGradientPart> parts = kernels.PartByPart ? [KeyGradientPart.Keys, KeyGradientPart.Values] : [KeyGradientPart.Both];
            foreach (KeyGradientPart part in parts)
            {
                accelerator.Launch(kernels.KeyGradient, shape, q, k, v, keyLengths, lse, dots.ReadOnly, gy, gk, gv, sizes, traits, part);
            }
        }
    }

    private static bool TryShape(in AttentionProblem problem, int length, int rows, out LaunchShape shape)
    {
        long groups = (long)problem.Batch * problem.Heads * ((length + rows - 1) / rows);
        shape = new LaunchShape(checked((int)groups), FlashKernels.Threads);
        return groups > 0;
    }
}
