using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>Four neighbouring elements of any format as floats: one access where the address is a multiple of their size together, else one each.</summary>
internal static class Quad
{
    /// <summary>The first four elements; zeros from <paramref name="count"/> on.</summary>
    public static Float4 Load<TWord, TFormat>(View<TWord> view, bool vector, int count)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        if (vector)
        {
            return TFormat.Lanes == 4 ? view.As<Float4>()[0] : Unpack<TWord, TFormat>(view.As<UInt2>()[0]);
        }

        Float4 values = default;
        values.X = TFormat.Widen(view[0]);
        if (count > 1)
        {
            values.Y = TFormat.Widen(view[1]);
        }

        if (count > 2)
        {
            values.Z = TFormat.Widen(view[2]);
        }

        if (count > 3)
        {
            values.W = TFormat.Widen(view[3]);
        }

        return values;
    }

    /// <summary>The first four elements; zeros from <paramref name="count"/> on.</summary>
    public static Float4 Load<TWord, TFormat>(ReadOnlyView<TWord> view, bool vector, int count)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        if (vector)
        {
            return TFormat.Lanes == 4 ? view.As<Float4>()[0] : Unpack<TWord, TFormat>(view.As<UInt2>()[0]);
        }

        Float4 values = default;
        values.X = TFormat.Widen(view[0]);
        if (count > 1)
        {
            values.Y = TFormat.Widen(view[1]);
        }

        if (count > 2)
        {
            values.Z = TFormat.Widen(view[2]);
        }

        if (count > 3)
        {
            values.W = TFormat.Widen(view[3]);
        }

        return values;
    }

    /// <summary>Writes the first <paramref name="count"/> of four elements, all where <paramref name="vector"/>.</summary>
    public static void Store<TWord, TFormat>(View<TWord> view, Float4 value, bool vector, int count)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        if (vector)
        {
            if (TFormat.Lanes == 4)
            {
                View<Float4> quads = view.As<Float4>();
                quads[0] = value;
            }
            else
            {
                View<UInt2> quads = view.As<UInt2>();
                quads[0] = Pack<TWord, TFormat>(value);
            }
        }
        else
        {
            view[0] = TFormat.Narrow(value.X);
            if (count > 1)
            {
                view[1] = TFormat.Narrow(value.Y);
            }

            if (count > 2)
            {
                view[2] = TFormat.Narrow(value.Z);
            }

            if (count > 3)
            {
                view[3] = TFormat.Narrow(value.W);
            }
        }
    }

    // Two-byte formats: half of a vector.
    private static Float4 Unpack<TWord, TFormat>(UInt2 half)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        Registers<float, N8> values = TFormat.Unpack(new UInt4(half.X, half.Y, 0, 0));
        return new Float4(values[0], values[1], values[2], values[3]);
    }

    private static UInt2 Pack<TWord, TFormat>(Float4 value)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        Registers<float, N8> values = default;
        values.Fill(0);
        values[0] = value.X;
        values[1] = value.Y;
        values[2] = value.Z;
        values[3] = value.W;
        UInt4 vector = TFormat.Pack(values);
        return new UInt2(vector.X, vector.Y);
    }
}
