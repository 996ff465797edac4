using LinearCald.Tensors.Cuda.Kernels;

namespace LinearCald.Tensors.Cuda;

/// <content>Rows and features of [B, T, C] that are replaced, cleared or averaged.</content>
internal sealed partial class GpuBackend
{
    public override void ReplaceRows(Tensor x, Tensor mask, Tensor row, Tensor y) => Mask(MaskKind.Replaced, x, mask, row, y);

    public override void ReplaceRowsGradient(Tensor gy, Tensor mask, Tensor? gx, Tensor? grow, bool accumulateRow)
    {
        if (gx is not null)
        {
            Mask(MaskKind.Rows, gy, mask, null, gx);
        }

        if (grow is not null)
        {
            Masks.SumOfMasked(_accelerator, gy.Type, Address(gy), Address(mask), Address(grow), accumulateRow, gy.Shape[0], gy.Shape[1], gy.Shape[2]);
        }
    }

    public override void MaskRows(Tensor x, Tensor lengths, Tensor y) => Mask(MaskKind.Lengths, x, lengths, null, y);

    public override void MaskFeatures(Tensor x, Tensor mask, Tensor y) => Mask(MaskKind.Features, x, mask, null, y);

    public override void MeanRows(Tensor x, Tensor? lengths, Tensor y) =>
        Masks.Mean(_accelerator, x.Type, Address(x), AddressOrZero(lengths), Address(y), x.Shape[0], x.Shape[1], x.Shape[2]);

    public override void MeanRowsGradient(Tensor gy, Tensor? lengths, Tensor gx) =>
        Masks.MeanGradient(_accelerator, gx.Type, Address(gy), AddressOrZero(lengths), Address(gx), gx.Shape[0], gx.Shape[1], gx.Shape[2]);

    private void Mask(MaskKind kind, Tensor x, Tensor mask, Tensor? row, Tensor y)
    {
        RequireFloat32("ReplaceRows", row, null);
        Masks.Apply(_accelerator, x.Type, kind, Address(x), Address(mask), AddressOrZero(row), Address(y), x.Shape[0], x.Shape[1], x.Shape[2]);
    }
}
