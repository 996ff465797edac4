using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// A few registers' worth of neighbouring channels of one sample, which a selective scan walks through time together. Numbers of a state lie as [register, n, lane],
/// so that the loop over n reads one stream.
/// </summary>
internal readonly unsafe struct ScanStrip<TV, T>(SelectiveScanProblem<T> problem, int sample, int channel, int registers)
    where TV : unmanaged, ISimd<TV, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public readonly SelectiveScanProblem<T> Problem = problem;

    public readonly int Sample = sample;

    /// <summary>The first channel.</summary>
    public readonly int Channel = channel;

    public readonly int Registers = registers;

    /// <summary>Numbers that the strip's state has.</summary>
    public int StateSize => Registers * Problem.States * TV.Width;

    /// <summary>A·log2 e into [register, n, lane], so that exp(Δ A) = 2^(Δ·that).</summary>
    public void LoadDecay(T* decay)
    {
        T* from = Problem.A + ((nint)Channel * Problem.States);
        Gather(from, decay);
        for (int i = 0; i < StateSize; i += TV.Width)
        {
            (TV.Load(decay + i) * TV.Of(1.44269504088896341)).Store(decay + i);
        }
    }

    /// <summary>The initial state, or zero, into [register, n, lane].</summary>
    public void LoadState(T* state)
    {
        if (Problem.InitialState is null)
        {
            new Span<T>(state, StateSize).Clear();
        }
        else
        {
            Gather(Problem.InitialState + StateAt, state);
        }
    }

    /// <summary>[register, n, lane] into this strip's part of [B, D, N].</summary>
    public void StoreState(T* state, T* target)
    {
        T* to = target + StateAt;
        for (int i = 0; i < Registers * TV.Width; i++)
        {
            T* lane = state + (i / TV.Width * Problem.States * TV.Width) + (i % TV.Width);
            for (int n = 0; n < Problem.States; n++)
            {
                *to++ = lane[n * TV.Width];
            }
        }
    }

    /// <summary>[register, n, lane] into or out of this strip's columns of rows [N, D].</summary>
    public void StoreColumns(T* state, T* rows)
    {
        for (int v = 0; v < Registers; v++)
        {
            for (int n = 0; n < Problem.States; n++)
            {
                TV.Load(state).Store(rows + ((nint)n * Problem.Channels) + Channel + (v * TV.Width));
                state += TV.Width;
            }
        }
    }

    /// <summary>This strip's columns of rows [N, D] into [register, n, lane].</summary>
    public void LoadColumns(T* rows, T* state)
    {
        for (int v = 0; v < Registers; v++)
        {
            for (int n = 0; n < Problem.States; n++)
            {
                TV.Load(rows + ((nint)n * Problem.Channels) + Channel + (v * TV.Width)).Store(state);
                state += TV.Width;
            }
        }
    }

    /// <summary>
    /// Asks for a register's numbers of a row ahead of their use: a strip reads a few cache lines of every row, a pattern in which the processor does not look ahead itself.
    /// The row may lie outside.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prefetch(T* at)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(at);
        }
    }

    /// <summary>delta + bias of a register's channels, before softplus.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TV RawStep(nint row, int c)
    {
        TV x = TV.Load(Problem.Delta[row] + c);
        return Problem.DeltaBias is null ? x : x + TV.Load(Problem.DeltaBias + c);
    }

    /// <summary>Δ of a register's channels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TV StepSize(nint row, int c)
    {
        TV x = RawStep(row, c);
        return Problem.Softplus ? default(Softplus<T>).Apply(x) : x;
    }

    private nint StateAt => (((nint)Sample * Problem.Channels) + Channel) * Problem.States;

    private void Gather(T* channels, T* state)
    {
        for (int i = 0; i < Registers * TV.Width; i++)
        {
            T* lane = state + (i / TV.Width * Problem.States * TV.Width) + (i % TV.Width);
            for (int n = 0; n < Problem.States; n++)
            {
                lane[n * TV.Width] = *channels++;
            }
        }
    }
}
