namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>The factors of an AdamW update as kernels use them: computed in float64 on the host or by <see cref="SumOfSquaresKernels.Finish"/>, rounded once.</summary>
internal readonly struct AdamWCoefficients
{
    /// <summary>1 − lr · decay.</summary>
    public readonly float Shrink;

    /// <summary>β₁.</summary>
    public readonly float Beta1;

    /// <summary>(1 − β₁) times the gradient's scale.</summary>
    public readonly float Into1;

    /// <summary>β₂.</summary>
    public readonly float Beta2;

    /// <summary>√(1 − β₂) times the gradient's scale: squared, it multiplies g², and does not underflow as that might.</summary>
    public readonly float Into2;

    /// <summary>−lr / (1 − β₁ᵗ).</summary>
    public readonly float Move;

    /// <summary>1 / √(1 − β₂ᵗ).</summary>
    public readonly float Unbias;

    /// <summary>ε.</summary>
    public readonly float Epsilon;

    /// <param name="step">The update's numbers.</param>
    public AdamWCoefficients(in AdamWStep step)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(step.Step, 1);
        Shrink = (float)(1 - (step.LearningRate * step.WeightDecay));
        Beta1 = (float)step.Beta1;
        Into1 = (float)((1 - step.Beta1) * step.GradientScale);
        Beta2 = (float)step.Beta2;
        Into2 = (float)(Math.Sqrt(1 - step.Beta2) * step.GradientScale);
        Move = (float)(-step.LearningRate / (1 - Math.Pow(step.Beta1, step.Step)));
        Unbias = (float)(1 / Math.Sqrt(1 - Math.Pow(step.Beta2, step.Step)));
        Epsilon = (float)step.Epsilon;
    }

    public AdamWCoefficients(float shrink, float beta1, float into1, float beta2, float into2, float move, float unbias, float epsilon)
    {
        Shrink = shrink;
        Beta1 = beta1;
        Into1 = into1;
        Beta2 = beta2;
        Into2 = into2;
        Move = move;
        Unbias = unbias;
        Epsilon = epsilon;
    }
}
