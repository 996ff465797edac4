using System.Numerics;
using System.Runtime.CompilerServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// C[r, j] ← f(C[r, j] + bias[j]), and where the backward needs it the value before f is kept in a second matrix. One pass over a tile that
/// is in the first-level cache, instead of two or three over the whole of C in memory.
/// </summary>
internal readonly unsafe struct ActivationEpilogue<T, TActivation> : IEpilogue<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
    where TActivation : struct, IUnaryOperator<T>
{
    private readonly T* _bias;
    private readonly TActivation _activation;
    private readonly T* _before;
    private readonly nint _strideBefore;

    /// <param name="bias">One element a column of C, or null for none.</param>
    /// <param name="before">Matrix of the shape of C that receives C + bias, or null.</param>
    /// <param name="strideBefore">Elements from one row of <paramref name="before"/> to the next.</param>
    public ActivationEpilogue(T* bias, TActivation activation, T* before = null, nint strideBefore = 0)
    {
        _bias = bias;
        _activation = activation;
        _before = before;
        _strideBefore = strideBefore;
    }

    public static bool IsNone => false;

    public void Apply(T* c, nint strideC, int row, int column, int rows, int columns)
    {
        T* bias = _bias == null ? null : _bias + column;
        for (int r = 0; r < rows; r++, c += strideC)
        {
            T* before = _before == null ? null : _before + ((row + r) * _strideBefore) + column;
            SimdLoop.For<T, RowBody>(0, columns, new RowBody(c, bias, before, _activation));
        }
    }

    private readonly struct RowBody(T* c, T* bias, T* before, TActivation activation) : ISimdBody<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(nint i)
            where TV : unmanaged, ISimd<TV, T>
        {
            TV x = TV.Load(c + i);
            if (bias != null)
            {
                x += TV.Load(bias + i);
            }

            if (before != null)
            {
                x.Store(before + i);
            }

            activation.Apply(x).Store(c + i);
        }
    }
}
