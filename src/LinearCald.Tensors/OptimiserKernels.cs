namespace LinearCald.Tensors;

/// <summary>The two kernels of an optimiser step; not recorded.</summary>
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
}
