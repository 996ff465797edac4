using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// dots[b, h, i] = Σ gy · (y + rest) over the columns of head h of row i: what the gradient of the softmax subtracts from every probability's gradient. Eight lanes
/// a row. Floor: one read of y, rest and gy.
/// </summary>
internal static class FlashRowDots
{
    /// <summary>Lanes of a row.</summary>
    public const int Lanes = 8;

    /// <summary>One thread a lane of a row; y and gy [B, QueryLength, Heads · HeadSize], so that row r of heads lies at r · HeadSize.</summary>
    [Kernel(Name = "attention_row_dots")]
    public static void Run<TProduct, T>(
        ReadOnlyView<T> y, ReadOnlyView<T> rest, ReadOnlyView<T> gy, View<float> dots, int rows, AttentionSizes sizes, [Constant] AttentionTraits traits)
        where TProduct : struct, ITileProduct<T>
        where T : unmanaged
    {
        int row = Grid.ThreadX / Lanes, lane = Grid.ThreadX % Lanes, head = traits.HeadSize;
        float sum = 0;
        if (row < rows)
        {
            sum = traits.Vectors ? VectorDot<TProduct, T>(y, gy, (long)row * head, lane, head) : Dot<TProduct, T>(y, gy, (long)row * head, lane, head);
            if (traits.HasRest)
            {
                sum += traits.Vectors ? VectorDot<TProduct, T>(rest, gy, (long)row * head, lane, head) : Dot<TProduct, T>(rest, gy, (long)row * head, lane, head);
            }
        }

        sum += Warp.ShuffleXor(sum, 4);
        sum += Warp.ShuffleXor(sum, 2);
        sum += Warp.ShuffleXor(sum, 1);
        if (lane == 0 && row < rows)
        {
            int h = row % sizes.Heads, query = row / sizes.Heads % sizes.QueryLength, sample = row / sizes.Heads / sizes.QueryLength;
            dots[((((long)sample * sizes.Heads) + h) * sizes.QueryLength) + query] = sum;
        }
    }

    private static unsafe float VectorDot<TProduct, T>(ReadOnlyView<T> y, ReadOnlyView<T> gy, long first, int lane, int head)
        where TProduct : struct, ITileProduct<T>
        where T : unmanaged
    {
        ReadOnlyView<UInt4> a = y.From(first).As<UInt4>(), b = gy.From(first).As<UInt4>();
        int vectors = head * sizeof(T) / 16;
        float sum = 0;
        for (int i = 0; i < vectors; i += Lanes)
        {
            if (i + Lanes <= vectors || i + lane < vectors)
            {
                sum = TProduct.Dot(a[i + lane], b[i + lane], sum);
            }
        }

        return sum;
    }

    private static float Dot<TProduct, T>(ReadOnlyView<T> y, ReadOnlyView<T> gy, long first, int lane, int head)
        where TProduct : struct, ITileProduct<T>
        where T : unmanaged
    {
        float sum = 0;
        for (int i = lane; i < head; i += Lanes)
        {
            Loop.Keep();
            sum = GpuMath.Fma(TProduct.Widen(y[first + i]), TProduct.Widen(gy[first + i]), sum);
        }

        return sum;
    }
}
