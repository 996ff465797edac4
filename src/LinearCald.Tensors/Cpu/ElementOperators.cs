using System.Numerics;
using System.Runtime.CompilerServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>y = f(x), element by element.</summary>
internal interface IUnaryOperator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <param name="x">The inputs of as many elements as the register has lanes.</param>
    TV Apply<TV>(TV x)
        where TV : unmanaged, ISimd<TV, T>;
}

/// <summary>y = f(a, b), element by element. A gradient is one too: of what the forward saved and of the gradient of its output.</summary>
internal interface IBinaryOperator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <param name="a">The first inputs; in a gradient, what was saved.</param>
    /// <param name="b">The second inputs; in a gradient, the gradient of the output.</param>
    TV Apply<TV>(TV a, TV b)
        where TV : unmanaged, ISimd<TV, T>;
}

/// <summary>y[i] = f(x[i]); y may be x.</summary>
internal readonly unsafe struct MapBody<T, TOperator>(T* x, T* y, TOperator f) : ISimdBody<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
    where TOperator : struct, IUnaryOperator<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<TV>(nint i)
        where TV : unmanaged, ISimd<TV, T> => f.Apply(TV.Load(x + i)).Store(y + i);
}

/// <summary>y[i] = f(a[i], b[i]); y may be a or b.</summary>
internal readonly unsafe struct ZipBody<T, TOperator>(T* a, T* b, T* y, TOperator f) : ISimdBody<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
    where TOperator : struct, IBinaryOperator<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<TV>(nint i)
        where TV : unmanaged, ISimd<TV, T> => f.Apply(TV.Load(a + i), TV.Load(b + i)).Store(y + i);
}

/// <summary>y[i] += f(a[i], b[i]).</summary>
internal readonly unsafe struct ZipAddBody<T, TOperator>(T* a, T* b, T* y, TOperator f) : ISimdBody<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
    where TOperator : struct, IBinaryOperator<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<TV>(nint i)
        where TV : unmanaged, ISimd<TV, T> => (TV.Load(y + i) + f.Apply(TV.Load(a + i), TV.Load(b + i))).Store(y + i);
}

/// <summary>y[i] = f(a[i], b) with one b for all.</summary>
internal readonly unsafe struct ZipScalarBody<T, TOperator>(T* a, T b, T* y, TOperator f) : ISimdBody<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
    where TOperator : struct, IBinaryOperator<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<TV>(nint i)
        where TV : unmanaged, ISimd<TV, T> => f.Apply(TV.Load(a + i), TV.Broadcast(b)).Store(y + i);
}
