using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

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
        if (Vector512.IsHardwareAccelerated && p.States % Wide512<T>.Width == 0)
        {
            Advance<Wide512<T>>(sample, channel, count, delta, input, sum);
        }
        else if (Vector256.IsHardwareAccelerated && p.States % Wide256<T>.Width == 0)
        {
            Advance<Wide256<T>>(sample, channel, count, delta, input, sum);
        }
        else if (Vector128.IsHardwareAccelerated && p.States % Wide128<T>.Width == 0)
        {
            Advance<Wide128<T>>(sample, channel, count, delta, input, sum);
        }
        else
        {
            Advance<Lane<T>>(sample, channel, count, delta, input, sum);
        }

        SimdLoop.For<T, Outputs>(0, count, new(p, sample, channel, sum, y + at));
    }

    /// <summary>h = exp(Δ A) h + Δ u B of neighbouring channels, and C·h.</summary>
    private void Advance<TV>(int sample, int channel, int count, T* delta, T* input, T* sum)
        where TV : unmanaged, ISimd<TV, T>
    {
        nint states = p.States, state = (((nint)sample * p.Channels) + channel) * states;
        T* a = p.A + (channel * states), b = p.B[sample], c = p.C[sample];
        T* before = p.InitialState is null ? null : p.InitialState + state, after = finalState is null ? null : finalState + state;
        for (int i = 0; i < count; i++)
        {
            TV step = TV.Broadcast(delta[i]) * TV.Of(1.44269504088896341), added = TV.Broadcast(input[i]), total = TV.Of(0.0);
            for (nint n = 0; n < states; n += TV.Width)
            {
                nint at = (i * states) + n;
                TV h = added * TV.Load(b + n);
                if (before is not null)
                {
                    h = TV.Fma(VectorMath.Exp2<TV, T>(step * TV.Load(a + at)), TV.Load(before + at), h);
                }

                if (after is not null)
                {
                    h.Store(after + at);
                }

                total = TV.Fma(h, TV.Load(c + n), total);
            }

            sum[i] = total.SumLanes();
        }
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
