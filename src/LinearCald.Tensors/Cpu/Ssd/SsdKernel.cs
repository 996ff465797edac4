using System.Numerics;
using System.Runtime.Intrinsics;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// The scan of Mamba-2 on the CPU, float or double: tasks over rows and runs of heads, each walking its chunks with the states in the cache. The same bits for any number of
/// threads. The plain twin is <see cref="SsdReference"/>.
/// </summary>
internal static unsafe class SsdKernel
{
    /// <summary>Most memory of one task for the states on entry of its chunks.</summary>
    private const long KeptBytes = 64 << 20;

    /// <summary>Of the forward pass, so that no thread waits long for the last one.</summary>
    private const int TasksPerThread = 3;

    /// <param name="y">[B·L] × H·P; written completely, 0 in the padding.</param>
    /// <param name="pool">Threads to use; null: <see cref="WorkerPool.Shared"/>.</param>
    public static void Forward<T>(in SsdShape shape, in SsdData<T> data, T* y, WorkerPool? pool = null)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        pool ??= WorkerPool.Shared;
        if (shape.Length == 1)
        {
            SsdStep.Execute(in shape, in data, y, pool);
        }
        else if (Vector512.IsHardwareAccelerated)
        {
            Forward<T, Wide512<T>>(in shape, in data, y, pool);
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            Forward<T, Wide256<T>>(in shape, in data, y, pool);
        }
        else if (Vector128.IsHardwareAccelerated)
        {
            Forward<T, Wide128<T>>(in shape, in data, y, pool);
        }
        else
        {
            Forward<T, Lane<T>>(in shape, in data, y, pool);
        }
    }

    /// <summary>All gradients, overwritten.</summary>
    /// <param name="gy">[B·L] × H·P; gx is the same, gdelta [B·L] × H, gb and gc [B·L] × G·N, each at a pitch of its own.</param>
    /// <param name="ga">[H], as gd and gbias, which may be null.</param>
    /// <param name="ginitial">[B, H, P, N] or null.</param>
    public static void Backward<T>(in SsdShape shape, in SsdData<T> data, Rows<T> gy, Rows<T> gx, Rows<T> gdelta, T* ga, Rows<T> gb, Rows<T> gc, T* gd, T* gbias, T* ginitial, WorkerPool? pool = null)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        pool ??= WorkerPool.Shared;
        SsdCut cut = new(in shape, SsdCut.ManyTasks, int.MaxValue);
        long states = ((shape.Length + cut.Chunk - 1) / cut.Chunk) * shape.StateCount * sizeof(T);
        cut = new SsdCut(in shape, SsdCut.ManyTasks, (int)Math.Clamp(KeptBytes / Math.Max(1, states), 1, shape.HeadsPerGroup));
        int groups = shape.Groups * shape.StateSize, heads = shape.Batch * shape.Heads;
        nint partial = (nint)shape.Batch * shape.Length * groups;
        bool direct = cut.RunsPerGroup == 1;
        using Scratch<T> partials = new(direct ? 0 : 2 * partial * cut.RunsPerGroup);
        using Scratch<double> sums = new(3 * heads);
        SsdGradientData<T> gradient = new()
        {
            Output = gy,
            X = gx,
            Delta = gdelta,
            B = direct ? gb : new(partials.Pointer, groups),
            C = direct ? gc : new(partials.Pointer + (partial * cut.RunsPerGroup), groups),
            Partial = partial,
            A = sums.Pointer,
            D = sums.Pointer + heads,
            DeltaBias = sums.Pointer + (2 * heads),
            InitialState = ginitial,
        };
        if (Vector512.IsHardwareAccelerated)
        {
            Backward<T, Wide512<T>>(in shape, in data, in gradient, in cut, pool);
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            Backward<T, Wide256<T>>(in shape, in data, in gradient, in cut, pool);
        }
        else if (Vector128.IsHardwareAccelerated)
        {
            Backward<T, Wide128<T>>(in shape, in data, in gradient, in cut, pool);
        }
        else
        {
            Backward<T, Lane<T>>(in shape, in data, in gradient, in cut, pool);
        }

        if (!direct)
        {
            long rows = (long)shape.Batch * shape.Length;
            pool.For(Cut.Pieces(rows, Cut.Rows(groups)), new SumRuns<T>(gradient.B, partial, cut.RunsPerGroup, gb, rows, groups));
            pool.For(Cut.Pieces(rows, Cut.Rows(groups)), new SumRuns<T>(gradient.C, partial, cut.RunsPerGroup, gc, rows, groups));
        }

        SumBatch(in shape, gradient.A, ga);
        SumBatch(in shape, gradient.D, gd);
        SumBatch(in shape, gradient.DeltaBias, gbias);
    }

    /// <summary>The forward pass at one register width.</summary>
    internal static void Forward<T, TV>(in SsdShape shape, in SsdData<T> data, T* y, WorkerPool pool)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TV : unmanaged, ISimd<TV, T>
    {
        SsdCut cut = new(in shape, TasksPerThread * pool.Threads, int.MaxValue);
        pool.For(cut.Tasks(in shape), new SsdForward<T, TV> { Shape = shape, Data = data, Output = new(y, (nint)shape.Heads * shape.HeadSize), Cut = cut });
    }

    private static void Backward<T, TV>(in SsdShape shape, in SsdData<T> data, in SsdGradientData<T> gradient, in SsdCut cut, WorkerPool pool)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TV : unmanaged, ISimd<TV, T> =>
        pool.For(cut.Tasks(in shape), new SsdBackward<T, TV> { Shape = shape, Data = data, Gradient = gradient, Cut = cut });

    private static void SumBatch<T>(in SsdShape shape, double* parts, T* target)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (int h = 0; target != null && h < shape.Heads; h++)
        {
            double sum = 0;
            for (int b = 0; b < shape.Batch; b++)
            {
                sum += parts[(b * shape.Heads) + h];
            }

            target[h] = T.CreateTruncating(sum);
        }
    }

    /// <summary>Adds the shares of the runs of heads in their order.</summary>
    private readonly struct SumRuns<T>(Rows<T> parts, nint partial, int runs, Rows<T> target, long rows, int columns) : IParallelBody
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Execute(int index)
        {
            int size = Cut.Rows(columns);
            for (nint i = (nint)index * size; i < Math.Min(rows, ((nint)index + 1) * size); i++)
            {
                TilePacking.SumRows(new Rows<T>(parts[i], partial), runs, target[i], columns);
            }
        }
    }
}
