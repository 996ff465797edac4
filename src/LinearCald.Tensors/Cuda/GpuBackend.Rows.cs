namespace LinearCald.Tensors.Cuda;

/// <content>Rows and features of [B, T, C] that are replaced, cleared or averaged.</content>
internal sealed partial class GpuBackend
{
    public override void ReplaceRows(Tensor x, Tensor mask, Tensor row, Tensor y) => throw NoKernel("ReplaceRows");

    public override void ReplaceRowsGradient(Tensor gy, Tensor mask, Tensor? gx, Tensor? grow, bool accumulateRow) => throw NoKernel("ReplaceRows");

    public override void MaskRows(Tensor x, Tensor lengths, Tensor y) => throw NoKernel("MaskRows");

    public override void MaskFeatures(Tensor x, Tensor mask, Tensor y) => throw NoKernel("MaskFeatures");

    public override void MeanRows(Tensor x, Tensor? lengths, Tensor y) => throw NoKernel("MeanRows");

    public override void MeanRowsGradient(Tensor gy, Tensor? lengths, Tensor gx) => throw NoKernel("MeanRows");
}
