namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>y = f(x), element by element.</summary>
internal interface IMapOperator
{
    /// <param name="x">The element.</param>
    /// <param name="p">First number of the launch, for operators that have one.</param>
    /// <param name="q">Second number of the launch.</param>
    static abstract float Apply(float x, float p, float q);
}

/// <summary>y = f(a, b), element by element. A gradient is one too: of what the forward saved and of the gradient of its output.</summary>
internal interface IZipOperator
{
    /// <param name="a">The first input; in a gradient, what was saved.</param>
    /// <param name="b">The second input; in a gradient, the gradient of the output.</param>
    static abstract float Apply(float a, float b);
}

/// <summary>p·x + q, rounded once.</summary>
internal readonly struct AffineMap : IMapOperator
{
    public static float Apply(float x, float p, float q) => MathF.FusedMultiplyAdd(x, p, q);
}

/// <summary>p·x.</summary>
internal readonly struct ScaleMap : IMapOperator
{
    public static float Apply(float x, float p, float q) => x * p;
}

/// <summary>a + b.</summary>
internal readonly struct AddZip : IZipOperator
{
    public static float Apply(float a, float b) => a + b;
}

/// <summary>a − b.</summary>
internal readonly struct SubtractZip : IZipOperator
{
    public static float Apply(float a, float b) => a - b;
}

/// <summary>a · b.</summary>
internal readonly struct MultiplyZip : IZipOperator
{
    public static float Apply(float a, float b) => a * b;
}

/// <summary>a / b.</summary>
internal readonly struct DivideZip : IZipOperator
{
    public static float Apply(float a, float b) => a / b;
}
