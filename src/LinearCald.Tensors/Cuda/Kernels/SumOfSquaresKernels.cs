using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// Σ x² in float64, where squares of float32 are exact and cannot overflow: the total is not finite exactly when an element is not. Every group sums
/// a chunk into a partial sum of its own, and one group adds these in an order that depends on their number only: the same bits from run to run.
/// Floor: one read.
/// </summary>
internal static unsafe class SumOfSquaresKernels
{
    /// <summary>Threads of a group.</summary>
    public const int Threads = 256;

    /// <summary>Elements that a group sums; the chunks of <see cref="AdamWKernels"/>.</summary>
    public const int Chunk = AdamWKernels.Chunk;

    /// <summary>Where, behind the eight of <see cref="AdamWCoefficients"/>, it says whether to update (1) or not (0).</summary>
    public const int Proceed = 8;

    /// <summary>Numbers that <see cref="Finish"/> writes.</summary>
    public const int Coefficients = 9;

    /// <summary>Numbers that <see cref="Finish"/> reads.</summary>
    public const int Settings = 10;

    private const int InFlight = 4;

    /// <summary>partials[group] = Σ x² over the group's chunk of one tensor.</summary>
    [Kernel(Name = "squares")]
    public static void Squares<TWord, TFormat>(ReadOnlyView<TWord> x, long length, View<double> partials, [Constant] bool vectors)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        long first = (long)Grid.IndexX * Chunk;
        int count = AdamWKernels.Count(length - first);
        double sum = GroupSum(Sum<TWord, TFormat>(x.Slice(first, count), count, vectors));
        if (Group.IndexX == 0)
        {
            partials[Grid.IndexX] = sum;
        }
    }

    /// <summary>The same over the gradients of many tensors.</summary>
    /// <param name="table">See <see cref="TensorTable"/>.</param>
    /// <param name="chunks">A group's tensor (X) and chunk within it (Y).</param>
    [Kernel(Name = "squares_all")]
    public static void SquaresAll(ReadOnlyView<long> table, ReadOnlyView<Int2> chunks, View<double> partials)
    {
        Int2 chunk = chunks[Grid.IndexX];
        int row = chunk.X * TensorTable.Columns;
        long first = (long)chunk.Y * Chunk;
        int count = AdamWKernels.Count(table[row + TensorTable.Length] - first);
        ReadOnlyView<float> g = new((float*)table[row + TensorTable.Gradient] + first, count);
        double sum;
        if ((table[row + TensorTable.Flags] & TensorTable.Aligned) != 0)
        {
            sum = Sum<float, Float32Format>(g, count, vectors: true);
        }
        else
        {
            sum = Sum<float, Float32Format>(g, count, vectors: false);
        }

        sum = GroupSum(sum);
        if (Group.IndexX == 0)
        {
            partials[Grid.IndexX] = sum;
        }
    }

    /// <summary>total[0] += Σ partials; one group.</summary>
    [Kernel(Name = "squares_total")]
    public static void AddPartials(ReadOnlyView<double> partials, int count, View<double> total)
    {
        double sum = GroupSum(SumPartials(partials, count));
        if (Group.IndexX == 0)
        {
            total[0] = total[0] + sum;
        }
    }

    /// <summary>
    /// total[0] = Σ partials, and from it the update's coefficients: gradients are scaled by s · min(1, most / (√total · s + 1e-6)); a total that is not
    /// finite forbids the update. One group.
    /// </summary>
    /// <param name="leftOut">Updates among the first t that did not take place; one more if this one does not.</param>
    /// <param name="settings">1 − lr · decay, β₁, β₂, −lr / (1 − β₁ᵗ), 1 / √(1 − β₂ᵗ), ε, s, most, −lr, t.</param>
    /// <param name="coefficients">The fields of <see cref="AdamWCoefficients"/> in order, then <see cref="Proceed"/>.</param>
    [Kernel(Name = "adamw_finish")]
    public static void Finish(
        ReadOnlyView<double> partials, int count, View<double> total, View<double> leftOut, ReadOnlyView<double> settings, View<float> coefficients)
    {
        double sum = GroupSum(SumPartials(partials, count));
        if (Group.IndexX == 0)
        {
            total[0] = sum;
            double scale = settings[6];
            double beta1 = settings[1], beta2 = settings[2];
            double norm = Math.Sqrt(sum) * scale;
            double limit = settings[7] / (norm + 1e-6);
            if (limit < 1.0)
            {
                scale *= limit;
            }

            double move = settings[3], unbias = settings[4];
            double missing = leftOut[0];
            if (missing > 0.0)
            {
                int taken = (int)(settings[9] - missing);
                move = settings[8] / (1.0 - Power(beta1, taken));
                unbias = 1.0 / Math.Sqrt(1.0 - Power(beta2, taken));
            }

            coefficients[0] = (float)settings[0];
            coefficients[1] = (float)beta1;
            coefficients[2] = (float)((1.0 - beta1) * scale);
            coefficients[3] = (float)beta2;
            coefficients[4] = (float)(Math.Sqrt(1.0 - beta2) * scale);
            coefficients[5] = (float)move;
            coefficients[6] = (float)unbias;
            coefficients[7] = (float)settings[5];
            bool proceed = norm < double.PositiveInfinity;
            coefficients[Proceed] = proceed ? 1f : 0f;
            if (!proceed)
            {
                leftOut[0] = missing + 1.0;
            }
        }
    }

    private static double Sum<TWord, TFormat>(ReadOnlyView<TWord> x, int count, bool vectors)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        double sum = 0.0;
        int done = 0;
        if (vectors)
        {
            ReadOnlyView<UInt4> xs = x.As<UInt4>();
            int whole = (int)((uint)count / (uint)TFormat.Lanes);
            int v = Group.IndexX;
            for (; v + ((InFlight - 1) * Threads) < whole; v += InFlight * Threads)
            {
                Registers<UInt4, N4> loaded = default;
                for (int k = 0; k < InFlight; k++)
                {
                    loaded[k] = xs[v + (k * Threads)];
                }

                for (int k = 0; k < InFlight; k++)
                {
                    sum = AddVector<TWord, TFormat>(sum, loaded[k]);
                }
            }

            for (; v < whole; v += Threads)
            {
                sum = AddVector<TWord, TFormat>(sum, xs[v]);
            }

            done = whole * TFormat.Lanes;
        }

        for (int i = done + Group.IndexX; i < count; i += Threads)
        {
            double value = TFormat.Widen(x[i]);
            sum = GpuMath.Fma(value, value, sum);
        }

        return sum;
    }

    private static double AddVector<TWord, TFormat>(double sum, UInt4 vector)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        Registers<float, N8> values = TFormat.Unpack(vector);
        for (int i = 0; i < TFormat.Lanes; i++)
        {
            double value = values[i];
            sum = GpuMath.Fma(value, value, sum);
        }

        return sum;
    }

    private static double Power(double x, int exponent)
    {
        double y = 1.0;
        for (; exponent > 0; exponent >>= 1)
        {
            if ((exponent & 1) != 0)
            {
                y *= x;
            }

            x *= x;
        }

        return y;
    }

    private static double SumPartials(ReadOnlyView<double> partials, int count)
    {
        double sum = 0.0;
        for (int i = Group.IndexX; i < count; i += Threads)
        {
            sum += partials[i];
        }

        return sum;
    }

    /// <summary>The sum over the group, on every thread.</summary>
    private static double GroupSum(double value)
    {
        Shared<double> warps = Shared.Allocate<double>(Threads / Warp.Size);
        value = WarpSum(value);
        if (Warp.Lane == 0)
        {
            warps[Warp.Index] = value;
        }

        Group.Barrier();
        double sum = warps[0];
        for (int w = 1; w < Threads / Warp.Size; w++)
        {
            sum += warps[w];
        }

        return sum;
    }

    private static double WarpSum(double value)
    {
        for (int mask = 16; mask > 0; mask >>= 1)
        {
            value += Warp.ShuffleXor(value, mask);
        }

        return value;
    }
}
