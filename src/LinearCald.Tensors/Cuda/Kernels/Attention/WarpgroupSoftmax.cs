using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>What a thread knows of its two rows, 8 apart, of scores that come block by block: what exponentials are relative to, and its share of their sum.</summary>
internal struct WarpgroupSoftmax
{
    public float UpperMaximum;
    public float LowerMaximum;

    /// <summary>What the last block made of sums under older maxima.</summary>
    public float UpperShrink;
    public float LowerShrink;
    private float _upperSum;
    private float _lowerSum;

    /// <summary>Nothing seen.</summary>
    public void Clear()
    {
        UpperMaximum = LowerMaximum = float.NegativeInfinity;
        UpperShrink = LowerShrink = 1;
        _upperSum = _lowerSum = 0;
    }

    /// <summary>Scores become exp2(scale2 · (score − m)). Returns whether m changed in one of the thread's rows, so that older sums have to be multiplied by the shrinks.</summary>
    /// <param name="slack">m changes when a score exceeds it by this.</param>
    public bool Next<TN>(ref Registers<float, TN> scores, float scale2, float slack)
        where TN : struct, ICount
    {
        float upper = Largest(ref scores, 0), lower = Largest(ref scores, 2);
        bool isUpperNew = upper - UpperMaximum >= slack, isLowerNew = lower - LowerMaximum >= slack;
        float oldUpper = UpperMaximum, oldLower = LowerMaximum;
        UpperMaximum = isUpperNew ? upper : oldUpper;
        LowerMaximum = isLowerNew ? lower : oldLower;
        float upperShift = FlashForward.Shift(UpperMaximum, scale2), lowerShift = FlashForward.Shift(LowerMaximum, scale2);
        UpperShrink = isUpperNew ? FlashScores.Probability(oldUpper, scale2, upperShift) : 1;
        LowerShrink = isLowerNew ? FlashScores.Probability(oldLower, scale2, lowerShift) : 1;
        _upperSum = GpuMath.Fma(_upperSum, UpperShrink, Exponentials(ref scores, 0, scale2, upperShift));
        _lowerSum = GpuMath.Fma(_lowerSum, LowerShrink, Exponentials(ref scores, 2, scale2, lowerShift));
        return isUpperNew || isLowerNew;
    }

    /// <summary>The rows' sums; on all four lanes of a row.</summary>
    public readonly Float2 Sums() => new(FlashForward.QuadSum(_upperSum), FlashForward.QuadSum(_lowerSum));

    // two chains, since one after the other they wait for each other
    private static float Largest<TN>(ref Registers<float, TN> scores, int row)
        where TN : struct, ICount
    {
        float even = scores[row], odd = scores[row + 1];
        for (int i = 4; i < TN.Value; i += 4)
        {
            even = MathF.Max(even, scores[i + row]);
            odd = MathF.Max(odd, scores[i + row + 1]);
        }

        return FlashForward.QuadMax(MathF.Max(even, odd));
    }

    private static float Exponentials<TN>(ref Registers<float, TN> scores, int row, float scale2, float shift)
        where TN : struct, ICount
    {
        float even = 0, odd = 0;
        for (int i = 0; i < TN.Value; i += 4)
        {
            float x = FlashScores.Probability(scores[i + row], scale2, shift), y = FlashScores.Probability(scores[i + row + 1], scale2, shift);
            scores[i + row] = x;
            scores[i + row + 1] = y;
            even += x;
            odd += y;
        }

        return even + odd;
    }
}
