namespace LinearCald.Tensors.Cuda;

/// <content>Rotary position embeddings.</content>
internal sealed partial class GpuBackend
{
    public override void SplitHeadsRotary(Tensor qkv, int heads, int rotary, double theta, int first, Tensor y) => throw NoKernel("SplitHeadsRotary");

    public override void SplitHeadsRotaryGradient(Tensor gy, int heads, int rotary, double theta, int first, Tensor gqkv) => throw NoKernel("SplitHeadsRotary");
}
