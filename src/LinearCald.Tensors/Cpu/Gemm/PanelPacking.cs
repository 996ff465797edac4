using System.Runtime.Intrinsics;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// Copies a block of A or B into panels: panel q holds rows (of A) or columns (of B) q·panel … q·panel + panel − 1, for each k side by side,
/// k after k: dst[(q·k + p)·panel + j]. Columns beyond <c>width</c> in the last panel are zero.
/// </summary>
internal static unsafe class PanelPacking
{
    private const int CopiedRows = 16;

    /// <param name="source">First element of the block.</param>
    /// <param name="stride">Elements between source rows.</param>
    /// <param name="transpose">false: source rows run along the width (element (p, j) at p·stride + j); true: along k (j·stride + p).</param>
    /// <param name="width">Rows of A or columns of B in the block.</param>
    /// <param name="k">Length of the sum.</param>
    /// <param name="panel">Width of a panel.</param>
    /// <param name="destination">⌈width / panel⌉ · panel · k elements.</param>
    public static void Pack<T>(T* source, nint stride, bool transpose, int width, int k, int panel, T* destination)
        where T : unmanaged
    {
        if (!transpose)
        {
            PackCopied(source, stride, width, k, panel, destination);
            return;
        }

        for (int j = 0; j < width; j += panel, destination += (nint)panel * k)
        {
            T* from = source + (j * stride);
            if (width - j < panel)
            {
                PackPartial(from, stride, transpose, width - j, k, panel, destination);
            }
            else
            {
                TransposePanel(from, stride, k, panel, destination);
            }
        }
    }

    /// <summary>A few source rows at a time over all panels, so that rows are read along and not in steps of a panel.</summary>
    private static void PackCopied<T>(T* source, nint stride, int width, int k, int panel, T* destination)
        where T : unmanaged
    {
        for (int p = 0; p < k; p += CopiedRows, source += CopiedRows * stride, destination += CopiedRows * panel)
        {
            int rows = Math.Min(CopiedRows, k - p);
            T* to = destination;
            int j = 0;
            for (; j <= width - panel; j += panel, to += (nint)panel * k)
            {
                CopyPanel(source + j, stride, rows, panel, to);
            }

            if (j < width)
            {
                PackPartial(source + j, stride, transpose: false, width - j, rows, panel, to);
            }
        }
    }

    private static void PackPartial<T>(T* source, nint stride, bool transpose, int width, int k, int panel, T* destination)
        where T : unmanaged
    {
        for (int p = 0; p < k; p++, destination += panel)
        {
            if (transpose)
            {
                for (int j = 0; j < width; j++)
                {
                    destination[j] = source[(j * stride) + p];
                }
            }
            else
            {
                new ReadOnlySpan<T>(source + (p * stride), width).CopyTo(new Span<T>(destination, width));
            }

            new Span<T>(destination + width, panel - width).Clear();
        }
    }

    private static void CopyPanel<T>(T* source, nint stride, int k, int panel, T* destination)
        where T : unmanaged
    {
        if (Lanes512<T>.IsSupported && panel >= Vector512<T>.Count)
        {
            CopyRows<T, Vector512<T>, Lanes512<T>>(source, stride, k, panel, destination);
        }
        else if (Vector256.IsHardwareAccelerated && panel >= Vector256<T>.Count)
        {
            CopyRows<T, Vector256<T>, Lanes256<T>>(source, stride, k, panel, destination);
        }
        else if (Vector128.IsHardwareAccelerated && panel >= Vector128<T>.Count)
        {
            CopyRows<T, Vector128<T>, Lanes128<T>>(source, stride, k, panel, destination);
        }
        else
        {
            CopyRows<T, T, LanesScalar<T>>(source, stride, k, panel, destination);
        }
    }

