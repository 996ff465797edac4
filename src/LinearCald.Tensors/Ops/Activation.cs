namespace LinearCald.Tensors.Ops;

/// <summary>Elementwise functions, alone (<see cref="ElementwiseOperation"/>) or fused behind a linear map.</summary>
public enum Activation
{
    None,

    /// <summary>x Φ(x) with the exact error function (Hendrycks and Gimpel 2016); HuggingFace's <c>gelu</c>.</summary>
    GeluErf,

    /// <summary>The tanh approximation of GELU; HuggingFace's <c>gelu_new</c>.</summary>
    GeluTanh,

    /// <summary>x · sigmoid(x), also called swish.</summary>
    Silu,
    Relu,
    Tanh,
    Sigmoid,
    Exp,
    Log,
    Sqrt,
    Square,

    /// <summary>log(1 + eˣ), linear where that is exact.</summary>
    Softplus,
}

/// <summary>Facts about <see cref="Activation"/>.</summary>
internal static class ActivationRule
{
    /// <summary>Whether the gradient is taken from the function's value (true) or from its argument.</summary>
    public static bool SavesOutput(this Activation f) => f is Activation.Relu or Activation.Tanh or Activation.Sigmoid or Activation.Exp or Activation.Sqrt;
}

/// <summary>Arithmetic of two tensors.</summary>
public enum BinaryKind
{
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// <summary>How a loss over rows becomes one number.</summary>
public enum Reduction
{
    Mean,
    Sum,
}
