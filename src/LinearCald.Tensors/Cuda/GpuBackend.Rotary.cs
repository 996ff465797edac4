using LinearCald.Tensors.Cuda.Kernels;

namespace LinearCald.Tensors.Cuda;

/// <content>Rotary position embeddings.</content>
internal sealed partial class GpuBackend
{
    public override void SplitHeadsRotary(Tensor qkv, int heads, int rotary, double theta, int first, Tensor y) => Rotary.Run(
        _accelerator, qkv.Type, Address(qkv), Address(y), qkv.Shape[0], qkv.Shape[1], heads, qkv.Shape[2] / 3 / heads, rotary, theta, first, join: false);

    public override void SplitHeadsRotaryGradient(Tensor gy, int heads, int rotary, double theta, int first, Tensor gqkv) => Rotary.Run(
        _accelerator, gy.Type, Address(gy), Address(gqkv), gqkv.Shape[0], gqkv.Shape[1], heads, gqkv.Shape[2] / 3 / heads, rotary, theta, first, join: true);
}
