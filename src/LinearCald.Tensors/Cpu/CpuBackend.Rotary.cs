namespace LinearCald.Tensors.Cpu;

/// <content>Rotary position embeddings.</content>
internal sealed unsafe partial class CpuBackend
{
    public override void SplitHeadsRotary(Tensor qkv, int heads, int rotary, double theta, int first, Tensor y)
    {
        RotaryShape shape = new(qkv.Shape[0], qkv.Shape[1], heads, qkv.Shape[2] / 3 / heads, rotary, theta, first);
        switch (qkv.Type)
        {
            case DType.Float32:
                Rotary.Split(shape, Pointer<float>(qkv), Pointer<float>(y));
                break;
            case DType.Float64:
                Rotary.Split(shape, Pointer<double>(qkv), Pointer<double>(y));
                break;
            default:
                throw Unsupported("SplitHeadsRotary", qkv);
        }
    }

    public override void SplitHeadsRotaryGradient(Tensor gy, int heads, int rotary, double theta, int first, Tensor gqkv)
    {
        RotaryShape shape = new(gqkv.Shape[0], gqkv.Shape[1], heads, gqkv.Shape[2] / 3 / heads, rotary, theta, first);
        switch (gy.Type)
        {
            case DType.Float32:
                Rotary.Join(shape, Pointer<float>(gy), Pointer<float>(gqkv));
                break;
            case DType.Float64:
                Rotary.Join(shape, Pointer<double>(gy), Pointer<double>(gqkv));
                break;
            default:
                throw Unsupported("SplitHeadsRotary", gy);
        }
    }
}
