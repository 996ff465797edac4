using LinearCald.Gpu;
using LinearCald.Tensors.Cpu;
using LinearCald.Tensors.Cuda.Kernels;

namespace LinearCald.Tensors.Cuda.Tests.Attention;

/// <summary>Runs one softmax attention forward and backward on an accelerator and compares everything with the CPU's plain twin in double.</summary>
internal static unsafe class AttentionComparison
{
    /// <summary>What attention has kernels for.</summary>
    public static readonly GemmPrecision[] Precisions = [GemmPrecision.Float32, GemmPrecision.TensorFloat32, GemmPrecision.BFloat16, GemmPrecision.Half];

    public static void Run(Accelerator accelerator, AttentionProblem problem, RandomKey key, int[]? lengths, int seed, WarpgroupFlashTile? tile = null)
    {
        if (problem.Precision is GemmPrecision.Float32 or GemmPrecision.TensorFloat32)
        {
            Run<float>(accelerator, problem, key, lengths, seed, tile);
        }
        else
        {
            Run<ushort>(accelerator, problem, key, lengths, seed, tile);
        }
    }

    private static void Run<T>(Accelerator accelerator, AttentionProblem problem, RandomKey key, int[]? lengths, int seed, WarpgroupFlashTile? tile = null)
        where T : unmanaged
    {
        using AttentionData<T> data = new(accelerator, problem.Precision, seed);

        // part of the stream's number lies in device memory, as for recorded work
        problem = problem with { Key = new DeviceRandomKey(key with { Stream = key.Stream - 5 }, data.Copy<ulong>([5]).ReadOnly) };
        int queries = problem.Batch * problem.QueryLength * problem.Width, keys = problem.Batch * problem.KeyLength * problem.Width, rows = problem.Batch * problem.Heads * problem.QueryLength;
        (DeviceBuffer<T> q, double[] hq) = data.Numbers(queries, 2);
        (DeviceBuffer<T> k, double[] hk) = data.Numbers(keys, 2);
        (DeviceBuffer<T> v, double[] hv) = data.Numbers(keys, 1);
        (DeviceBuffer<T> g, double[] hg) = data.Numbers(queries, 1);
        DeviceBuffer<T> y = data.Fresh<T>(queries), gq = data.Fresh<T>(queries), gk = data.Fresh<T>(keys), gv = data.Fresh<T>(keys);
        DeviceBuffer<float> lse = data.Fresh<float>(rows);
        ReadOnlyView<int>? n = lengths is null ? null : data.Copy(lengths).ReadOnly;
        DeviceBuffer<T>? rest = problem.Precision is GemmPrecision.BFloat16 or GemmPrecision.Half ? data.Fresh<T>(queries) : null;
        AttentionLauncher.Forward(accelerator, problem, q.ReadOnly, k.ReadOnly, v.ReadOnly, n, y.View, lse.View, rest?.View, tile);
        AttentionLauncher.Backward(accelerator, problem, q.ReadOnly, k.ReadOnly, v.ReadOnly, n, y.ReadOnly, lse.ReadOnly, g.ReadOnly, gq.View, gk.View, gv.View, rest?.ReadOnly,
            tile is null ? null : problem.HeadSize <= WarpgroupRing.BoxColumns);

        double[] ry = new double[queries], rlse = new double[rows], rq = new double[queries], rk = new double[keys], rv = new double[keys];
        AttentionShape shape = new(problem.Batch, problem.Heads, problem.QueryLength, problem.KeyLength, problem.HeadSize);
        AttentionOptions options = new(problem.Scale, problem.Causal, problem.Dropout, key.Seed, key.Stream);
        int width = problem.Width;
        fixed (int* pn = lengths)
        fixed (double* pq = hq, pk = hk, pv = hv, pg = hg, py = ry, pl = rlse, dq = rq, dk = rk, dv = rv)
        {
            AttentionReference.Forward<double>(shape, options, new(pq, width), new(pk, width), new(pv, width), pn, new(py, width), pl);
            AttentionReference.Backward<double>(shape, options, new(pq, width), new(pk, width), new(pv, width), pn, new(py, width), pl, new(pg, width), new(dq, width), new(dk, width), new(dv, width));
        }

        // gradients of scores are differences, which cancel where few keys are seen: the size of their terms
        int seen = lengths is null ? problem.KeyLength : Math.Max(1, lengths.Min());
        double size = 0.4 * Math.Sqrt(queries / (double)seen);
        data.Close("y", data.Read(y), ry);
        data.Close("lse", [.. lse.ToArray().Select(x => (double)x)], rlse, problem.Scale * Math.Sqrt(problem.HeadSize * (double)rows)); // a score is a sum that cancels: the size of its terms
        data.Close("gq", data.Read(gq), rq, size);
        data.Close("gk", data.Read(gk), rk, size);
        data.Close("gv", data.Read(gv), rv);
    }
}
