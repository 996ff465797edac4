namespace LinearCald.Tensors.Cuda;

/// <content>Tables and losses.</content>
internal sealed partial class GpuBackend
{
    public override void Embedding(Tensor table, Tensor ids, Tensor y) => Kernels.Embedding.Forward(
        _accelerator, table.Type, Address(table), table.Shape[0], table.Shape[1], Address(ids), ids.Count, Address(y));

    public override void EmbeddingGradient(Tensor ids, Tensor gy, Tensor gtable, int padding, bool accumulate)
    {
        if (gtable.Type != DType.Float32)
        {
            throw new CaldException($"Embedding: {_device.Name} keeps the gradient of a table in Float32, not {gtable.Type}; keep the table in Float32 and convert what was looked up");
        }

        Kernels.Embedding.Gradient(
            _accelerator, gy.Type, Address(ids), ids.Count, Address(gy), Address(gtable), gtable.Shape[0], gtable.Shape[1], padding, accumulate);
    }
}
