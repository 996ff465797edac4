using System.Numerics;
using System.Runtime.CompilerServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// C (+)= A · B for the tiles of attention, which fit the first- or second-level cache: no packing, whole registers only. Rows of C come
/// in fours and columns in whole registers; the caller's tiles are padded to that, and what is computed in the padding is ignored.
/// </summary>
/// <remarks>
/// Floor: one fused multiply-add a register of C and depth step. An 8 × 2 block of accumulators needs 10 loads for 16 multiply-adds, which
/// two load ports hide; 16-register machines use 4 × 2.
/// </remarks>
internal static unsafe class TileProduct
{
    /// <summary>Rows of C are computed in multiples of this.</summary>
    public const int RowStep = 4;

    /// <summary>C[rows, registers · width] = A[rows, depth] · B[depth, registers · width], added to C when accumulating.</summary>
    /// <param name="rows">Rounded up to a multiple of <see cref="RowStep"/>.</param>
    /// <param name="registers">Columns of B and C in registers of <typeparamref name="TV"/>.</param>
    public static void Multiply<T, TV, TLayout>(int rows, int registers, nint depth, T* a, nint lda, T* b, nint ldb, T* c, nint ldc, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TV : unmanaged, ISimd<TV, T>
        where TLayout : struct, ITileLayout
    {
        nint rowStep = TLayout.RowStep(lda);
        for (int n = 0; n < registers; n += 2)
        {
            bool pair = n + 1 < registers;
            T* bn = b + ((nint)n * TV.Width), cn = c + ((nint)n * TV.Width);
            int i = 0;
            if (typeof(TV) == typeof(Wide512<T>))
            {
                for (; i + 8 <= rows; i += 8)
                {
                    if (pair)
                    {
                        Block8x2<T, TV, TLayout>(depth, a + (i * rowStep), lda, bn, ldb, cn + (i * ldc), ldc, accumulate);
                    }
                    else
                    {
                        Block8x1<T, TV, TLayout>(depth, a + (i * rowStep), lda, bn, ldb, cn + (i * ldc), ldc, accumulate);
                    }
                }
            }

            for (; i < rows; i += 4)
            {
                if (pair)
                {
                    Block4x2<T, TV, TLayout>(depth, a + (i * rowStep), lda, bn, ldb, cn + (i * ldc), ldc, accumulate);
                }
                else
                {
                    Block4x1<T, TV, TLayout>(depth, a + (i * rowStep), lda, bn, ldb, cn + (i * ldc), ldc, accumulate);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Block8x2<T, TV, TLayout>(nint depth, T* a, nint lda, T* b, nint ldb, T* c, nint ldc, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TV : unmanaged, ISimd<TV, T>
        where TLayout : struct, ITileLayout
    {
        nint row = TLayout.RowStep(lda), step = TLayout.DepthStep(lda);
        int w = TV.Width;
        T* c4 = c + (4 * ldc);
        TV c00, c01, c10, c11, c20, c21, c30, c31, c40, c41, c50, c51, c60, c61, c70, c71;
        if (accumulate)
        {
            c00 = TV.Load(c);
            c01 = TV.Load(c + w);
            c10 = TV.Load(c + ldc);
            c11 = TV.Load(c + ldc + w);
            c20 = TV.Load(c + (2 * ldc));
            c21 = TV.Load(c + (2 * ldc) + w);
            c30 = TV.Load(c + (3 * ldc));
            c31 = TV.Load(c + (3 * ldc) + w);
            c40 = TV.Load(c4);
            c41 = TV.Load(c4 + w);
            c50 = TV.Load(c4 + ldc);
            c51 = TV.Load(c4 + ldc + w);
            c60 = TV.Load(c4 + (2 * ldc));
            c61 = TV.Load(c4 + (2 * ldc) + w);
            c70 = TV.Load(c4 + (3 * ldc));
            c71 = TV.Load(c4 + (3 * ldc) + w);
        }
        else
        {
            c00 = c01 = c10 = c11 = c20 = c21 = c30 = c31 = c40 = c41 = c50 = c51 = c60 = c61 = c70 = c71 = TV.Of(0.0);
        }

        T* a4 = a + (4 * row);
        for (nint p = depth; p > 0; p--)
        {
            TV b0 = TV.Load(b), b1 = TV.Load(b + w);
            TV x = TV.Broadcast(*a);
            c00 = TV.Fma(x, b0, c00);
            c01 = TV.Fma(x, b1, c01);
            x = TV.Broadcast(a[row]);
            c10 = TV.Fma(x, b0, c10);
            c11 = TV.Fma(x, b1, c11);
            x = TV.Broadcast(a[2 * row]);
            c20 = TV.Fma(x, b0, c20);
            c21 = TV.Fma(x, b1, c21);
            x = TV.Broadcast(a[3 * row]);
            c30 = TV.Fma(x, b0, c30);
            c31 = TV.Fma(x, b1, c31);
            x = TV.Broadcast(*a4);
            c40 = TV.Fma(x, b0, c40);
            c41 = TV.Fma(x, b1, c41);
            x = TV.Broadcast(a4[row]);
            c50 = TV.Fma(x, b0, c50);
            c51 = TV.Fma(x, b1, c51);
            x = TV.Broadcast(a4[2 * row]);
            c60 = TV.Fma(x, b0, c60);
            c61 = TV.Fma(x, b1, c61);
            x = TV.Broadcast(a4[3 * row]);
            c70 = TV.Fma(x, b0, c70);
            c71 = TV.Fma(x, b1, c71);
            a += step;
            a4 += step;
            b += ldb;
        }

        c00.Store(c);
        c01.Store(c + w);
        c10.Store(c + ldc);
        c11.Store(c + ldc + w);
        c20.Store(c + (2 * ldc));
        c21.Store(c + (2 * ldc) + w);
        c30.Store(c + (3 * ldc));
        c31.Store(c + (3 * ldc) + w);
        c40.Store(c4);
        c41.Store(c4 + w);
        c50.Store(c4 + ldc);
        c51.Store(c4 + ldc + w);
        c60.Store(c4 + (2 * ldc));
        c61.Store(c4 + (2 * ldc) + w);
        c70.Store(c4 + (3 * ldc));
        c71.Store(c4 + (3 * ldc) + w);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Block8x1<T, TV, TLayout>(nint depth, T* a, nint lda, T* b, nint ldb, T* c, nint ldc, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TV : unmanaged, ISimd<TV, T>
        where TLayout : struct, ITileLayout
    {
        nint row = TLayout.RowStep(lda), step = TLayout.DepthStep(lda);
        T* c4 = c + (4 * ldc);
        TV c0, c1, c2, c3, c5, c6, c7, c8;
        if (accumulate)
        {
            c0 = TV.Load(c);
            c1 = TV.Load(c + ldc);
            c2 = TV.Load(c + (2 * ldc));
            c3 = TV.Load(c + (3 * ldc));
            c5 = TV.Load(c4);
            c6 = TV.Load(c4 + ldc);
            c7 = TV.Load(c4 + (2 * ldc));
            c8 = TV.Load(c4 + (3 * ldc));
        }
        else
        {
            c0 = c1 = c2 = c3 = c5 = c6 = c7 = c8 = TV.Of(0.0);
        }

        T* a4 = a + (4 * row);
        for (nint p = depth; p > 0; p--)
        {
            TV x = TV.Load(b);
            c0 = TV.Fma(TV.Broadcast(*a), x, c0);
            c1 = TV.Fma(TV.Broadcast(a[row]), x, c1);
            c2 = TV.Fma(TV.Broadcast(a[2 * row]), x, c2);
            c3 = TV.Fma(TV.Broadcast(a[3 * row]), x, c3);
            c5 = TV.Fma(TV.Broadcast(*a4), x, c5);
            c6 = TV.Fma(TV.Broadcast(a4[row]), x, c6);
            c7 = TV.Fma(TV.Broadcast(a4[2 * row]), x, c7);
            c8 = TV.Fma(TV.Broadcast(a4[3 * row]), x, c8);
            a += step;
            a4 += step;
            b += ldb;
        }

        c0.Store(c);
        c1.Store(c + ldc);
        c2.Store(c + (2 * ldc));
        c3.Store(c + (3 * ldc));
        c5.Store(c4);
        c6.Store(c4 + ldc);
        c7.Store(c4 + (2 * ldc));
        c8.Store(c4 + (3 * ldc));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Block4x2<T, TV, TLayout>(nint depth, T* a, nint lda, T* b, nint ldb, T* c, nint ldc, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TV : unmanaged, ISimd<TV, T>
        where TLayout : struct, ITileLayout
    {
        nint row = TLayout.RowStep(lda), step = TLayout.DepthStep(lda);
        int w = TV.Width;
        TV c00, c01, c10, c11, c20, c21, c30, c31;
        if (accumulate)
        {
            c00 = TV.Load(c);
            c01 = TV.Load(c + w);
            c10 = TV.Load(c + ldc);
            c11 = TV.Load(c + ldc + w);
            c20 = TV.Load(c + (2 * ldc));
            c21 = TV.Load(c + (2 * ldc) + w);
            c30 = TV.Load(c + (3 * ldc));
            c31 = TV.Load(c + (3 * ldc) + w);
        }
        else
        {
            c00 = c01 = c10 = c11 = c20 = c21 = c30 = c31 = TV.Of(0.0);
        }

        for (nint p = depth; p > 0; p--)
        {
            TV b0 = TV.Load(b), b1 = TV.Load(b + w);
            TV x = TV.Broadcast(*a);
            c00 = TV.Fma(x, b0, c00);
            c01 = TV.Fma(x, b1, c01);
            x = TV.Broadcast(a[row]);
            c10 = TV.Fma(x, b0, c10);
            c11 = TV.Fma(x, b1, c11);
            x = TV.Broadcast(a[2 * row]);
            c20 = TV.Fma(x, b0, c20);
            c21 = TV.Fma(x, b1, c21);
            x = TV.Broadcast(a[3 * row]);
            c30 = TV.Fma(x, b0, c30);
            c31 = TV.Fma(x, b1, c31);
            a += step;
            b += ldb;
        }

        c00.Store(c);
        c01.Store(c + w);
        c10.Store(c + ldc);
        c11.Store(c + ldc + w);
        c20.Store(c + (2 * ldc));
        c21.Store(c + (2 * ldc) + w);
        c30.Store(c + (3 * ldc));
        c31.Store(c + (3 * ldc) + w);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Block4x1<T, TV, TLayout>(nint depth, T* a, nint lda, T* b, nint ldb, T* c, nint ldc, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TV : unmanaged, ISimd<TV, T>
        where TLayout : struct, ITileLayout
    {
        nint row = TLayout.RowStep(lda), step = TLayout.DepthStep(lda);
        TV c0, c1, c2, c3;
        if (accumulate)
        {
            c0 = TV.Load(c);
            c1 = TV.Load(c + ldc);
            c2 = TV.Load(c + (2 * ldc));
            c3 = TV.Load(c + (3 * ldc));
        }
        else
        {
            c0 = c1 = c2 = c3 = TV.Of(0.0);
        }

        for (nint p = depth; p > 0; p--)
        {
            TV x = TV.Load(b);
            c0 = TV.Fma(TV.Broadcast(*a), x, c0);
            c1 = TV.Fma(TV.Broadcast(a[row]), x, c1);
            c2 = TV.Fma(TV.Broadcast(a[2 * row]), x, c2);
            c3 = TV.Fma(TV.Broadcast(a[3 * row]), x, c3);
            a += step;
            b += ldb;
        }

        c0.Store(c);
        c1.Store(c + ldc);
        c2.Store(c + (2 * ldc));
        c3.Store(c + (3 * ldc));
    }
}
