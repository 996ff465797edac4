using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// Carries states from part to part of time: where a part really ends is where it ends from zero, plus where it begins times Π exp(Δ_t A) = exp(A Σ Δ_t): one exponential a
/// part instead of a product over positions.
/// </summary>
internal static class ScanCarry
{
    /// <summary>One thread for every number of state of every channel of every sample. The ends of parts are replaced in place.</summary>
    /// <param name="decays">A [channels, states].</param>
    /// <param name="count">Parts but the last.</param>
    /// <param name="cells">batch · channels · states.</param>
    [Kernel(Name = "scan_carry")]
    public static void Run(ReadOnlyView<float> decays, ScanParts parts, int count, int cells, int channels, int states)
    {
        int cell = Grid.ThreadX;
        if (cell >= cells)
        {
            return;
        }

        int row = cell / states, n = cell % states;
        float decay = decays[((row % channels) * states) + n] * Base2.Log2E, state = parts.Ends[cell];
        for (int part = 1; part < count; part++)
        {
            Loop.Keep();
            long at = ((long)part * cells) + cell;
            float steps = parts.Steps[((long)part * (cells / states)) + row];
            float kept = steps == float.PositiveInfinity ? 0f : GpuMath.Exp2Approximate(decay * steps);
            state = GpuMath.Fma(kept, state, parts.Ends[at]);
            parts.Ends[at] = state;
        }
    }
}
