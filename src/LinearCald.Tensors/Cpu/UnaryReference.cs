namespace LinearCald.Tensors.Cpu;

/// <summary>The plain twin of <see cref="Unary"/>: one number at a time, in float64.</summary>
internal static class UnaryReference
{
    /// <summary>f(x).</summary>
    public static double Forward(UnaryKind kind, double x) => kind switch
    {
        UnaryKind.Gelu => 0.5 * x * (1 + VectorMath.Erf(x / Math.Sqrt(2))),
        UnaryKind.GeluTanh => 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x)))),
        UnaryKind.Silu => x / (1 + Math.Exp(-x)),
        UnaryKind.Relu => Math.Max(x, 0),
        UnaryKind.Tanh => Math.Tanh(x),
        UnaryKind.Sigmoid => 1 / (1 + Math.Exp(-x)),
        UnaryKind.Exp => Math.Exp(x),
        UnaryKind.Log => Math.Log(x),
        UnaryKind.Sqrt => Math.Sqrt(x),
        UnaryKind.Negate => -x,
        UnaryKind.Square => x * x,
        UnaryKind.Softplus => Math.Max(x, 0) + Math.Log(1 + Math.Exp(-Math.Abs(x))),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "no such function"),
    };
}
