using LinearCald.Tensors.Ops;

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

    public override void CrossEntropy(Tensor logits, Tensor labels, int ignore, Reduction reduction, Tensor loss, Tensor lse) => Kernels.CrossEntropy.Forward(
        _accelerator, logits.Type, Address(logits), Address(labels), ignore, reduction == Reduction.Mean, Address(loss), Address(lse), logits.Shape.Rows, logits.Shape.Last);

    public override void CrossEntropyGradient(Tensor logits, Tensor labels, int ignore, Reduction reduction, Tensor lse, Tensor gloss, Tensor glogits)
    {
        if (glogits.Type == logits.Type)
        {
            Kernels.CrossEntropy.Backward(
                _accelerator, logits.Type, Address(logits), Address(labels), ignore, reduction == Reduction.Mean, Address(lse), Address(gloss), Address(glogits),
                logits.Shape.Rows, logits.Shape.Last);
        }
        else
        {
            Kernels.CrossEntropy.BackwardRounded(
                _accelerator, glogits.Type, Address(logits), Address(labels), ignore, reduction == Reduction.Mean, Address(lse), Address(gloss), Address(glogits),
                logits.Shape.Rows, logits.Shape.Last);
        }
    }

    public override void KlDivergence(Tensor student, Tensor teacher, double temperature, double scale, Tensor loss) => Kernels.KlDivergence.Forward(
        _accelerator, student.Type, Address(student), Address(teacher), temperature, scale, Address(loss), student.Shape.Rows, student.Shape.Last);

    public override void KlDivergenceGradient(Tensor student, Tensor teacher, double temperature, double scale, Tensor gloss, Tensor gstudent) =>
        Kernels.KlDivergence.Backward(
            _accelerator, student.Type, Address(student), Address(teacher), temperature, scale, Address(gloss), Address(gstudent), student.Shape.Rows, student.Shape.Last);

    public override void LayerMse(Tensor student, Tensor teacher, Tensor? lengths, bool normalise, double scale, Tensor loss) => Kernels.LayerMse.Forward(
        _accelerator, student.Type, Address(student), Address(teacher), AddressOrZero(lengths), normalise, scale, Address(loss), student.Shape[0], student.Shape[1],
        student.Shape[2]);

    public override void LayerMseGradient(Tensor student, Tensor teacher, Tensor? lengths, bool normalise, double scale, Tensor gloss, Tensor gstudent) =>
        Kernels.LayerMse.Backward(
            _accelerator, student.Type, Address(student), Address(teacher), AddressOrZero(lengths), normalise, scale, Address(gloss), Address(gstudent),
            student.Shape[0], student.Shape[1], student.Shape[2]);
}
