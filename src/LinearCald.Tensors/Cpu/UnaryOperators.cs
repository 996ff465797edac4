using System.Numerics;
using System.Runtime.CompilerServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>x·Φ(x) = x/2·(1 + erf(x/√2)).</summary>
internal readonly struct Gelu<T> : IUnaryOperator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TV Apply<TV>(TV x)
        where TV : unmanaged, ISimd<TV, T>
    {
        TV half = x * TV.Of(0.5);
        return TV.Fma(half, VectorMath.Erf<TV, T>(x * TV.Of(0.70710678118654752)), half);
    }
}

/// <summary>x/2·(1 + tanh u) with u = √(2/π)·(x + 0.044715·x³), written as x·σ(2u).</summary>
internal readonly struct GeluTanh<T> : IUnaryOperator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>2·√(2/π).</summary>
    public const double TwiceRoot = 1.5957691216057308;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TV Apply<TV>(TV x)
        where TV : unmanaged, ISimd<TV, T>
    {
        TV inner = TV.Fma(x * x, TV.Of(0.044715 * TwiceRoot), TV.Of(TwiceRoot));
        return x * VectorMath.Sigmoid<TV, T>(x * inner);
    }
}

/// <summary>x·σ(x).</summary>
internal readonly struct Silu<T> : IUnaryOperator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TV Apply<TV>(TV x)
        where TV : unmanaged, ISimd<TV, T> => x / (TV.Of(1.0) + VectorMath.Exp<TV, T>(-x));
}

/// <summary>max(x, 0); NaN stays.</summary>
internal readonly struct Relu<T> : IUnaryOperator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TV Apply<TV>(TV x)
        where TV : unmanaged, ISimd<TV, T> => TV.MaxNative(TV.Of(0.0), x);
}

/// <summary>tanh x.</summary>
internal readonly struct Tanh<T> : IUnaryOperator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TV Apply<TV>(TV x)
        where TV : unmanaged, ISimd<TV, T> => VectorMath.Tanh<TV, T>(x);
}

/// <summary>σ(x) = 1 / (1 + e^−x).</summary>
internal readonly struct Sigmoid<T> : IUnaryOperator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TV Apply<TV>(TV x)
        where TV : unmanaged, ISimd<TV, T> => VectorMath.Sigmoid<TV, T>(x);
}

/// <summary>e^x.</summary>
internal readonly struct Exp<T> : IUnaryOperator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TV Apply<TV>(TV x)
        where TV : unmanaged, ISimd<TV, T> => VectorMath.Exp<TV, T>(x);
}

/// <summary>Natural logarithm.</summary>
internal readonly struct Log<T> : IUnaryOperator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TV Apply<TV>(TV x)
        where TV : unmanaged, ISimd<TV, T> => VectorMath.Log<TV, T>(x);
}

/// <summary>√x.</summary>
internal readonly struct Sqrt<T> : IUnaryOperator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TV Apply<TV>(TV x)
        where TV : unmanaged, ISimd<TV, T> => TV.Sqrt(x);
}

/// <summary>−x.</summary>
internal readonly struct Negate<T> : IUnaryOperator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TV Apply<TV>(TV x)
        where TV : unmanaged, ISimd<TV, T> => -x;
}

/// <summary>x².</summary>
internal readonly struct Square<T> : IUnaryOperator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TV Apply<TV>(TV x)
        where TV : unmanaged, ISimd<TV, T> => x * x;
}

/// <summary>log(1 + e^x) = max(x, 0) + log(1 + e^−|x|), accurate on both sides.</summary>
internal readonly struct Softplus<T> : IUnaryOperator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TV Apply<TV>(TV x)
        where TV : unmanaged, ISimd<TV, T> =>
        TV.MaxNative(TV.Of(0.0), x) + VectorMath.Log1pOfUnit<TV, T>(VectorMath.Exp<TV, T>(-TV.Abs(x)));
}

/// <summary>a·x + b.</summary>
internal readonly struct Affine<T>(T scale, T shift) : IUnaryOperator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TV Apply<TV>(TV x)
        where TV : unmanaged, ISimd<TV, T> => TV.Fma(x, TV.Broadcast(scale), TV.Broadcast(shift));
}

/// <summary>a·x.</summary>
internal readonly struct Scale<T>(T factor) : IUnaryOperator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TV Apply<TV>(TV x)
        where TV : unmanaged, ISimd<TV, T> => x * TV.Broadcast(factor);
}
