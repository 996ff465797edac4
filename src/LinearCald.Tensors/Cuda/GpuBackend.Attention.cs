using LinearCald.Gpu;
using LinearCald.Tensors.Cuda.Kernels;

namespace LinearCald.Tensors.Cuda;

/// <content>Attention. 16-bit tensors are passed as their bits.</content>
internal sealed unsafe partial class GpuBackend
{
    public override void Attention(
        Tensor q, Tensor k, Tensor v, Tensor? lengths, int heads, bool causal, double scale, double p, RandomKey key, Tensor y, Tensor lse, Tensor? rest = null)
    {
        AttentionProblem problem = AttentionOf(q, k, heads, causal, scale, p, key);
        if (q.Type == DType.Float32)
        {
            Run<float>();
        }
        else
        {
            Run<ushort>();
        }

        void Run<T>()
            where T : unmanaged => AttentionLauncher.Forward(
                _accelerator, problem, Read<T>(q), Read<T>(k), Read<T>(v), ReadLengths(lengths), Write<T>(y), Write<float>(lse), WriteOrNone<T>(rest));
    }

    public override void AttentionGradient(
        Tensor q, Tensor k, Tensor v, Tensor? lengths, int heads, bool causal, double scale, double p, RandomKey key, Tensor y, Tensor lse, Tensor gy, Tensor gq, Tensor gk, Tensor gv,
        Tensor? rest = null)
    {
        AttentionProblem problem = AttentionOf(q, k, heads, causal, scale, p, key);
        if (q.Type == DType.Float32)
        {
            Run<float>();
        }
        else
        {
            Run<ushort>();
        }

        void Run<T>()
            where T : unmanaged => AttentionLauncher.Backward(
                _accelerator, problem, Read<T>(q), Read<T>(k), Read<T>(v), ReadLengths(lengths), Read<T>(y), Read<float>(lse), Read<T>(gy), Write<T>(gq), Write<T>(gk), Write<T>(gv),
                rest is null ? null : Read<T>(rest));
    }

    public override void LinformerAttention(
        Tensor q, Tensor k, Tensor v, Tensor e, Tensor f, Tensor? lengths, int heads, double scale, double p, RandomKey key, Tensor y, Tensor lse, Tensor kProjected, Tensor vProjected,
        Tensor? rest = null)
    {
        LinformerProblem problem = LinformerOf(q, e, heads, scale, p, key);
        if (q.Type == DType.Float32)
        {
            Run<float>();
        }
        else
        {
            Run<ushort>();
        }

        void Run<T>()
            where T : unmanaged => LinformerLauncher.Forward(
                _accelerator, problem, Read<T>(q), Read<T>(k), Read<T>(v), Read<T>(e), Read<T>(f), ReadLengths(lengths), Write<T>(y), Write<float>(lse), Write<T>(kProjected), Write<T>(vProjected),
                WriteOrNone<T>(rest));
    }

    public override void LinformerAttentionGradient(
        Tensor q, Tensor k, Tensor v, Tensor e, Tensor f, Tensor? lengths, int heads, double scale, double p, RandomKey key, Tensor y, Tensor lse, Tensor kProjected, Tensor vProjected,
        Tensor gy, Tensor gq, Tensor gk, Tensor gv, Tensor ge, bool accumulateE, Tensor gf, bool accumulateF, Tensor? rest = null)
    {
        LinformerProblem problem = LinformerOf(q, e, heads, scale, p, key);
        if (q.Type == DType.Float32)
        {
            Run<float>();
        }
        else
        {
            Run<ushort>();
        }

        void Run<T>()
            where T : unmanaged => LinformerLauncher.Backward(
                _accelerator, problem, Read<T>(q), Read<T>(k), Read<T>(v), Read<T>(e), Read<T>(f), ReadLengths(lengths), Read<T>(y), Read<float>(lse), Read<T>(kProjected), Read<T>(vProjected),
                Read<T>(gy), Write<T>(gq), Write<T>(gk), Write<T>(gv), Write<T>(ge), accumulateE, Write<T>(gf), accumulateF, rest is null ? null : Read<T>(rest));
    }

    private AttentionProblem AttentionOf(Tensor q, Tensor k, int heads, bool causal, double scale, double p, RandomKey key) => new(
        ScorePrecision("Attention", q, k.Shape[1]), q.Shape[0], heads, q.Shape[1], k.Shape[1], q.Shape[2] / heads, scale, causal, p, p > 0 ? _device.KeyFor(key) : default);

    private LinformerProblem LinformerOf(Tensor q, Tensor e, int heads, double scale, double p, RandomKey key) => new(
        ScorePrecision("LinformerAttention", q, e.Shape[1]), q.Shape[0], heads, q.Shape[1], q.Shape[2] / heads, e.Shape[1], e.Shape[0], scale, p, p > 0 ? _device.KeyFor(key) : default);

    /// <summary>
    /// Gradients of scores are small differences of large sums, so that rounding their operands to tf32 costs a model's gradients more than all its other products; over
    /// few keys full float32 takes no time that shows.
    /// </summary>
    private GemmPrecision ScorePrecision(string operation, Tensor q, int keys)
    {
        const int FewKeys = 256;
        GemmPrecision precision = PrecisionOf(operation, q);
        return precision == GemmPrecision.TensorFloat32 && keys <= FewKeys ? GemmPrecision.Float32 : precision;
    }

    private static ReadOnlyView<T> Read<T>(Tensor tensor)
        where T : unmanaged => new((T*)Address(tensor), tensor.Shape.Count);

    private static View<T> Write<T>(Tensor tensor)
        where T : unmanaged => new((T*)Address(tensor), tensor.Shape.Count);

    private static ReadOnlyView<int>? ReadLengths(Tensor? lengths) => lengths is null ? null : Read<int>(lengths);
}
