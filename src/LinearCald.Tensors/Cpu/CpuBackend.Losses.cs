using System.Numerics;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cpu;

/// <content>Tables and losses.</content>
internal sealed unsafe partial class CpuBackend
{
    public override void Embedding(Tensor table, Tensor ids, Tensor y)
    {
        switch (table.Type)
        {
            case DType.Float32:
                EmbeddingKernel.Forward(Pointer<float>(table), table.Shape[0], table.Shape[1], Pointer<int>(ids), ids.Count, Pointer<float>(y));
                break;
            case DType.Float64:
                EmbeddingKernel.Forward(Pointer<double>(table), table.Shape[0], table.Shape[1], Pointer<int>(ids), ids.Count, Pointer<double>(y));
                break;
            default:
                throw Unsupported("Embedding", table);
        }
    }

    public override void EmbeddingGradient(Tensor ids, Tensor gy, Tensor gtable, int padding, bool accumulate)
    {
        int rows = gtable.Shape[0];
        int d = gtable.Shape[1];
        switch (gy.Type)
        {
            case DType.Float32:
                EmbeddingKernel.Gradient(Pointer<int>(ids), ids.Count, Pointer<float>(gy), rows, d, padding, accumulate, Pointer<float>(gtable));
                break;
            case DType.Float64:
                EmbeddingKernel.Gradient(Pointer<int>(ids), ids.Count, Pointer<double>(gy), rows, d, padding, accumulate, Pointer<double>(gtable));
                break;
            default:
                throw Unsupported("Embedding", gy);
        }
    }

    public override void CrossEntropy(Tensor logits, Tensor labels, int ignore, Reduction reduction, Tensor loss, Tensor lse)
    {
        switch (logits.Type)
        {
            case DType.Float32:
                CrossEntropy<float>(logits, labels, ignore, reduction, loss, lse);
                break;
            case DType.Float64:
                CrossEntropy<double>(logits, labels, ignore, reduction, loss, lse);
                break;
            default:
                throw Unsupported("CrossEntropy", logits);
        }
    }

    public override void CrossEntropyGradient(Tensor logits, Tensor labels, int ignore, Reduction reduction, Tensor lse, Tensor gloss, Tensor glogits)
    {
        switch (logits.Type)
        {
            case DType.Float32:
                CrossEntropyGradient<float>(logits, labels, ignore, reduction, lse, gloss, glogits);
                break;
            case DType.Float64:
                CrossEntropyGradient<double>(logits, labels, ignore, reduction, lse, gloss, glogits);
                break;
            default:
                throw Unsupported("CrossEntropy", logits);
        }
    }

    public override void KlDivergence(Tensor student, Tensor teacher, double temperature, double scale, Tensor loss)
    {
        switch (student.Type)
        {
            case DType.Float32:
                KlDivergenceKernel.Forward(Pointer<float>(student), Pointer<float>(teacher), student.Shape.Rows, student.Shape.Last, (float)temperature, (float)scale, Pointer<float>(loss));
                break;
            case DType.Float64:
                KlDivergenceKernel.Forward(Pointer<double>(student), Pointer<double>(teacher), student.Shape.Rows, student.Shape.Last, temperature, scale, Pointer<double>(loss));
                break;
            default:
                throw Unsupported("KlDivergence", student);
        }
    }

    public override void KlDivergenceGradient(Tensor student, Tensor teacher, double temperature, double scale, Tensor gloss, Tensor gstudent)
    {
        switch (student.Type)
        {
            case DType.Float32:
                KlDivergenceKernel.Gradient(
                    Pointer<float>(student), Pointer<float>(teacher), student.Shape.Rows, student.Shape.Last, (float)temperature, (float)scale, *Pointer<float>(gloss), Pointer<float>(gstudent));
                break;
            case DType.Float64:
                KlDivergenceKernel.Gradient(
                    Pointer<double>(student), Pointer<double>(teacher), student.Shape.Rows, student.Shape.Last, temperature, scale, *Pointer<double>(gloss), Pointer<double>(gstudent));
                break;
            default:
                throw Unsupported("KlDivergence", student);
        }
    }

    public override void LayerMse(Tensor student, Tensor teacher, Tensor? lengths, bool normalise, double scale, Tensor loss)
    {
        int b = student.Shape[0];
        int l = student.Shape[1];
        int d = student.Shape[2];
        switch (student.Type)
        {
            case DType.Float32:
                LayerMseKernel.Forward(Pointer<float>(student), Pointer<float>(teacher), b, l, d, PointerOrNull<int>(lengths), normalise, (float)scale, Pointer<float>(loss));
                break;
            case DType.Float64:
                LayerMseKernel.Forward(Pointer<double>(student), Pointer<double>(teacher), b, l, d, PointerOrNull<int>(lengths), normalise, scale, Pointer<double>(loss));
                break;
            default:
                throw Unsupported("LayerLoss", student);
        }
    }

    public override void LayerMseGradient(Tensor student, Tensor teacher, Tensor? lengths, bool normalise, double scale, Tensor gloss, Tensor gstudent)
    {
        int b = student.Shape[0];
        int l = student.Shape[1];
        int d = student.Shape[2];
        switch (student.Type)
        {
            case DType.Float32:
                LayerMseKernel.Gradient(
                    Pointer<float>(student), Pointer<float>(teacher), b, l, d, PointerOrNull<int>(lengths), normalise, (float)scale, *Pointer<float>(gloss), Pointer<float>(gstudent));
                break;
            case DType.Float64:
                LayerMseKernel.Gradient(
                    Pointer<double>(student), Pointer<double>(teacher), b, l, d, PointerOrNull<int>(lengths), normalise, scale, *Pointer<double>(gloss), Pointer<double>(gstudent));
                break;
            default:
                throw Unsupported("LayerLoss", student);
        }
    }

    private static void CrossEntropy<T>(Tensor logits, Tensor labels, int ignore, Reduction reduction, Tensor loss, Tensor lse)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => CrossEntropyKernel.Forward(
        Pointer<T>(logits), Pointer<int>(labels), logits.Shape[0], logits.Shape[1], ignore, reduction == Reduction.Mean, Pointer<T>(loss), Pointer<T>(lse));

    private static void CrossEntropyGradient<T>(Tensor logits, Tensor labels, int ignore, Reduction reduction, Tensor lse, Tensor gloss, Tensor glogits)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => CrossEntropyKernel.Gradient(
        Pointer<T>(logits), Pointer<int>(labels), logits.Shape[0], logits.Shape[1], ignore, reduction == Reduction.Mean, Pointer<T>(lse), *Pointer<T>(gloss), Pointer<T>(glogits));
}
