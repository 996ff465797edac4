using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// The state of a head, or its gradient, in the registers of a group: [N, P] in float32, of which warp w holds the rows from 16·M·w on as
/// <see cref="ITileProduct{T}"/> lays accumulators out.
/// </summary>
internal static class SsdStates
{
    /// <summary>From [P, N] in device memory.</summary>
    /// <param name="first">Index of the head's first element.</param>
    /// <param name="column">First feature of the group's block.</param>
    public static void Read<TS, TP>(ref Registers<Float4, Times<TS, TP>> state, View<float> source, long first, int column, SsdTraits traits)
        where TS : struct, ICount
        where TP : struct, ICount
    {
        int row = (16 * TS.Value * Warp.Index) + (Warp.Lane >> 2), feature = column + ((Warp.Lane & 3) * 2);
        for (int i = 0; i < TS.Value * TP.Value; i++)
        {
            int n = row + (16 * (i / TP.Value)), p = feature + (8 * (i % TP.Value));
            state[i] = new Float4(
                ReadOne(source, first, n, p, traits), ReadOne(source, first, n, p + 1, traits), ReadOne(source, first, n + 8, p, traits), ReadOne(source, first, n + 8, p + 1, traits));
        }
    }

    /// <summary>Into [P, N] in device memory.</summary>
    public static void Write<TS, TP>(ref Registers<Float4, Times<TS, TP>> state, View<float> target, long first, int column, SsdTraits traits)
        where TS : struct, ICount
        where TP : struct, ICount
    {
        int row = (16 * TS.Value * Warp.Index) + (Warp.Lane >> 2), feature = column + ((Warp.Lane & 3) * 2);
        for (int i = 0; i < TS.Value * TP.Value; i++)
        {
            int n = row + (16 * (i / TP.Value)), p = feature + (8 * (i % TP.Value));
            Float4 s = state[i];
            WriteOne(target, first, n, p, s.X, traits);
            WriteOne(target, first, n, p + 1, s.Y, traits);
            WriteOne(target, first, n + 8, p, s.Z, traits);
            WriteOne(target, first, n + 8, p + 1, s.W, traits);
        }
    }

    /// <summary>Rounded, into a tile [N, P], as an operand of products.</summary>
    public static void WriteTile<TProduct, T, TS, TP>(ref Registers<Float4, Times<TS, TP>> state, Shared<T> tile, int stride)
        where TProduct : struct, ITileProduct<T>
        where T : unmanaged
        where TS : struct, ICount
        where TP : struct, ICount
    {
        int at = (((16 * TS.Value * Warp.Index) + (Warp.Lane >> 2)) * stride) + ((Warp.Lane & 3) * 2);
        for (int i = 0; i < TS.Value * TP.Value; i++)
        {
            int index = at + (16 * (i / TP.Value) * stride) + (8 * (i % TP.Value));
            Float4 s = state[i];
            TProduct.WritePair(tile, index, s.X, s.Y);
            TProduct.WritePair(tile, index + (8 * stride), s.Z, s.W);
        }
    }

    /// <summary>Rounded, into [N, P] in device memory.</summary>
    public static void Keep<TProduct, T, TS, TP>(ref Registers<Float4, Times<TS, TP>> state, View<T> target, long first, int column, int validColumns, SsdTraits traits)
        where TProduct : struct, ITileProduct<T>
        where T : unmanaged
        where TS : struct, ICount
        where TP : struct, ICount
    {
        int row = (16 * TS.Value * Warp.Index) + (Warp.Lane >> 2), feature = (Warp.Lane & 3) * 2;
        for (int i = 0; i < TS.Value * TP.Value; i++)
        {
            int n = row + (16 * (i / TP.Value)), p = feature + (8 * (i % TP.Value));
            Float4 s = state[i];
            if (n < traits.StateSize)
            {
                SsdTiles.Put<TProduct, T>(target, first + ((long)n * traits.HeadSize) + column + p, validColumns - p, s.X, s.Y, traits.Pairs);
            }

            if (n + 8 < traits.StateSize)
            {
                SsdTiles.Put<TProduct, T>(target, first + ((long)(n + 8) * traits.HeadSize) + column + p, validColumns - p, s.Z, s.W, traits.Pairs);
            }
        }
    }

    public static void Scale<TS, TP>(ref Registers<Float4, Times<TS, TP>> state, float factor)
        where TS : struct, ICount
        where TP : struct, ICount
    {
        for (int i = 0; i < TS.Value * TP.Value; i++)
        {
            Float4 s = state[i];
            state[i] = new Float4(s.X * factor, s.Y * factor, s.Z * factor, s.W * factor);
        }
    }

    /// <summary>A lane's share of the sum of products with a tile [N, P].</summary>
    public static float Dot<TProduct, T, TS, TP>(ref Registers<Float4, Times<TS, TP>> state, Shared<T> tile, int stride)
        where TProduct : struct, ITileProduct<T>
        where T : unmanaged
        where TS : struct, ICount
        where TP : struct, ICount
    {
        int at = (((16 * TS.Value * Warp.Index) + (Warp.Lane >> 2)) * stride) + ((Warp.Lane & 3) * 2);
        float sum = 0f;
        for (int i = 0; i < TS.Value * TP.Value; i++)
        {
            int index = at + (16 * (i / TP.Value) * stride) + (8 * (i % TP.Value));
            Float4 s = state[i];
            Float2 upper = TProduct.ReadPair(tile, index), lower = TProduct.ReadPair(tile, index + (8 * stride));
            sum = GpuMath.Fma(s.X, upper.X, GpuMath.Fma(s.Y, upper.Y, GpuMath.Fma(s.Z, lower.X, GpuMath.Fma(s.W, lower.Y, sum))));
        }

        return sum;
    }

    private static float ReadOne(View<float> source, long first, int n, int p, SsdTraits traits)
    {
        float value = 0f;
        if (n < traits.StateSize && p < traits.HeadSize)
        {
            value = source[first + ((long)p * traits.StateSize) + n];
        }

        return value;
    }

    private static void WriteOne(View<float> target, long first, int n, int p, float value, SsdTraits traits)
    {
        if (n < traits.StateSize && p < traits.HeadSize)
        {
            target[first + ((long)p * traits.StateSize) + n] = value;
        }
    }
}
