using System.Numerics;

namespace LinearCald.Tensors.Cpu;

/// <content>Rows and features of [B, T, C] that are replaced, cleared or averaged.</content>
internal sealed unsafe partial class CpuBackend
{
    public override void ReplaceRows(Tensor x, Tensor mask, Tensor row, Tensor y)
    {
        switch (x.Type)
        {
            case DType.Float32:
                RowSelection.Replace(x.Shape.Rows, x.Shape.Last, Pointer<float>(x), Pointer<int>(mask), Pointer<float>(row), Pointer<float>(y));
                break;
            case DType.Float64:
                RowSelection.Replace(x.Shape.Rows, x.Shape.Last, Pointer<double>(x), Pointer<int>(mask), Pointer<double>(row), Pointer<double>(y));
                break;
            default:
                throw Unsupported("ReplaceRows", x);
        }
    }

    public override void ReplaceRowsGradient(Tensor gy, Tensor mask, Tensor? gx, Tensor? grow, bool accumulateRow)
    {
        switch (gy.Type)
        {
            case DType.Float32:
                ReplaceRowsGradient<float>(gy, mask, gx, grow, accumulateRow);
                break;
            case DType.Float64:
                ReplaceRowsGradient<double>(gy, mask, gx, grow, accumulateRow);
                break;
            default:
                throw Unsupported("ReplaceRows", gy);
        }
    }

    public override void MaskRows(Tensor x, Tensor lengths, Tensor y)
    {
        switch (x.Type)
        {
            case DType.Float32:
                RowSelection.Keep(x.Shape[0], x.Shape[1], x.Shape[2], Pointer<float>(x), Pointer<int>(lengths), Pointer<float>(y));
                break;
            case DType.Float64:
                RowSelection.Keep(x.Shape[0], x.Shape[1], x.Shape[2], Pointer<double>(x), Pointer<int>(lengths), Pointer<double>(y));
                break;
            default:
                throw Unsupported("MaskRows", x);
        }
    }

    public override void MaskFeatures(Tensor x, Tensor mask, Tensor y)
    {
        switch (x.Type)
        {
            case DType.Float32:
                RowSelection.KeepFeatures(x.Shape[0], x.Shape[1], x.Shape[2], Pointer<float>(x), Pointer<int>(mask), Pointer<float>(y));
                break;
            case DType.Float64:
                RowSelection.KeepFeatures(x.Shape[0], x.Shape[1], x.Shape[2], Pointer<double>(x), Pointer<int>(mask), Pointer<double>(y));
                break;
            default:
                throw Unsupported("MaskFeatures", x);
        }
    }

    public override void MeanRows(Tensor x, Tensor? lengths, Tensor y)
    {
        switch (x.Type)
        {
            case DType.Float32:
                RowSelection.Mean(x.Shape[0], x.Shape[1], x.Shape[2], Pointer<float>(x), PointerOrNull<int>(lengths), Pointer<float>(y));
                break;
            case DType.Float64:
                RowSelection.Mean(x.Shape[0], x.Shape[1], x.Shape[2], Pointer<double>(x), PointerOrNull<int>(lengths), Pointer<double>(y));
                break;
            default:
                throw Unsupported("MeanRows", x);
        }
    }

    public override void MeanRowsGradient(Tensor gy, Tensor? lengths, Tensor gx)
    {
        switch (gy.Type)
        {
            case DType.Float32:
                RowSelection.MeanGradient(gx.Shape[0], gx.Shape[1], gx.Shape[2], Pointer<float>(gy), PointerOrNull<int>(lengths), Pointer<float>(gx));
                break;
            case DType.Float64:
                RowSelection.MeanGradient(gx.Shape[0], gx.Shape[1], gx.Shape[2], Pointer<double>(gy), PointerOrNull<int>(lengths), Pointer<double>(gx));
                break;
            default:
                throw Unsupported("MeanRows", gy);
        }
    }

    private static void ReplaceRowsGradient<T>(Tensor gy, Tensor mask, Tensor? gx, Tensor? grow, bool accumulateRow)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (gx is not null)
        {
            RowSelection.Replace(gy.Shape.Rows, gy.Shape.Last, Pointer<T>(gy), Pointer<int>(mask), null, Pointer<T>(gx));
        }

        if (grow is not null)
        {
            RowSelection.ReplacedSum(gy.Shape.Rows, gy.Shape.Last, Pointer<T>(gy), Pointer<int>(mask), Pointer<T>(grow), accumulateRow);
        }
    }
}
