using System.Numerics;

namespace LinearCald.Tensors.Cpu;

/// <summary>The plain twin of <see cref="Rotary"/>, in float64: a pair of elements is a complex number, turned by multiplying with e^(i·angle).</summary>
internal static unsafe class RotaryReference
{
    /// <summary>[3, B, L, heads · size] of x [B, L, heads · 3 · size].</summary>
    public static double[] Split<T>(RotaryShape shape, T* x)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double[] y = new double[3 * shape.Batch * shape.Length * shape.Features];
        for (long at = 0; at < y.LongLength; at++)
        {
            y[at] = Element(shape, at, i => double.CreateTruncating(x[i]));
        }

        return y;
    }

    /// <summary>The gradient of x: every output's derivative, spread over the two inputs it was made of.</summary>
    public static double[] Join<T>(RotaryShape shape, T* gy)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double[] gx = new double[3 * shape.Batch * shape.Length * shape.Features];
        for (long at = 0; at < gx.LongLength; at++)
        {
            double g = double.CreateTruncating(gy[at]);
            Element(shape, at, i => 0, (i, factor) => gx[i] += g * factor);
        }

        return gx;
    }

    private static double Element(RotaryShape shape, long at, Func<long, double> read, Action<long, double>? spread = null)
    {
        long rows = shape.Batch * shape.Length;
        int i = (int)(at % shape.Size), half = shape.Rotary / 2;
        long head = at / shape.Size % shape.Heads, row = at / shape.Features % rows, part = at / shape.Features / rows;
        long source = (((((row * shape.Heads) + head) * 3) + part) * shape.Size) + i;
        if (part == 2 || i >= shape.Rotary)
        {
            spread?.Invoke(source, 1);
            return read(source);
        }

        Complex turn = Complex.FromPolarCoordinates(1, (shape.First + (row % shape.Length)) * shape.Frequency(i % half));
        (long other, double factor) = i < half ? (source + half, -turn.Imaginary) : (source - half, turn.Imaginary);
        spread?.Invoke(source, turn.Real);
        spread?.Invoke(other, factor);
        return (read(source) * turn.Real) + (read(other) * factor);
    }
}
