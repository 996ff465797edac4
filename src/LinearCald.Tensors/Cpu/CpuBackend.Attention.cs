
namespace LinearCald.Tensors.Cpu;

/// <content>Attention.</content>
internal sealed unsafe partial class CpuBackend
{
    public override void Attention(
        Tensor q, Tensor k, Tensor v, Tensor? lengths, int heads, bool causal, double scale, double p, RandomKey key, Tensor y, Tensor lse, Tensor? rest = null)
    {
        AttentionShape shape = ShapeOf(q, k, heads);
        AttentionOptions options = new(scale, causal, p, key.Seed, key.Stream);
        int width = shape.Width;
        int* n = PointerOrNull<int>(lengths);
        switch (q.Type)
        {
            case DType.Float32:
                AttentionKernel.Forward(shape, options, new(Pointer<float>(q), width), new(Pointer<float>(k), width), new(Pointer<float>(v), width), n, new(Pointer<float>(y), width), Pointer<float>(lse));
                break;
            case DType.Float64:
                AttentionKernel.Forward(shape, options, new(Pointer<double>(q), width), new(Pointer<double>(k), width), new(Pointer<double>(v), width), n, new(Pointer<double>(y), width), Pointer<double>(lse));
                break;
            default:
                throw Unsupported("Attention", q);
        }
    }

    public override void AttentionGradient(
        Tensor q, Tensor k, Tensor v, Tensor? lengths, int heads, bool causal, double scale, double p, RandomKey key, Tensor y, Tensor lse, Tensor gy, Tensor gq, Tensor gk, Tensor gv,
        Tensor? rest = null)
    {
        AttentionShape shape = ShapeOf(q, k, heads);
        AttentionOptions options = new(scale, causal, p, key.Seed, key.Stream);
        int width = shape.Width;
        int* n = PointerOrNull<int>(lengths);
        switch (q.Type)
        {
            case DType.Float32:
                AttentionKernel.Backward(
                    shape, options, new(Pointer<float>(q), width), new(Pointer<float>(k), width), new(Pointer<float>(v), width), n, new(Pointer<float>(y), width), Pointer<float>(lse),
                    new(Pointer<float>(gy), width), new(Pointer<float>(gq), width), new(Pointer<float>(gk), width), new(Pointer<float>(gv), width));
                break;
            case DType.Float64:
                AttentionKernel.Backward(
                    shape, options, new(Pointer<double>(q), width), new(Pointer<double>(k), width), new(Pointer<double>(v), width), n, new(Pointer<double>(y), width), Pointer<double>(lse),
                    new(Pointer<double>(gy), width), new(Pointer<double>(gq), width), new(Pointer<double>(gk), width), new(Pointer<double>(gv), width));
                break;
            default:
                throw Unsupported("Attention", q);
        }
    }

    public override void LinformerAttention(
        Tensor q, Tensor k, Tensor v, Tensor e, Tensor f, Tensor? lengths, int heads, double scale, double p, RandomKey key, Tensor y, Tensor lse, Tensor kProjected, Tensor vProjected,
        Tensor? rest = null)
    {
        switch (q.Type)
        {
            case DType.Float32:
                LinformerForward<float>(q, k, v, e, f, lengths, heads, scale, p, key, y, lse, kProjected, vProjected);
                break;
            case DType.Float64:
                LinformerForward<double>(q, k, v, e, f, lengths, heads, scale, p, key, y, lse, kProjected, vProjected);
                break;
            default:
                throw Unsupported("LinformerAttention", q);
        }
    }

    public override void LinformerAttentionGradient(
        Tensor q, Tensor k, Tensor v, Tensor e, Tensor f, Tensor? lengths, int heads, double scale, double p, RandomKey key, Tensor y, Tensor lse, Tensor kProjected, Tensor vProjected,
        Tensor gy, Tensor gq, Tensor gk, Tensor gv, Tensor ge, bool accumulateE, Tensor gf, bool accumulateF, Tensor? rest = null)
    {
        switch (q.Type)
        {
            case DType.Float32:
                LinformerBackward<float>(q, k, v, e, f, lengths, heads, scale, p, key, y, lse, kProjected, vProjected, gy, gq, gk, gv, ge, accumulateE, gf, accumulateF);
                break;
            case DType.Float64:
                LinformerBackward<double>(q, k, v, e, f, lengths, heads, scale, p, key, y, lse, kProjected, vProjected, gy, gq, gk, gv, ge, accumulateE, gf, accumulateF);
                break;
            default:
                throw Unsupported("LinformerAttention", q);
        }
    }

    private static void LinformerForward<T>(
        Tensor q, Tensor k, Tensor v, Tensor e, Tensor f, Tensor? lengths, int heads, double scale, double p, RandomKey key, Tensor y, Tensor lse, Tensor kProjected, Tensor vProjected)
        where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T>
    {
        LinformerShape shape = ShapeOf(q, e, heads, e.Shape[0]);
        int width = shape.Width;
        LinformerAttentionKernel.Forward(
            shape, new AttentionOptions(scale, false, p, key.Seed, key.Stream), new(Pointer<T>(q), width), new(Pointer<T>(k), width), new(Pointer<T>(v), width),
            Pointer<T>(e), Pointer<T>(f), PointerOrNull<int>(lengths), new(Pointer<T>(y), width), Pointer<T>(kProjected), Pointer<T>(vProjected), Pointer<T>(lse));
    }

    private static void LinformerBackward<T>(
        Tensor q, Tensor k, Tensor v, Tensor e, Tensor f, Tensor? lengths, int heads, double scale, double p, RandomKey key, Tensor y, Tensor lse, Tensor kProjected, Tensor vProjected,
        Tensor gy, Tensor gq, Tensor gk, Tensor gv, Tensor ge, bool accumulateE, Tensor gf, bool accumulateF)
        where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T>
    {
        LinformerShape shape = ShapeOf(q, e, heads, e.Shape[0]);
        int width = shape.Width;
        LinformerAttentionKernel.Backward(
            shape, new AttentionOptions(scale, false, p, key.Seed, key.Stream), new(Pointer<T>(q), width), new(Pointer<T>(k), width), new(Pointer<T>(v), width),
            Pointer<T>(e), Pointer<T>(f), PointerOrNull<int>(lengths), new(Pointer<T>(y), width), Pointer<T>(kProjected), Pointer<T>(vProjected), Pointer<T>(lse),
            new(Pointer<T>(gy), width), new(Pointer<T>(gq), width), new(Pointer<T>(gk), width), new(Pointer<T>(gv), width), Pointer<T>(ge), accumulateE, Pointer<T>(gf), accumulateF);
    }

    private static AttentionShape ShapeOf(Tensor q, Tensor k, int heads) =>
        new(q.Shape[0], heads, q.Shape[1], k.Shape[1], q.Shape[2] / heads);

    private static LinformerShape ShapeOf(Tensor q, Tensor e, int heads, int positions) =>
        new(q.Shape[0], heads, q.Shape[1], q.Shape[2] / heads, e.Shape[1], positions);
}
