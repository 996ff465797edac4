using LinearCald.Tensors.Cuda.Kernels;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cuda;

/// <content>Copies, fills and elementwise kernels.</content>
internal sealed partial class GpuBackend
{
    public override void Fill(Tensor y, double value) => Kernels.Copy.Fill(_accelerator, Address(y), y.Type, y.Strides, y.Shape, value);

    public override void Copy(Tensor x, Tensor y) => Kernels.Copy.Run(_accelerator, Address(x), x.Type, x.Strides, Address(y), y.Type, y.Strides, x.Shape);

    public override void AddInPlace(Tensor y, Tensor x)
    {
        if (y.IsContiguous)
        {
            Elementwise.AddInPlace(_accelerator, y.Type, Address(y), Address(x), y.Count);
        }
        else
        {
            Elementwise.AddRows(_accelerator, y.Type, Address(y), y.Pitch(), Address(x), y.Shape.Rows, y.Shape.Last);
        }
    }

    public override void Affine(Tensor x, double factor, double offset, Tensor y) =>
        Elementwise.Affine(_accelerator, x.Type, Address(x), factor, offset, Address(y), x.Count);

    public override void Unary(Activation f, Tensor x, Tensor y) => Elementwise.Unary(_accelerator, f, x.Type, Address(x), Address(y), x.Count);

    public override void UnaryGradient(Activation f, Tensor saved, Tensor gy, Tensor gx) =>
        Elementwise.UnaryGradient(_accelerator, f, gy.Type, Address(saved), Address(gy), Address(gx), gy.Count);

    public override void Binary(BinaryKind kind, Tensor a, Tensor b, Tensor y) =>
        Elementwise.Binary(_accelerator, kind, a.Type, Address(a), Address(b), b.Count, Address(y), a.Count);
}
