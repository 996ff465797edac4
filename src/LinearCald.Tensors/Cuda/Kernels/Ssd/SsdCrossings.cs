using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>What passes across each step of a chunk: Σ_{i ≥ k > j} T_ij with T_ij = (dy_i · x_j) Δ_j G_ij L_ij, from blocks whose rows are j and columns i.</summary>
internal static class SsdCrossings
{
    /// <summary>G becomes G ∘ L and K becomes Δ K ∘ L; writes the warp's sums for all steps to its row of <paramref name="across"/>.</summary>
    public static void Weigh(ref Registers<Float4, Times<N1, N8>> g, ref Registers<Float4, Times<N1, N8>> k, SsdDecays decays, Shared<float> across)
    {
        int quad = Warp.Lane & 3, j = (16 * Warp.Index) + (Warp.Lane >> 2);
        float high = decays.High[j], low = decays.Low[j], lowerHigh = decays.High[j + 8], lowerLow = decays.Low[j + 8], delta = decays.Delta[j], lowerDelta = decays.Delta[j + 8];
        float upperCarry = 0f, lowerCarry = 0f; // Σ over the columns behind this block
        for (int n = 7; n >= 0; n--)
        {
            int pair = (4 * n) + quad, i = 2 * pair;
            Float2 h = decays.High.As<Float2>()[pair], l = decays.Low.As<Float2>()[pair], start = decays.Start.As<Float2>()[pair];
            float x = SsdDecays.Between(h.X - high, l.X - low, i, j, start.X), y = SsdDecays.Between(h.Y - high, l.Y - low, i + 1, j, start.Y);
            float z = SsdDecays.Between(h.X - lowerHigh, l.X - lowerLow, i, j + 8, start.X), w = SsdDecays.Between(h.Y - lowerHigh, l.Y - lowerLow, i + 1, j + 8, start.Y);
            Float4 weight = g[n], slope = k[n];
            weight = new Float4(weight.X * x, weight.Y * y, weight.Z * z, weight.W * w);
            slope = new Float4(slope.X * delta, slope.Y * delta, slope.Z * lowerDelta, slope.W * lowerDelta);
            Float2 upperSums = SuffixSums(slope.X * weight.X, slope.Y * weight.Y, ref upperCarry), lowerSums = SuffixSums(slope.Z * weight.Z, slope.W * weight.W, ref lowerCarry);
            g[n] = weight;
            k[n] = new Float4(slope.X * x, slope.Y * y, slope.Z * z, slope.W * w);
            float first = ColumnSum((j < i ? upperSums.X : 0f) + (j + 8 < i ? lowerSums.X : 0f));
            float second = ColumnSum((j < i + 1 ? upperSums.Y : 0f) + (j + 8 < i + 1 ? lowerSums.Y : 0f));
            if (Warp.Lane < 4)
            {
                across.As<Float2>()[(SsdSizes.Chunk / 2 * Warp.Index) + pair] = new Float2(first, second);
            }
        }
    }

    // sums of a row from each of the lane's two columns on, to the row's end
    private static Float2 SuffixSums(float first, float second, ref float carry)
    {
        int quad = Warp.Lane & 3;
        float sum = first + second;
        float next = Warp.ShuffleDown(sum, 1);
        sum += quad < 3 ? next : 0f;
        next = Warp.ShuffleDown(sum, 2);
        sum += quad < 2 ? next : 0f;
        next = Warp.ShuffleDown(sum, 1);
        float last = (quad < 3 ? next : 0f) + carry + second;
        carry += Warp.Shuffle(sum, Warp.Lane & ~3);
        return new Float2(last + first, last);
    }

    // over the eight lanes that share columns
    private static float ColumnSum(float value)
    {
        value += Warp.ShuffleXor(value, 4);
        value += Warp.ShuffleXor(value, 8);
        return value + Warp.ShuffleXor(value, 16);
    }
}
