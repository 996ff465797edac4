using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// One position of a selective scan, for generation: four neighbouring lanes a channel, which read and write its state as one piece; no shared memory, no barrier.
/// Floor: the latency of one read, and reading and writing the state once.
/// </summary>
internal static class SelectiveScanStep
{
    /// <summary>One thread for every 4 numbers of 16 of a channel's state; samples outermost.</summary>
    /// <param name="finalState">May be the initial state.</param>
    [Kernel(Name = "selective_scan_step")]
    public static void Run<TWord, TFormat>(SelectiveScanArguments<TWord> x, View<TWord> y, View<float> finalState, int batch, [Constant] SelectiveScanTraits traits)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        int part = Grid.ThreadX & 3, wanted = Grid.ThreadX >> 2, cells = batch * x.Channels;
        bool inside = wanted < cells;
        int cell = Math.Min(wanted, cells - 1), sample = cell / x.Channels, channel = cell % x.Channels;
        bool counts = x.Valid(sample, traits) > 0;
        float u = TFormat.Widen(x.U[((long)sample * x.PitchU) + channel]);
        float delta = x.StepSize(TFormat.Widen(x.Delta[((long)sample * x.PitchDelta) + channel]), channel, traits);
        float sum = 0f;
        Registers<float, N4> state = default;
        for (int i = 0; i < 4; i++)
        {
            Loop.Unroll();
            int n = (part * 4) + i;
            state[i] = 0f;
            if (n < x.States)
            {
                long at = ((long)cell * x.States) + n;
                float before = traits.HasInitialState ? x.InitialState[at] : 0f;
                float decay = GpuMath.Exp2Approximate(x.A[((long)channel * x.States) + n] * Base2.Log2E * delta);
                float after = GpuMath.Fma(decay, before, delta * u * TFormat.Widen(x.B[((long)sample * x.PitchB) + n]));
                sum = GpuMath.Fma(TFormat.Widen(x.C[((long)sample * x.PitchC) + n]), after, sum);
                state[i] = counts ? after : before;
            }
        }

        if (traits.Ends && inside)
        {
            for (int i = 0; i < 4; i++)
            {
                Loop.Unroll();
                int n = (part * 4) + i;
                if (n < x.States)
                {
                    finalState[((long)cell * x.States) + n] = state[i];
                }
            }
        }

        sum += Warp.ShuffleXor(sum, 1);
        sum += Warp.ShuffleXor(sum, 2);
        if (traits.HasSkip)
        {
            sum = GpuMath.Fma(x.D[channel], u, sum);
        }

        if (traits.HasGate)
        {
            float z = TFormat.Widen(x.Z[((long)sample * x.PitchZ) + channel]);
            sum *= z * DeviceMath.Sigmoid(z);
        }

        if (inside && part == 0)
        {
            y[cell] = TFormat.Narrow(counts ? sum : 0f);
        }
    }
}
