using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// CTC on the CPU: the loss of every utterance and its gradient, utterances in parallel. The same bits for any number of threads; the plain twin is <see cref="CtcLossReference"/>.
/// </summary>
internal static unsafe class CtcLossKernel
{
    /// <summary>Lattices up to here are kept whole; longer ones are made again piece by piece.</summary>
    private const long KeptBytes = 32 << 20;

    /// <exception cref="CaldException">A length or a label is out of range.</exception>
    public static void Run<T>(in CtcShape shape, CtcData<T> data)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Run(in shape, data, KeptBytes);

    /// <summary>As above, with a bound on the memory that an utterance takes for its lattice, where it can be kept.</summary>
    internal static void Run<T>(in CtcShape shape, CtcData<T> data, long keptBytes)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        data.Check(in shape);
        if (Vector512.IsHardwareAccelerated)
        {
            WorkerPool.Shared.For(shape.Batch, new Utterance<T, Wide512<T>>(shape, data, keptBytes));
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            WorkerPool.Shared.For(shape.Batch, new Utterance<T, Wide256<T>>(shape, data, keptBytes));
        }
        else if (Vector128.IsHardwareAccelerated)
        {
            WorkerPool.Shared.For(shape.Batch, new Utterance<T, Wide128<T>>(shape, data, keptBytes));
        }
        else
        {
            WorkerPool.Shared.For(shape.Batch, new Utterance<T, Lane<T>>(shape, data, keptBytes));
        }
    }

    private readonly struct Utterance<T, TV>(CtcShape shape, CtcData<T> data, long keptBytes) : IParallelBody
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TV : unmanaged, ISimd<TV, T>
    {
        public void Execute(int index)
        {
            int frames = data.InputLengths[index], labels = data.TargetLengths[index];
            long sample = (long)index * shape.Frames * shape.Classes;
            int* target = data.Targets + ((long)index * shape.Targets);
            T* gradient = data.Gradient is null ? null : data.Gradient + sample;
            double loss = double.PositiveInfinity;
            if (FramesNeeded(target, labels) <= frames)
            {
                CtcUtterance<T, TV> utterance = new(data.Logits + sample, frames, shape.Classes, target, labels, shape.Blank, keptBytes, gradient);
                loss = utterance.Run();
                utterance.Dispose();
            }

            long counted = double.IsFinite(loss) ? (long)frames * shape.Classes : 0, all = (long)shape.Frames * shape.Classes;
            if (gradient is not null && double.IsNaN(loss))
            {
                new Span<T>(gradient, checked(frames * shape.Classes)).Fill(T.NaN);
                counted = (long)frames * shape.Classes;
            }

            if (gradient is not null)
            {
                NativeMemory.Clear(gradient + counted, (nuint)((all - counted) * sizeof(T)));
            }

            data.Losses[index] = T.CreateTruncating(double.IsPositiveInfinity(loss) && shape.ZeroInfinity ? 0 : loss);
        }
    }

    /// <summary>One a label, and one more for the blank between equal neighbours.</summary>
    private static int FramesNeeded(int* target, int labels)
    {
        int frames = labels;
        for (int k = 1; k < labels; k++)
        {
            frames += target[k] == target[k - 1] ? 1 : 0;
        }

        return frames;
    }
}
