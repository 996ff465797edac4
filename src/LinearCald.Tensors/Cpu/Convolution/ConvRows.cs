using System.Numerics;
using System.Runtime.CompilerServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>What becomes of a weighted sum of rows.</summary>
internal interface IConvOutput<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <param name="sum">Channels i … i + TV.Width − 1 of the sum.</param>
    /// <param name="row">Counted from the row that the output was made for.</param>
    /// <param name="i">The first channel.</param>
    void Store<TV>(TV sum, nint row, nint i)
        where TV : unmanaged, ISimd<TV, T>;
}

/// <summary>Weighted sums of K rows, channel by channel: the inner loop of the convolution and of its input's gradient.</summary>
internal static unsafe class ConvRows
{
    /// <summary>Rows that <see cref="Four"/> computes.</summary>
    public const int AtOnce = 4;

    /// <summary>output[r] = bias + Σ over j of w[j] · rows[r + j] for r = 0 … 3: each weight is read once for four rows.</summary>
    /// <param name="bias">Null for none.</param>
    public static void Four<T, TOutput>(T* rows, nint pitch, int taps, T* w, nint weightPitch, T* bias, nint channels, TOutput output)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TOutput : struct, IConvOutput<T> =>
        SimdLoop.For<T, FourBody<T, TOutput>>(0, channels, new(rows, pitch, taps, w, weightPitch, bias, output));

    /// <summary>output[0] = bias + Σ over j of w[j] · rows[j], without the rows that are null.</summary>
    public static void One<T, TOutput>(T** rows, int taps, T* w, nint weightPitch, T* bias, nint channels, TOutput output)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TOutput : struct, IConvOutput<T> =>
        SimdLoop.For<T, OneBody<T, TOutput>>(0, channels, new(rows, taps, w, weightPitch, bias, output));

    private readonly struct FourBody<T, TOutput>(T* rows, nint pitch, int taps, T* w, nint weightPitch, T* bias, TOutput output) : ISimdBody<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TOutput : struct, IConvOutput<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(nint i)
            where TV : unmanaged, ISimd<TV, T>
        {
            T* x = rows + i, weight = w + i;
            TV a = bias is null ? TV.Of(0.0) : TV.Load(bias + i);
            TV b = a, c = a, d = a;
            for (int j = 0; j < taps; j++)
            {
                TV factor = TV.Load(weight);
                a = TV.Fma(factor, TV.Load(x), a);
                b = TV.Fma(factor, TV.Load(x + pitch), b);
                c = TV.Fma(factor, TV.Load(x + (2 * pitch)), c);
                d = TV.Fma(factor, TV.Load(x + (3 * pitch)), d);
                x += pitch;
                weight += weightPitch;
            }

            output.Store(a, 0, i);
            output.Store(b, 1, i);
            output.Store(c, 2, i);
            output.Store(d, 3, i);
        }
    }

    private readonly struct OneBody<T, TOutput>(T** rows, int taps, T* w, nint weightPitch, T* bias, TOutput output) : ISimdBody<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TOutput : struct, IConvOutput<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(nint i)
            where TV : unmanaged, ISimd<TV, T>
        {
            TV sum = bias is null ? TV.Of(0.0) : TV.Load(bias + i);
            for (int j = 0; j < taps; j++)
            {
                if (rows[j] is not null)
                {
                    sum = TV.Fma(TV.Load(w + (j * weightPitch) + i), TV.Load(rows[j] + i), sum);
                }
            }

            output.Store(sum, 0, i);
        }
    }
}

/// <summary>y = p.</summary>
internal readonly unsafe struct PlainOutput<T>(T* y, nint pitch) : IConvOutput<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store<TV>(TV sum, nint row, nint i)
        where TV : unmanaged, ISimd<TV, T> => sum.Store(y + (row * pitch) + i);
}

/// <summary>y = SiLU(p).</summary>
internal readonly unsafe struct SiluOutput<T>(T* y, nint pitch) : IConvOutput<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store<TV>(TV sum, nint row, nint i)
        where TV : unmanaged, ISimd<TV, T> => default(Silu<T>).Apply(sum).Store(y + (row * pitch) + i);
}

/// <summary>g = gy · SiLU′(p).</summary>
internal readonly unsafe struct SiluGradientOutput<T>(T* gy, nint gyPitch, T* g, nint pitch) : IConvOutput<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store<TV>(TV sum, nint row, nint i)
        where TV : unmanaged, ISimd<TV, T> => default(SiluGradient<T>).Apply(sum, TV.Load(gy + (row * gyPitch) + i)).Store(g + (row * pitch) + i);
}

/// <summary>An output whose row 0 is row <paramref name="first"/> of another.</summary>
internal readonly struct FromRow<T, TOutput>(TOutput output, nint first) : IConvOutput<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
    where TOutput : struct, IConvOutput<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store<TV>(TV sum, nint row, nint i)
        where TV : unmanaged, ISimd<TV, T> => output.Store(sum, first + row, i);
}
