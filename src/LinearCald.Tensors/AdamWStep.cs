namespace LinearCald.Tensors;

/// <summary>
/// The numbers of one AdamW update (Loshchilov and Hutter 2019, as PyTorch computes it): p ← p (1 − lr·decay); m ← β₁ m + (1 − β₁) g; v ← β₂ v + (1 − β₂) g²;
/// p ← p − lr/(1 − β₁ᵗ) · m / (√(v/(1 − β₂ᵗ)) + ε), with g the gradient times <paramref name="GradientScale"/>.
/// </summary>
/// <param name="LearningRate">lr.</param>
/// <param name="Beta1">Decay of the first moment.</param>
/// <param name="Beta2">Decay of the second moment.</param>
/// <param name="Epsilon">ε.</param>
/// <param name="WeightDecay">decay.</param>
/// <param name="GradientScale">Folds clipping and loss scaling into the update.</param>
/// <param name="Step">t, counted from 1.</param>
public readonly record struct AdamWStep(
    double LearningRate, double Beta1, double Beta2, double Epsilon, double WeightDecay, double GradientScale, long Step);

/// <summary>One tensor of an optimiser step over many.</summary>
/// <param name="Parameter">Updated in place; float32, contiguous.</param>
/// <param name="Gradient">Of the parameter's shape.</param>
/// <param name="Mean">m.</param>
/// <param name="Square">v.</param>
/// <param name="Decays">Whether <see cref="AdamWStep.WeightDecay"/> applies to it.</param>
public readonly record struct AdamWSlot(Tensor Parameter, Tensor Gradient, Tensor Mean, Tensor Square, bool Decays);
