namespace LinearCald.Tensors;

/// <summary>The kernels of an optimiser step; not recorded.</summary>
public static class OptimiserKernels
{
    /// <summary>Adds Σ x² to a float64 tensor of one element, in an order fixed by the shape.</summary>
    public static void AddSumOfSquaresTo(this Tensor x, Tensor total)
    {
        ArgumentNullException.ThrowIfNull(x);
        x.Device.Backend.AddSumOfSquares(x, total);
    }

    /// <summary>One update in place; m and v have the parameter's shape.</summary>
    public static void UpdateAdamW(this Tensor parameter, Tensor gradient, Tensor m, Tensor v, in AdamWStep step)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        Ops.Check.SameShape("AdamW", parameter, gradient);
        Ops.Check.SameShape("AdamW", parameter, m);
        Ops.Check.SameShape("AdamW", parameter, v);
        parameter.Device.Backend.AdamW(parameter, gradient, m, v, step);
    }

    /// <summary>
    /// Updates many tensors in one step without waiting for the device: total[1] (float64) becomes Σ g² over <paramref name="slots"/> and <paramref name="others"/>; where
    /// √total · GradientScale exceeds <paramref name="clipNorm"/> gradients are scaled down to it (by clipNorm / (norm + 1e-6)), and where the total is not finite
    /// nothing is changed but <paramref name="leftOut"/>.
    /// </summary>
    /// <param name="slots">What to update; the same list from step to step lets a device keep its tables.</param>
    /// <param name="others">Gradients that count in the norm but belong to no slot (frozen parameters).</param>
    /// <param name="step">The numbers of the update; WeightDecay goes to the slots that decay. Step counts the updates of <paramref name="leftOut"/>, too.</param>
    /// <param name="clipNorm">Infinity does not clip.</param>
    /// <param name="total">float64 [1].</param>
    /// <param name="leftOut">float64 [1]: updates that did not take place, one more if this one does not; the bias correction goes by those that did.</param>
    public static void UpdateAdamW(this IReadOnlyList<AdamWSlot> slots, IReadOnlyList<Tensor> others, in AdamWStep step, double clipNorm, Tensor total, Tensor leftOut)
    {
        ArgumentNullException.ThrowIfNull(slots);
        ArgumentNullException.ThrowIfNull(total);
        ArgumentNullException.ThrowIfNull(leftOut);
        foreach (AdamWSlot slot in slots)
        {
            Ops.Check.SameShape("AdamW", slot.Parameter, slot.Gradient);
            Ops.Check.SameShape("AdamW", slot.Parameter, slot.Mean);
            Ops.Check.SameShape("AdamW", slot.Parameter, slot.Square);
        }

        total.Device.Backend.AdamWAll(slots, others, step, clipNorm, total, leftOut);
    }
}
