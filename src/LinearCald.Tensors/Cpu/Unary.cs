using System.Numerics;

namespace LinearCald.Tensors.Cpu;

/// <summary>The functions of one argument that have a kernel.</summary>
internal enum UnaryKind
{
    Gelu,
    GeluTanh,
    Silu,
    Relu,
    Tanh,
    Sigmoid,
    Exp,
    Log,
    Sqrt,
    Negate,
    Square,
    Softplus,
}

/// <summary>Elementwise functions of one argument and their gradients. One read and one write an element (the gradient: two reads, one write).</summary>
internal static unsafe class Unary
{
    /// <summary>True where <see cref="Backward"/> wants the forward's output, false where it wants its input.</summary>
    public static bool SavesOutput(UnaryKind kind) => kind is UnaryKind.Relu or UnaryKind.Tanh or UnaryKind.Sigmoid or UnaryKind.Exp or UnaryKind.Sqrt;

    /// <summary>y[i] = f(x[i]); y may be x.</summary>
    public static void Forward<T>(UnaryKind kind, T* x, T* y, long count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        switch (kind)
        {
            case UnaryKind.Gelu: Map(x, y, count, default(Gelu<T>)); break;
            case UnaryKind.GeluTanh: Map(x, y, count, default(GeluTanh<T>)); break;
            case UnaryKind.Silu: Map(x, y, count, default(Silu<T>)); break;
            case UnaryKind.Relu: Map(x, y, count, default(Relu<T>)); break;
            case UnaryKind.Tanh: Map(x, y, count, default(Tanh<T>)); break;
            case UnaryKind.Sigmoid: Map(x, y, count, default(Sigmoid<T>)); break;
            case UnaryKind.Exp: Map(x, y, count, default(Exp<T>)); break;
            case UnaryKind.Log: Map(x, y, count, default(Log<T>)); break;
            case UnaryKind.Sqrt: Map(x, y, count, default(Sqrt<T>)); break;
            case UnaryKind.Negate: Map(x, y, count, default(Negate<T>)); break;
            case UnaryKind.Square: Map(x, y, count, default(Square<T>)); break;
            case UnaryKind.Softplus: Map(x, y, count, default(Softplus<T>)); break;
            default: throw new ArgumentOutOfRangeException(nameof(kind), kind, "no such function");
        }
    }

    /// <summary>dx[i] = f′(x[i])·dy[i], or added to dx[i]. dx may be dy when not accumulating.</summary>
    /// <param name="saved">The forward's output where <see cref="SavesOutput"/>, else its input.</param>
    public static void Backward<T>(UnaryKind kind, T* saved, T* dy, T* dx, long count, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        switch (kind)
        {
            case UnaryKind.Gelu: Zip(saved, dy, dx, count, accumulate, default(GeluGradient<T>)); break;
            case UnaryKind.GeluTanh: Zip(saved, dy, dx, count, accumulate, default(GeluTanhGradient<T>)); break;
            case UnaryKind.Silu: Zip(saved, dy, dx, count, accumulate, default(SiluGradient<T>)); break;
            case UnaryKind.Relu: Zip(saved, dy, dx, count, accumulate, default(ReluGradient<T>)); break;
            case UnaryKind.Tanh: Zip(saved, dy, dx, count, accumulate, default(TanhGradient<T>)); break;
            case UnaryKind.Sigmoid: Zip(saved, dy, dx, count, accumulate, default(SigmoidGradient<T>)); break;
            case UnaryKind.Exp: Zip(saved, dy, dx, count, accumulate, default(ExpGradient<T>)); break;
            case UnaryKind.Log: Zip(saved, dy, dx, count, accumulate, default(LogGradient<T>)); break;
            case UnaryKind.Sqrt: Zip(saved, dy, dx, count, accumulate, default(SqrtGradient<T>)); break;
            case UnaryKind.Negate: Zip(saved, dy, dx, count, accumulate, default(NegateGradient<T>)); break;
            case UnaryKind.Square: Zip(saved, dy, dx, count, accumulate, default(SquareGradient<T>)); break;
            case UnaryKind.Softplus: Zip(saved, dy, dx, count, accumulate, default(SoftplusGradient<T>)); break;
            default: throw new ArgumentOutOfRangeException(nameof(kind), kind, "no such function");
        }
    }

    /// <summary>y[i] = scale·x[i] + shift; y may be x.</summary>
    public static void Affine<T>(T* x, T scale, T shift, T* y, long count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (shift == T.Zero)
        {
            Map(x, y, count, new Scale<T>(scale));
        }
        else
        {
            Map(x, y, count, new Affine<T>(scale, shift));
        }
    }

    /// <summary>y[i] = f(x[i]) for any operator.</summary>
    public static void Map<T, TOperator>(T* x, T* y, long count, TOperator f)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TOperator : struct, IUnaryOperator<T> =>
        ParallelLoop.For<T, MapBody<T, TOperator>>(count, new(x, y, f));

    private static void Zip<T, TOperator>(T* saved, T* dy, T* dx, long count, bool accumulate, TOperator f)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TOperator : struct, IBinaryOperator<T>
    {
        if (accumulate)
        {
            ParallelLoop.For<T, ZipAddBody<T, TOperator>>(count, new(saved, dy, dx, f));
        }
        else
        {
            ParallelLoop.For<T, ZipBody<T, TOperator>>(count, new(saved, dy, dx, f));
        }
    }
}
