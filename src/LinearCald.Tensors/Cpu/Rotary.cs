using System.Numerics;
using System.Runtime.CompilerServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// Takes rows [heads][q, k, v][size] apart into q, k and v rows and turns q and k; and the way back. Sines and cosines come from float64 angles, once for each
/// position and pair, and serve every sample and head. Floor: one read and one write of the rows.
/// </summary>
internal static unsafe class Rotary
{
    /// <summary>x [B, L, heads · 3 · size] → y [3, B, L, heads · size].</summary>
    public static void Split<T>(RotaryShape shape, T* x, T* y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Run(shape, x, y, join: false);

    /// <summary>gy [3, B, L, heads · size] → gx [B, L, heads · 3 · size], turned back.</summary>
    public static void Join<T>(RotaryShape shape, T* gy, T* gx)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Run(shape, gx, gy, join: true);

    private static void Run<T>(RotaryShape shape, T* joint, T* parts, bool join)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int half = shape.Rotary / 2;
        using Scratch<T> table = new(2 * shape.Length * half);
        using Scratch<double> frequencies = new(half);
        for (int i = 0; i < half; i++)
        {
            frequencies.Pointer[i] = shape.Frequency(i);
        }

        int rows = Cut.Rows(16L * half);
        WorkerPool.Shared.For(Cut.Pieces(shape.Length, rows), new AnglePiece<T>(shape, frequencies.Pointer, table.Pointer, rows, join));
        rows = Cut.Rows(3 * shape.Features);
        WorkerPool.Shared.For(Cut.Pieces(shape.Batch * shape.Length, rows), new RowPiece<T>(shape, joint, parts, table.Pointer, rows, join));
    }

    /// <summary>Of each position the cosines, then the sines; of the opposite angles on the way back.</summary>
    private readonly struct AnglePiece<T>(RotaryShape shape, double* frequencies, T* table, int rows, bool back) : IParallelBody
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Execute(int index)
        {
            int half = shape.Rotary / 2;
            for (long t = (long)index * rows; t < Math.Min(((long)index + 1) * rows, shape.Length); t++)
            {
                T* row = table + (2 * t * half);
                for (int i = 0; i < half; i++)
                {
                    (double sine, double cosine) = Math.SinCos((shape.First + t) * frequencies[i]);
                    row[i] = T.CreateTruncating(cosine);
                    row[half + i] = T.CreateTruncating(back ? -sine : sine);
                }
            }
        }
    }

    private readonly struct RowPiece<T>(RotaryShape shape, T* joint, T* parts, T* table, int rows, bool join) : IParallelBody
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Execute(int index)
        {
            long all = shape.Batch * shape.Length;
            nint half = shape.Rotary / 2;
            for (long r = (long)index * rows; r < Math.Min(((long)index + 1) * rows, all); r++)
            {
                T* angles = table + (2 * (r % shape.Length) * half);
                for (int h = 0; h < shape.Heads; h++)
                {
                    for (int part = 0; part < 3; part++)
                    {
                        T* together = joint + (((((r * shape.Heads) + h) * 3) + part) * shape.Size);
                        T* apart = parts + (((part * all) + r) * shape.Features) + ((long)h * shape.Size);
                        T* from = join ? apart : together, to = join ? together : apart;
                        int turned = part < 2 ? shape.Rotary : 0;
                        if (turned > 0)
                        {
                            SimdLoop.For<T, TurnBody<T>>(0, half, new(from, to, angles, half));
                        }

                        new ReadOnlySpan<T>(from + turned, shape.Size - turned).CopyTo(new Span<T>(to + turned, shape.Size - turned));
                    }
                }
            }
        }
    }

    /// <summary>(a, b) → (a cos − b sin, b cos + a sin).</summary>
    private readonly struct TurnBody<T>(T* x, T* y, T* angles, nint half) : ISimdBody<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(nint i)
            where TV : unmanaged, ISimd<TV, T>
        {
            TV a = TV.Load(x + i), b = TV.Load(x + half + i), cosine = TV.Load(angles + i), sine = TV.Load(angles + half + i);
            TV.Fma(a, cosine, -(b * sine)).Store(y + i);
            TV.Fma(b, cosine, a * sine).Store(y + half + i);
        }
    }
}
