using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// One tile of C, up to 14 rows by two vectors, kept in registers over the whole of k:
/// C[r, :] = alpha · Σ_p A[r, p] · B[p, :] + beta · C[r, :].
/// The accumulators are separate locals because nothing else stays in registers for certain; rows beyond <typeparamref name="TRows"/> and the
/// second vector of <see cref="SingleWidth"/> are constants to the compiler and vanish.
/// Floor: two fused multiply-adds a row and k; 14 broadcasts and 2 loads feed 28 of them. Nothing spills (checked in the disassembly).
/// Tried: prefetching A and B ahead within the loop gains nothing, the hardware does it; prefetching C gains 10 % at k = 128.
/// </summary>
internal static unsafe class MicroKernel<T, TVector, TLanes, TRows, TWidth, TAccess>
    where T : unmanaged
    where TVector : struct
    where TLanes : struct, IGemmLanes<T, TVector>
    where TRows : struct, ITileRows
    where TWidth : struct, ITileWidth
    where TAccess : struct, IAccessA
{
    /// <param name="k">Products to sum; 0 is allowed.</param>
    /// <param name="a">A[0, 0] of the tile.</param>
    /// <param name="strideA">Elements from one k to the next (<see cref="AdjacentA"/>) or from one row to the next (<see cref="StridedA"/>).</param>
    /// <param name="b">B[0, 0] of the tile: one or two whole vectors are read for each k.</param>
    /// <param name="strideB">Elements from one k to the next.</param>
    /// <param name="c">C[0, 0] of the tile: whole vectors are written.</param>
    /// <param name="strideC">Elements from one row of C to the next.</param>
    /// <param name="beta">C is not read when this is zero.</param>
    /// <param name="streams">C is written past the caches; beta is zero, and C and its rows lie at multiples of a vector.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(int k, T* a, nint strideA, T* b, nint strideB, T* c, nint strideC, T alpha, T beta, bool streams)
    {
        int w = TLanes.Count;
        TVector x0 = default, y0 = default;
        TVector x1 = default, y1 = default;
        TVector x2 = default, y2 = default;
        TVector x3 = default, y3 = default;
        TVector x4 = default, y4 = default;
        TVector x5 = default, y5 = default;
        TVector x6 = default, y6 = default;
        TVector x7 = default, y7 = default;
        TVector x8 = default, y8 = default;
        TVector x9 = default, y9 = default;
        TVector x10 = default, y10 = default;
        TVector x11 = default, y11 = default;
        TVector x12 = default, y12 = default;
        TVector x13 = default, y13 = default;
        nint s = strideA;
        nint step = TAccess.IsStrided ? 1 : strideA;
        T* a3 = a + (3 * s), a6 = a + (6 * s), a9 = a + (9 * s), a12 = a + (12 * s); // every row is a base plus 0, 1 or 2 strides

        if (Sse.IsSupported && !streams)
        {
            // C is wanted only after all of k: time enough to bring it from memory.
            T* at = c;
            for (int r = 0; r < TRows.Count; r++, at += strideC)
            {
                Sse.Prefetch0(at);
                Sse.Prefetch0(at + TLanes.Count);
            }
        }

        for (; k > 0; k--)
        {
            TVector u = TLanes.Load(b);
            TVector v = TWidth.IsDouble ? TLanes.Load(b + w) : default;
            b += strideB;

            TVector e = TLanes.Broadcast(TAccess.IsStrided ? a : a);
            x0 = TLanes.MultiplyAdd(e, u, x0);
            y0 = TWidth.IsDouble ? TLanes.MultiplyAdd(e, v, y0) : default;

            if (TRows.Count > 1)
            {
                e = TLanes.Broadcast(TAccess.IsStrided ? a + s : a + 1);
                x1 = TLanes.MultiplyAdd(e, u, x1);
                y1 = TWidth.IsDouble ? TLanes.MultiplyAdd(e, v, y1) : default;
            }

            if (TRows.Count > 2)
            {
                e = TLanes.Broadcast(TAccess.IsStrided ? a + (2 * s) : a + 2);
                x2 = TLanes.MultiplyAdd(e, u, x2);
                y2 = TWidth.IsDouble ? TLanes.MultiplyAdd(e, v, y2) : default;
                e = TLanes.Broadcast(TAccess.IsStrided ? a3 : a + 3);
                x3 = TLanes.MultiplyAdd(e, u, x3);
                y3 = TWidth.IsDouble ? TLanes.MultiplyAdd(e, v, y3) : default;
            }

            if (TRows.Count > 4)
            {
                e = TLanes.Broadcast(TAccess.IsStrided ? a3 + s : a + 4);
                x4 = TLanes.MultiplyAdd(e, u, x4);
                y4 = TWidth.IsDouble ? TLanes.MultiplyAdd(e, v, y4) : default;
                e = TLanes.Broadcast(TAccess.IsStrided ? a3 + (2 * s) : a + 5);
                x5 = TLanes.MultiplyAdd(e, u, x5);
                y5 = TWidth.IsDouble ? TLanes.MultiplyAdd(e, v, y5) : default;
            }

            if (TRows.Count > 6)
            {
                e = TLanes.Broadcast(TAccess.IsStrided ? a6 : a + 6);
                x6 = TLanes.MultiplyAdd(e, u, x6);
                y6 = TWidth.IsDouble ? TLanes.MultiplyAdd(e, v, y6) : default;
                e = TLanes.Broadcast(TAccess.IsStrided ? a6 + s : a + 7);
                x7 = TLanes.MultiplyAdd(e, u, x7);
                y7 = TWidth.IsDouble ? TLanes.MultiplyAdd(e, v, y7) : default;
            }

            if (TRows.Count > 8)
            {
                e = TLanes.Broadcast(TAccess.IsStrided ? a6 + (2 * s) : a + 8);
                x8 = TLanes.MultiplyAdd(e, u, x8);
                y8 = TWidth.IsDouble ? TLanes.MultiplyAdd(e, v, y8) : default;
                e = TLanes.Broadcast(TAccess.IsStrided ? a9 : a + 9);
                x9 = TLanes.MultiplyAdd(e, u, x9);
                y9 = TWidth.IsDouble ? TLanes.MultiplyAdd(e, v, y9) : default;
                e = TLanes.Broadcast(TAccess.IsStrided ? a9 + s : a + 10);
                x10 = TLanes.MultiplyAdd(e, u, x10);
                y10 = TWidth.IsDouble ? TLanes.MultiplyAdd(e, v, y10) : default;
                e = TLanes.Broadcast(TAccess.IsStrided ? a9 + (2 * s) : a + 11);
                x11 = TLanes.MultiplyAdd(e, u, x11);
                y11 = TWidth.IsDouble ? TLanes.MultiplyAdd(e, v, y11) : default;
                e = TLanes.Broadcast(TAccess.IsStrided ? a12 : a + 12);
                x12 = TLanes.MultiplyAdd(e, u, x12);
                y12 = TWidth.IsDouble ? TLanes.MultiplyAdd(e, v, y12) : default;
                e = TLanes.Broadcast(TAccess.IsStrided ? a12 + s : a + 13);
                x13 = TLanes.MultiplyAdd(e, u, x13);
                y13 = TWidth.IsDouble ? TLanes.MultiplyAdd(e, v, y13) : default;
            }

            a += step;
            if (TAccess.IsStrided)
            {
                a3++;
                a6++;
                a9++;
                a12++;
            }
        }

        TVector scale = TLanes.Splat(alpha);
        TVector keep = TLanes.Splat(beta);
        Write how = streams ? Write.PastCaches : GemmScalar.IsZero(beta) ? Write.Over : Write.Add;
        Put(c, x0, y0, scale, keep, how);

        if (TRows.Count > 1)
        {
            Put(c + strideC, x1, y1, scale, keep, how);
        }

        if (TRows.Count > 2)
        {
            Put(c + (2 * strideC), x2, y2, scale, keep, how);
            Put(c + (3 * strideC), x3, y3, scale, keep, how);
        }

        if (TRows.Count > 4)
        {
            Put(c + (4 * strideC), x4, y4, scale, keep, how);
            Put(c + (5 * strideC), x5, y5, scale, keep, how);
        }

        if (TRows.Count > 6)
        {
            Put(c + (6 * strideC), x6, y6, scale, keep, how);
            Put(c + (7 * strideC), x7, y7, scale, keep, how);
        }

        if (TRows.Count > 8)
        {
            Put(c + (8 * strideC), x8, y8, scale, keep, how);
            Put(c + (9 * strideC), x9, y9, scale, keep, how);
            Put(c + (10 * strideC), x10, y10, scale, keep, how);
            Put(c + (11 * strideC), x11, y11, scale, keep, how);
            Put(c + (12 * strideC), x12, y12, scale, keep, how);
            Put(c + (13 * strideC), x13, y13, scale, keep, how);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(T* c, TVector x, TVector y, TVector scale, TVector keep, Write how)
    {
        Put(c, TLanes.Multiply(x, scale), keep, how);
        if (TWidth.IsDouble)
        {
            Put(c + TLanes.Count, TLanes.Multiply(y, scale), keep, how);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(T* c, TVector x, TVector keep, Write how)
    {
        if (how == Write.PastCaches)
        {
            TLanes.StorePastCaches(x, c);
        }
        else
        {
            TLanes.Store(how == Write.Over ? x : TLanes.MultiplyAdd(keep, TLanes.Load(c), x), c);
        }
    }

    private enum Write
    {
        Add,
        Over,
        PastCaches,
    }
}
