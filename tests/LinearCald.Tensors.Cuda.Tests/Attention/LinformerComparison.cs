using LinearCald.Gpu;
using LinearCald.Tensors.Cpu;
using LinearCald.Tensors.Cuda.Kernels;

namespace LinearCald.Tensors.Cuda.Tests.Attention;

/// <summary>Runs one Linformer attention forward and backward on an accelerator and compares everything with the CPU's plain twin in double.</summary>
internal static unsafe class LinformerComparison
{
    /// <param name="shared">One projection for keys and values, and one gradient.</param>
    /// <param name="accumulate">Whether the projections' gradients are added to what is there.</param>
    public static void Run(Accelerator accelerator, LinformerProblem problem, RandomKey key, int[]? lengths, bool shared, bool accumulate, int seed)
    {
        if (problem.Precision is GemmPrecision.Float32 or GemmPrecision.TensorFloat32)
        {
            Run<float>(accelerator, problem, key, lengths, shared, accumulate, seed);
        }
        else
        {
            Run<ushort>(accelerator, problem, key, lengths, shared, accumulate, seed);
        }
    }

    private static void Run<T>(Accelerator accelerator, LinformerProblem problem, RandomKey key, int[]? lengths, bool shared, bool accumulate, int seed)
        where T : unmanaged
    {
        using AttentionData<T> data = new(accelerator, problem.Precision, seed);

        // part of the stream's number lies in device memory, as for recorded work
        problem = problem with { Key = new DeviceRandomKey(key with { Stream = key.Stream - 5 }, data.Copy<ulong>([5]).ReadOnly) };
        int inputs = problem.Batch * problem.Length * problem.Width, rows = problem.Batch * problem.Heads * problem.Length;
        int factors = problem.Positions * problem.Rank, slots = problem.Batch * problem.Rank * problem.Width, width = problem.Width;
        (DeviceBuffer<T> q, double[] hq) = data.Numbers(inputs, 2);
        (DeviceBuffer<T> k, double[] hk) = data.Numbers(inputs, 2);
        (DeviceBuffer<T> v, double[] hv) = data.Numbers(inputs, 1);
        (DeviceBuffer<T> g, double[] hg) = data.Numbers(inputs, 1);
        (DeviceBuffer<T> e, double[] he) = data.Numbers(factors, 1.7);
        (DeviceBuffer<T> f, double[] hf) = shared ? (e, he) : data.Numbers(factors, 1.7);
        (DeviceBuffer<T> ge, double[] re) = accumulate ? data.Numbers(factors, 1) : (data.Fresh<T>(factors), new double[factors]);
        (DeviceBuffer<T> gf, double[] rf) = shared ? (ge, re) : accumulate ? data.Numbers(factors, 1) : (data.Fresh<T>(factors), new double[factors]);
        DeviceBuffer<T> y = data.Fresh<T>(inputs), kp = data.Fresh<T>(slots), vp = data.Fresh<T>(slots);
        DeviceBuffer<T> gq = data.Fresh<T>(inputs), gk = data.Fresh<T>(inputs), gv = data.Fresh<T>(inputs);
        DeviceBuffer<float> lse = data.Fresh<float>(rows);
        ReadOnlyView<int>? n = lengths is null ? null : data.Copy(lengths).ReadOnly;
        DeviceBuffer<T>? rest = problem.Precision is GemmPrecision.BFloat16 or GemmPrecision.Half ? data.Fresh<T>(inputs) : null;
        LinformerLauncher.Forward(accelerator, problem, q.ReadOnly, k.ReadOnly, v.ReadOnly, e.ReadOnly, f.ReadOnly, n, y.View, lse.View, kp.View, vp.View, rest?.View);
        LinformerLauncher.Backward(
            accelerator, problem, q.ReadOnly, k.ReadOnly, v.ReadOnly, e.ReadOnly, f.ReadOnly, n, y.ReadOnly, lse.ReadOnly, kp.ReadOnly, vp.ReadOnly, g.ReadOnly,
            gq.View, gk.View, gv.View, ge.View, accumulate, gf.View, accumulate, rest?.ReadOnly);

        double[] ry = new double[inputs], rlse = new double[rows], rkp = new double[slots], rvp = new double[slots];
        double[] rq = new double[inputs], rk = new double[inputs], rv = new double[inputs];
        LinformerShape shape = new(problem.Batch, problem.Heads, problem.Length, problem.HeadSize, problem.Rank, problem.Positions);
        AttentionOptions options = new(problem.Scale, false, problem.Dropout, key.Seed, key.Stream);
        fixed (int* pn = lengths)
        fixed (double* pq = hq, pk = hk, pv = hv, pg = hg, pe = he, pf = hf, py = ry, pl = rlse, pkp = rkp, pvp = rvp)
        fixed (double* dq = rq, dk = rk, dv = rv, de = re, df = rf)
        {
            LinformerAttentionReference.Forward<double>(shape, options, new(pq, width), new(pk, width), new(pv, width), pe, pf, pn, new(py, width), pkp, pvp, pl);
            LinformerAttentionReference.Backward<double>(
                shape, options, new(pq, width), new(pk, width), new(pv, width), pe, pf, pn, new(py, width), pkp, pvp, pl, new(pg, width),
                new(dq, width), new(dk, width), new(dv, width), de, accumulate, df, accumulate);
        }

        // three products follow each other with the data rounded between, and gradients of scores are differences: errors are relative to the size of the terms
        double size = 2 * Math.Sqrt(inputs / (double)problem.Rank);
        data.Close("kProjected", data.Read(kp), rkp);
        data.Close("vProjected", data.Read(vp), rvp);
        data.Close("lse", [.. lse.ToArray().Select(x => (double)x)], rlse, Math.Sqrt(rows));
        data.Close("y", data.Read(y), ry, size);
        data.Close("gq", data.Read(gq), rq, size);
        data.Close("gk", data.Read(gk), rk, size);
        data.Close("gv", data.Read(gv), rv, size);
        data.Close("ge", data.Read(ge), re, size);
        data.Close("gf", data.Read(gf), rf, size);
    }
}
