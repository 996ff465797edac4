using System.Numerics;
using System.Runtime.CompilerServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>d/dx x·Φ(x) = Φ(x) + x·φ(x); saved: x.</summary>
internal readonly struct GeluGradient<T> : IBinaryOperator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TV Apply<TV>(TV a, TV b)
        where TV : unmanaged, ISimd<TV, T>
    {
        TV half = TV.Of(0.5);
        TV cumulative = TV.Fma(half, VectorMath.Erf<TV, T>(a * TV.Of(0.70710678118654752)), half);
        TV density = VectorMath.Exp<TV, T>(a * a * TV.Of(-0.5)) * TV.Of(0.39894228040143268);
        return b * TV.Fma(a, density, cumulative);
    }
}

/// <summary>d/dx x·σ(2u) = s + x·s·(1 − s)·(2u)′ with (2u)′ = 2·√(2/π)·(1 + 3·0.044715·x²); saved: x.</summary>
internal readonly struct GeluTanhGradient<T> : IBinaryOperator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TV Apply<TV>(TV a, TV b)
        where TV : unmanaged, ISimd<TV, T>
    {
        TV square = a * a;
        TV inner = TV.Fma(square, TV.Of(0.044715 * GeluTanh<T>.TwiceRoot), TV.Of(GeluTanh<T>.TwiceRoot));
        TV slope = TV.Fma(square, TV.Of(3 * 0.044715 * GeluTanh<T>.TwiceRoot), TV.Of(GeluTanh<T>.TwiceRoot));
        TV s = VectorMath.Sigmoid<TV, T>(a * inner);
        return b * TV.Fma(a * slope, s * (TV.Of(1.0) - s), s);
    }
}

/// <summary>d/dx x·σ(x) = s·(1 + x·(1 − s)); saved: x.</summary>
internal readonly struct SiluGradient<T> : IBinaryOperator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TV Apply<TV>(TV a, TV b)
        where TV : unmanaged, ISimd<TV, T>
    {
        TV one = TV.Of(1.0);
        TV s = VectorMath.Sigmoid<TV, T>(a);
        return b * s * TV.Fma(a, one - s, one);
    }
}

/// <summary>1 where x &gt; 0, else 0; saved: x or y.</summary>
internal readonly struct ReluGradient<T> : IBinaryOperator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TV Apply<TV>(TV a, TV b)
        where TV : unmanaged, ISimd<TV, T> => TV.Select(TV.LessThan(TV.Of(0.0), a), b, TV.Of(0.0));
}

/// <summary>1 − y²; saved: y.</summary>
internal readonly struct TanhGradient<T> : IBinaryOperator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TV Apply<TV>(TV a, TV b)
        where TV : unmanaged, ISimd<TV, T> => b * TV.Fma(-a, a, TV.Of(1.0));
}

/// <summary>y·(1 − y); saved: y.</summary>
internal readonly struct SigmoidGradient<T> : IBinaryOperator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TV Apply<TV>(TV a, TV b)
        where TV : unmanaged, ISimd<TV, T> => b * a * (TV.Of(1.0) - a);
}

/// <summary>y; saved: y = e^x.</summary>
internal readonly struct ExpGradient<T> : IBinaryOperator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TV Apply<TV>(TV a, TV b)
        where TV : unmanaged, ISimd<TV, T> => b * a;
}

/// <summary>1 / x; saved: x.</summary>
internal readonly struct LogGradient<T> : IBinaryOperator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TV Apply<TV>(TV a, TV b)
        where TV : unmanaged, ISimd<TV, T> => b / a;
}

/// <summary>1 / (2·y); saved: y = √x.</summary>
internal readonly struct SqrtGradient<T> : IBinaryOperator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TV Apply<TV>(TV a, TV b)
        where TV : unmanaged, ISimd<TV, T> => b / (a + a);
}

/// <summary>−1; saved: anything.</summary>
internal readonly struct NegateGradient<T> : IBinaryOperator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TV Apply<TV>(TV a, TV b)
        where TV : unmanaged, ISimd<TV, T> => -b;
}

/// <summary>2·x; saved: x.</summary>
internal readonly struct SquareGradient<T> : IBinaryOperator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TV Apply<TV>(TV a, TV b)
        where TV : unmanaged, ISimd<TV, T> => b * (a + a);
}

/// <summary>d/dx log(1 + e^x) = σ(x); saved: x.</summary>
internal readonly struct SoftplusGradient<T> : IBinaryOperator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TV Apply<TV>(TV a, TV b)
        where TV : unmanaged, ISimd<TV, T> => b * VectorMath.Sigmoid<TV, T>(a);
}
