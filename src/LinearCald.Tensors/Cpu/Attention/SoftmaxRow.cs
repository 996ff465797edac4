using System.Numerics;

namespace LinearCald.Tensors.Cpu;

/// <summary>The rows of a tile of scores: softmax with a running maximum, and the two factors of the backward products.</summary>
/// <remarks>
/// Rows lie in tiles padded to whole registers. Columns from <c>visible</c> on are hidden: they become zero, whatever they held, up to
/// the end of their register and on to <c>columns</c>.
/// </remarks>
internal static unsafe class SoftmaxRow
{
    /// <summary>
    /// Replaces the scores by exp(score − m), m the largest score of this row so far, and returns the factor by which what was summed before
    /// must shrink.
    /// </summary>
    /// <param name="largest">Running maximum m; −∞ before the first tile.</param>
    /// <param name="sum">Running sum of the exponentials.</param>
    public static T Forward<T, TV>(T* row, int visible, int columns, ref T largest, ref T sum)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TV : unmanaged, ISimd<TV, T>
    {
        int end = Hide<T, TV>(row, visible, columns, T.NegativeInfinity);
        if (visible == 0)
        {
            return T.One;
        }

        TV most = TV.Load(row);
        for (int j = TV.Width; j < end; j += TV.Width)
        {
            most = TV.MaxNative(most, TV.Load(row + j));
        }

        T before = largest;
        T m = T.Max(before, most.MaxLanes());
        TV shift = TV.Broadcast(m), total = TV.Of(0.0);
        for (int j = 0; j < end; j += TV.Width)
        {
            TV p = VectorMath.Exp<TV, T>(TV.Load(row + j) - shift);
            p.Store(row + j);
            total += p;
        }

        T shrink = T.IsNegativeInfinity(before) ? T.Zero : T.Exp(before - m);
        largest = m;
        sum = (sum * shrink) + total.SumLanes();
        return shrink;
    }

    /// <summary>
    /// scores ← P = exp(score − lse); gradients (of the probabilities) ← dS = P (gradient − delta).
    /// </summary>
    public static void Backward<T, TV>(T* scores, T* gradients, int visible, int columns, T lse, T delta)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TV : unmanaged, ISimd<TV, T>
    {
        int end = Hide<T, TV>(scores, visible, columns, T.NegativeInfinity);
        Hide<T, TV>(gradients, visible, columns, T.Zero);
        TV l = TV.Broadcast(lse), d = TV.Broadcast(delta);
        for (int j = 0; j < end; j += TV.Width)
        {
            TV p = VectorMath.Exp<TV, T>(TV.Load(scores + j) - l);
            p.Store(scores + j);
            (p * (TV.Load(gradients + j) - d)).Store(gradients + j);
        }
    }

    /// <summary>As <see cref="Backward{T, TV}(T*, T*, int, int, T, T)"/> with dropout factors M: scores ← P M, gradients ← P (M gradient − delta).</summary>
    public static void BackwardDropped<T, TV>(T* scores, T* gradients, T* factors, int visible, int columns, T lse, T delta)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TV : unmanaged, ISimd<TV, T>
    {
        int end = Hide<T, TV>(scores, visible, columns, T.NegativeInfinity);
        Hide<T, TV>(gradients, visible, columns, T.Zero);
        Hide<T, TV>(factors, visible, columns, T.Zero);
        TV l = TV.Broadcast(lse), d = TV.Broadcast(delta);
        for (int j = 0; j < end; j += TV.Width)
        {
            TV p = VectorMath.Exp<TV, T>(TV.Load(scores + j) - l), kept = TV.Load(factors + j);
            (p * kept).Store(scores + j);
            (p * ((kept * TV.Load(gradients + j)) - d)).Store(gradients + j);
        }
    }

    /// <summary>row ← row · factors, which have <paramref name="visible"/> elements.</summary>
    public static void Drop<T, TV>(T* row, T* factors, int visible)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TV : unmanaged, ISimd<TV, T>
    {
        int j = 0;
        for (; j + TV.Width <= visible; j += TV.Width)
        {
            (TV.Load(row + j) * TV.Load(factors + j)).Store(row + j);
        }

        for (; j < visible; j++)
        {
            row[j] *= factors[j];
        }
    }

    /// <summary>Σ x[i] · y[i] over whole registers in a fixed order, then the rest.</summary>
    public static T Dot<T, TV>(T* x, T* y, int count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TV : unmanaged, ISimd<TV, T>
    {
        TV total = TV.Of(0.0);
        int i = 0;
        for (; i + TV.Width <= count; i += TV.Width)
        {
            total = TV.Fma(TV.Load(x + i), TV.Load(y + i), total);
        }

        T sum = total.SumLanes();
        for (; i < count; i++)
        {
            sum += x[i] * y[i];
        }

        return sum;
    }

    /// <summary>Fills the hidden rest of the last visible register with <paramref name="hidden"/>, later columns with zero; returns the visible columns in whole registers.</summary>
    private static int Hide<T, TV>(T* row, int visible, int columns, T hidden)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TV : unmanaged, ISimd<TV, T>
    {
        int end = TilePacking.Registers<T, TV>(visible) * TV.Width;
        for (int j = visible; j < end; j++)
        {
            row[j] = hidden;
        }

        for (int j = end; j < columns; j++)
        {
            row[j] = T.Zero;
        }

        return end;
    }
}
