using System.Numerics;
using System.Runtime.CompilerServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// h_t = exp(Δ_t A) h_{t−1} + Δ_t B_t u_t, y_t = (C_t·h_t + D u_t)·silu(z_t), vectorised over channels and sequential in time: no step of a scan is done twice, and the
/// exponentials (11 operations of 15) are the floor. A task is one block of channels of one sample.
/// </summary>
/// <param name="problem">What is scanned.</param>
/// <param name="y">[B·L, D].</param>
/// <param name="finalState">[B, D, N] or null; may be the initial state.</param>
/// <param name="entries">[chunks, B, N, D] or null: the state before every <see cref="SelectiveScanKernel.ChunkSteps"/>th position, for the gradient.</param>
internal readonly unsafe struct SelectiveScanForward<T>(SelectiveScanProblem<T> problem, T* y, T* finalState, T* entries) : IChannelBlock<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Rows that are asked for ahead of their use: longer than memory takes to answer.</summary>
    private const int RowsAhead = 8;

    /// <summary>Keeps the state and A off each other's places in the first-level cache.</summary>
    private const int Apart = 80;

    public void Execute<TV>(int sample, int channel, int registers, bool first)
        where TV : unmanaged, ISimd<TV, T>
    {
        ScanStrip<TV, T> strip = new(problem, sample, channel, registers);
        using Scratch<T> scratch = new((2L * strip.StateSize) + Apart);
        T* decay = scratch.Pointer, state = decay + strip.StateSize + Apart;
        strip.LoadDecay(decay);
        strip.LoadState(state);
        int valid = problem.Valid(sample);
        nint row = (nint)sample * problem.Length;
        for (int t = 0; t < valid; t++, row++)
        {
            if (entries is not null && t % SelectiveScanKernel.ChunkSteps == 0)
            {
                strip.StoreColumns(state, entries + SelectiveScanKernel.EntryAt(problem, t / SelectiveScanKernel.ChunkSteps, sample));
            }

            if (problem.Restarts(sample, t))
            {
                new Span<T>(state, strip.StateSize).Clear();
            }

            for (int v = 0; v < registers; v++)
            {
                nint at = (nint)v * problem.States * TV.Width;
                int c = channel + (v * TV.Width);
                T* target = y + (row * problem.Channels) + c;
                ScanStrip<TV, T>.Prefetch(problem.U[row + RowsAhead] + c);
                ScanStrip<TV, T>.Prefetch(problem.Delta[row + RowsAhead] + c);
                ScanStrip<TV, T>.Prefetch(target + (RowsAhead * problem.Channels));
                TV delta = strip.StepSize(row, c);
                TV u = TV.Load(problem.U[row] + c);
                TV output = problem.D is null ? TV.Of(0.0) : TV.Load(problem.D + c) * u;
                output = Advance(decay + at, state + at, delta, delta * u, problem.B[row], problem.C[row], output, problem.States);
                if (problem.Z.Start is not null)
                {
                    ScanStrip<TV, T>.Prefetch(problem.Z[row + RowsAhead] + c);
                    TV z = TV.Load(problem.Z[row] + c);
                    output *= z * VectorMath.Sigmoid<TV, T>(z);
                }

                output.Store(target);
            }
        }

        Rows<T> outputs = new(y + channel, problem.Channels);
        outputs.Clear(row, (nint)(sample + 1) * problem.Length, registers * TV.Width);
        if (finalState is not null)
        {
            strip.StoreState(state, finalState);
        }
    }

    /// <summary>One step of one register's channels; returns output + C·h.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TV Advance<TV>(T* decay, T* state, TV delta, TV input, T* b, T* c, TV output, int states)
        where TV : unmanaged, ISimd<TV, T>
    {
        for (int n = 0; n < states; n++)
        {
            nint at = (nint)n * TV.Width;
            TV a = VectorMath.Exp2<TV, T>(delta * TV.Load(decay + at));
            TV h = TV.Fma(a, TV.Load(state + at), input * TV.Broadcast(b[n]));
            h.Store(state + at);
            output = TV.Fma(h, TV.Broadcast(c[n]), output);
        }

        return output;
    }
}
