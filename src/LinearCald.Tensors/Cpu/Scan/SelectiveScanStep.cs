using System.Numerics;
using System.Runtime.CompilerServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// One position of a selective scan (generation): vectorised over the numbers of a state, which lie side by side in [B, D, N], so that the state is read and written once
/// and nothing is transposed. What every channel needs once (Δ, the gate) is vectorised over channels.
/// </summary>
/// <param name="p">What is scanned; its length is 1.</param>
/// <param name="y">[B, D].</param>
/// <param name="finalState">[B, D, N] or null; may be the initial state.</param>
/// <param name="blocks">Tasks of a sample.</param>
internal readonly unsafe struct SelectiveScanStep<T>(SelectiveScanProblem<T> p, T* y, T* finalState, int blocks) : IParallelBody
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int BlockChannels = 128;

    public static void Run(in SelectiveScanProblem<T> p, T* y, T* finalState)
    {
        int blocks = Cut.Pieces(p.Channels, BlockChannels);
        WorkerPool.Shared.For(p.Batch * blocks, new SelectiveScanStep<T>(p, y, finalState, blocks));
    }

    public void Execute(int index)
    {
        (int sample, int block) = Math.DivRem(index, blocks);
        int channel = block * BlockChannels, count = Math.Min(BlockChannels, p.Channels - channel);
        nint at = ((nint)sample * p.Channels) + channel;
        if (p.Valid(sample) == 0)
        {
            new Span<T>(y + at, count).Clear();
            KeepState(at * p.States, (nint)count * p.States);
            return;
        }

        T* delta = stackalloc T[BlockChannels];
        T* input = stackalloc T[BlockChannels];
        T* sum = stackalloc T[BlockChannels];
        SimdLoop.For<T, StepSizes>(0, count, new(p, sample, channel, delta, input));
        for (int i = 0; i < count; i++)
        {
            nint state = (at + i) * p.States;
            sum[i] = SimdLoop.Sum<T, Advance>(0, p.States, new(
                p.A + ((nint)(channel + i) * p.States), p.B[sample], p.C[sample], delta[i], input[i],
                p.InitialState is null ? null : p.InitialState + state, finalState is null ? null : finalState + state));
        }

        SimdLoop.For<T, Outputs>(0, count, new(p, sample, channel, sum, y + at));
    }

    private void KeepState(nint at, nint count)
    {
        if (finalState is null)
        {
            return;
        }

        Span<T> target = new(finalState + at, checked((int)count));
        if (p.InitialState is null)
        {
            target.Clear();
        }
        else
        {
            new Span<T>(p.InitialState + at, target.Length).CopyTo(target);
        }
    }

    /// <summary>Δ and Δ u.</summary>
    private readonly struct StepSizes(SelectiveScanProblem<T> p, int row, int channel, T* delta, T* input) : ISimdBody<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(nint i)
            where TV : unmanaged, ISimd<TV, T>
        {
            TV step = new ScanStrip<TV, T>(p, row, channel, 1).StepSize(row, channel + (int)i);
            step.Store(delta + i);
            (step * TV.Load(p.U[row] + channel + i)).Store(input + i);
        }
    }

    /// <summary>h = exp(Δ A) h + Δ u B of one channel; adds C·h up.</summary>
    private readonly struct Advance(T* a, T* b, T* c, T delta, T input, T* before, T* after) : ISimdFold<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TV Step<TV>(TV soFar, nint n)
            where TV : unmanaged, ISimd<TV, T>
        {
            TV h = TV.Broadcast(input) * TV.Load(b + n);
            if (before is not null)
            {
                TV power = TV.Load(a + n) * TV.Of(1.44269504088896341) * TV.Broadcast(delta);
                h = TV.Fma(VectorMath.Exp2<TV, T>(power), TV.Load(before + n), h);
            }

            if (after is not null)
            {
                h.Store(after + n);
            }

            return TV.Fma(h, TV.Load(c + n), soFar);
        }
    }

    /// <summary>(C·h + D u)·silu(z).</summary>
    private readonly struct Outputs(SelectiveScanProblem<T> p, int row, int channel, T* sum, T* y) : ISimdBody<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(nint i)
            where TV : unmanaged, ISimd<TV, T>
        {
            TV output = TV.Load(sum + i);
            if (p.D is not null)
            {
                output = TV.Fma(TV.Load(p.D + channel + i), TV.Load(p.U[row] + channel + i), output);
            }

            if (p.Z.Start is not null)
            {
                TV z = TV.Load(p.Z[row] + channel + i);
                output *= z * VectorMath.Sigmoid<TV, T>(z);
            }

            output.Store(y + i);
        }
    }
}
