namespace LinearCald.Tensors.Cuda;

/// <content>Softmax, layer norm and sums.</content>
internal sealed partial class GpuBackend
{
    public override void Sum(Tensor x, Tensor y)
    {
        if (x.Type != y.Type)
        {
            throw new CaldException($"Sum: of {x.Type} into {y.Type}; the types must be one");
        }

        Kernels.Totals.Sum(_accelerator, x.Type, Address(x), x.Count, Address(y));
    }

    public override void SumRows(Tensor x, Tensor y, bool accumulate) =>
        Kernels.ColumnSum.Run(_accelerator, x.Type, Address(x), y.Type, Address(y), x.Shape.Rows, x.Shape.Last, accumulate);

    public override void Softmax(Tensor x, Tensor y, bool log) =>
        Kernels.Softmax.Forward(_accelerator, x.Type, Address(x), Address(y), x.Shape.Rows, x.Shape.Last, log);

    public override void SoftmaxGradient(Tensor y, Tensor gy, Tensor gx, bool log) =>
        Kernels.Softmax.Backward(_accelerator, y.Type, Address(y), Address(gy), Address(gx), y.Shape.Rows, y.Shape.Last, log);

    public override void LayerNorm(Tensor x, Tensor? w, Tensor? b, double eps, Tensor y, Tensor mean, Tensor rstd)
    {
        RequireFloat32("LayerNorm", w, b);
        Kernels.LayerNorm.Forward(
            _accelerator, x.Type, Address(x), AddressOrZero(w), AddressOrZero(b), Address(y), Address(mean), Address(rstd), x.Shape.Rows, x.Shape.Last, eps);
    }

    public override void LayerNormGradient(
        Tensor gy, Tensor x, Tensor? w, Tensor mean, Tensor rstd, Tensor? gx, Tensor? gw, bool accumulateW, Tensor? gb, bool accumulateB)
    {
        RequireFloat32("LayerNorm", w, null);
        Kernels.LayerNorm.Backward(
            _accelerator, x.Type, Address(gy), Address(x), AddressOrZero(w), Address(mean), Address(rstd), AddressOrZero(gx), AddressOrZero(gw), accumulateW,
            AddressOrZero(gb), accumulateB, x.Shape.Rows, x.Shape.Last);
    }

    public override void ResidualLayerNorm(
        Tensor x, Tensor h, Tensor w, Tensor b, double eps, double p, RandomKey key, Tensor sum, Tensor y, Tensor mean, Tensor rstd)
    {
        RequireFloat32("ResidualLayerNorm", w, b);
        Kernels.LayerNorm.Residual(
            _accelerator, x.Type, Address(x), Address(h), Address(w), Address(b), Address(sum), Address(y), Address(mean), Address(rstd), x.Shape.Rows,
            x.Shape.Last, eps, p, _device.KeyFor(key));
    }

    private void RequireFloat32(string operation, Tensor? w, Tensor? b)
    {
        if ((w ?? b) is { } parameter && (parameter.Type != DType.Float32 || (b ?? parameter).Type != DType.Float32))
        {
            throw new CaldException($"{operation}: {_device.Name} takes weights and biases of norms in Float32, not {parameter.Type}; convert them with To(DType.Float32)");
        }
    }
}