    /// <summary>Whole vectors; where the panel is no multiple of one, the last overlaps the one before.</summary>
    private static void CopyRows<T, TVector, TLanes>(T* source, nint stride, int k, int panel, T* destination)
        where T : unmanaged
        where TVector : struct
        where TLanes : struct, IGemmLanes<T, TVector>
    {
        int last = panel - TLanes.Count;
        if (panel <= 2 * TLanes.Count)
        {
            for (int p = 0; p < k; p++, source += stride, destination += panel)
            {
                TLanes.Store(TLanes.Load(source), destination);
                TLanes.Store(TLanes.Load(source + last), destination + last);
            }

            return;
        }

        for (int p = 0; p < k; p++, source += stride, destination += panel)
        {
            for (int j = 0; j < last; j += TLanes.Count)
            {
                TLanes.Store(TLanes.Load(source + j), destination + j);
            }

            TLanes.Store(TLanes.Load(source + last), destination + last);
        }
    }

    private static void TransposePanel<T>(T* source, nint stride, int k, int panel, T* destination)
        where T : unmanaged
    {
        if (Shuffle512.IsSupported && panel >= Vector512<T>.Count)
        {
            TransposeRows<T, Vector512<float>, Shuffle512>(source, stride, k, panel, destination);
        }
        else if (Shuffle256.IsSupported && panel >= Vector256<T>.Count)
        {
            TransposeRows<T, Vector256<float>, Shuffle256>(source, stride, k, panel, destination);
        }
        else if (Shuffle128.IsSupported && panel >= Vector128<T>.Count)
        {
            TransposeRows<T, Vector128<float>, Shuffle128>(source, stride, k, panel, destination);
        }
        else
        {
            PackPartial(source, stride, transpose: true, panel, k, panel, destination);
        }
    }

    private static void TransposeRows<T, TVector, TShuffle>(T* source, nint stride, int k, int panel, T* destination)
        where T : unmanaged
        where TVector : struct
        where TShuffle : struct, ITransposeShuffle<TVector>
    {
        int group = 16 / sizeof(T) * TShuffle.Lanes; // source rows in a vector
        int last = panel - group;
        for (int j = 0; j < last; j += group)
        {
            TransposeGroup<T, TVector, TShuffle>(source + (j * stride), stride, k, panel, destination + j);
        }

        TransposeGroup<T, TVector, TShuffle>(source + (last * stride), stride, k, panel, destination + last);
    }

    /// <summary>
    /// One vector's worth of source rows. Each 128-bit lane transposes its own 4 rows × 4 k of 32-bit elements (2 × 2 of 64-bit ones); since lane l
    /// is loaded from rows 4l … 4l + 3, the lanes side by side are the wanted column.
    /// </summary>
    private static void TransposeGroup<T, TVector, TShuffle>(T* source, nint stride, int k, int panel, T* destination)
        where T : unmanaged
        where TVector : struct
        where TShuffle : struct, ITransposeShuffle<TVector>
    {
        int square = 16 / sizeof(T);
        nint pitch = stride * square * sizeof(T);
        int p = 0;
        for (; p + square <= k; p += square, source += square, destination += (nint)square * panel)
        {
            TVector r0 = TShuffle.LoadLanes((byte*)source, pitch);
            TVector r1 = TShuffle.LoadLanes((byte*)(source + stride), pitch);
            if (sizeof(T) == 8)
            {
                TShuffle.Store(TShuffle.Low64(r0, r1), destination);
                TShuffle.Store(TShuffle.High64(r0, r1), destination + panel);
                continue;
            }

            TVector r2 = TShuffle.LoadLanes((byte*)(source + (2 * stride)), pitch);
            TVector r3 = TShuffle.LoadLanes((byte*)(source + (3 * stride)), pitch);
            TVector low01 = TShuffle.Low32(r0, r1);
            TVector low23 = TShuffle.Low32(r2, r3);
            TVector high01 = TShuffle.High32(r0, r1);
            TVector high23 = TShuffle.High32(r2, r3);
            TShuffle.Store(TShuffle.Low64(low01, low23), destination);
            TShuffle.Store(TShuffle.High64(low01, low23), destination + panel);
            TShuffle.Store(TShuffle.Low64(high01, high23), destination + (2 * panel));
            TShuffle.Store(TShuffle.High64(high01, high23), destination + (3 * panel));
        }

        int rows = square * TShuffle.Lanes;
        for (; p < k; p++, source++, destination += panel)
        {
            for (int j = 0; j < rows; j++)
            {
                destination[j] = source[j * stride];
            }
        }
    }
}
