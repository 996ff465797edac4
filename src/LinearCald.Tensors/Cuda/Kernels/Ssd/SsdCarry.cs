using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// What segments hand on: the state at the end of each, from zero, and how much it leaves of the state before it. The state on entry of a segment is then
/// h ← decay · h + end over the segments before it, which every group sums for itself, in order. The gradient of the state passes the other way alike.
/// </summary>
internal struct SsdCarry
{
    /// <summary>[turns − 1][teams][accumulators of a thread][threads] of four numbers.</summary>
    public View<float> States;

    /// <summary>[turns − 1][teams].</summary>
    public View<float> Decays;

    /// <summary>Leaves the end of the group's segment.</summary>
    public readonly void Leave<TS, TP>(ref Registers<Float4, Times<TS, TP>> state, float decay, int team, int turn, SsdSizes sizes)
        where TS : struct, ICount
        where TP : struct, ICount
    {
        int slot = (turn * sizes.Teams) + team;
        long at = ((long)slot * (TS.Value * TP.Value * SsdSizes.Threads)) + Group.Thread;
        View<Float4> target = States.As<Float4>();
        for (int i = 0; i < TS.Value * TP.Value; i++)
        {
            target[at + (i * SsdSizes.Threads)] = state[i];
        }

        if (Group.Thread == 0)
        {
            Decays[slot] = decay;
        }
    }

    /// <summary>From the state before the first turn to that before the group's.</summary>
    public readonly void Enter<TS, TP>(ref Registers<Float4, Times<TS, TP>> state, int team, int turn, SsdSizes sizes)
        where TS : struct, ICount
        where TP : struct, ICount
    {
        View<Float4> source = States.As<Float4>();
        for (int before = 0; before < turn; before++)
        {
            Loop.Keep();
            int slot = (before * sizes.Teams) + team;
            long at = ((long)slot * (TS.Value * TP.Value * SsdSizes.Threads)) + Group.Thread;
            float decay = Decays[slot];
            for (int i = 0; i < TS.Value * TP.Value; i++)
            {
                Float4 s = state[i], end = source[at + (i * SsdSizes.Threads)];
                state[i] = new Float4(GpuMath.Fma(decay, s.X, end.X), GpuMath.Fma(decay, s.Y, end.Y), GpuMath.Fma(decay, s.Z, end.Z), GpuMath.Fma(decay, s.W, end.W));
            }
        }
    }
}
