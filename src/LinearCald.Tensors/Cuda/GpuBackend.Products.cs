using LinearCald.Tensors.Cuda.Kernels;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cuda;

/// <content>Matrix products.</content>
internal sealed partial class GpuBackend
{
    public override void MatMul(Tensor a, bool transposeA, Tensor b, bool transposeB, Tensor c, double alpha, bool accumulate, ProductDigits digits = ProductDigits.Eleven)
    {
        int m = a.Shape[transposeA ? -1 : -2];
        int k = a.Shape[transposeA ? -2 : -1];
        int n = b.Shape[transposeB ? -2 : -1];
        int batch = a.Shape.Rank == 2 ? 1 : a.Shape[0];
        GemmProblem problem = GemmProblem.Contiguous(m, n, k, transposeA, transposeB, batch) with
        {
            Alpha = (float)alpha,
            Accumulate = accumulate,
            Precision = PrecisionOf("MatMul", a, digits),
            Output = c.Type,
        };
        GemmLauncher.Run(_accelerator, problem, new GemmOperands(Address(a), Address(b), Address(c)));
    }

    public override void Linear(Tensor x, Tensor w, Tensor? bias, Activation f, Tensor? pre, Tensor y, ProductDigits digits = ProductDigits.Eleven)
    {
        int rows = checked((int)x.Shape.Rows);
        GemmProblem problem = GemmProblem.Contiguous(rows, w.Shape[0], w.Shape[1], false, true) with
        {
            Activation = f,
            Precision = PrecisionOf("Linear", x, digits),
            Output = y.Type,
            Float32Bias = bias is { Type: DType.Float32 },
        };
        GemmLauncher.Run(_accelerator, problem, new GemmOperands(Address(x), Address(w), Address(y), AddressOrZero(bias), AddressOrZero(pre)));
    }

    private GemmPrecision PrecisionOf(string operation, Tensor operand, ProductDigits digits = ProductDigits.Eleven) => operand.Type switch
    {
        DType.Float32 when !_device.TensorFloat32 || digits == ProductDigits.TwentyFour => GemmPrecision.Float32,
        DType.Float32 => digits == ProductDigits.Sixteen ? GemmPrecision.TwoBFloat16 : GemmPrecision.TensorFloat32,
        DType.BFloat16 => GemmPrecision.BFloat16,
        DType.Float16 => GemmPrecision.Half,
        _ => throw Unsupported(operation, operand),
    };
}
