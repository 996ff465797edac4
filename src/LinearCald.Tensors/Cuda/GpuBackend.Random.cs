using LinearCald.Tensors.Cuda.Kernels;

namespace LinearCald.Tensors.Cuda;

/// <content>Dropout and random numbers.</content>
internal sealed partial class GpuBackend
{
    public override void Dropout(Tensor x, Tensor y, double p, RandomKey key) =>
        RandomNumbers.Dropout(_accelerator, x.Type, Address(x), Address(y), x.Count, p, _device.KeyFor(key));

    public override void Normal(Tensor y, double mean, double deviation, RandomKey key) =>
        RandomNumbers.Normal(_accelerator, y.Type, Address(y), y.Count, mean, deviation, key);

    public override void Uniform(Tensor y, double low, double high, RandomKey key) =>
        RandomNumbers.Uniform(_accelerator, y.Type, Address(y), y.Count, low, high, key);
}
