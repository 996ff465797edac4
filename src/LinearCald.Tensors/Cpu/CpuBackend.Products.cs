using System.Numerics;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cpu;

/// <content>Matrix products.</content>
internal sealed unsafe partial class CpuBackend
{
    public override void MatMul(Tensor a, bool transposeA, Tensor b, bool transposeB, Tensor c, double alpha, bool accumulate, ProductDigits digits = ProductDigits.Eleven)
    {
        switch (a.Type)
        {
            case DType.Float32:
                MatMul<float>(a, transposeA, b, transposeB, c, (float)alpha, accumulate);
                break;
            case DType.Float64:
                MatMul<double>(a, transposeA, b, transposeB, c, alpha, accumulate);
                break;
            default:
                throw Unsupported("MatMul", a);
        }
    }

    public override void Linear(Tensor x, Tensor w, Tensor? bias, Activation f, Tensor? pre, Tensor y, ProductDigits digits = ProductDigits.Eleven)
    {
        switch (x.Type)
        {
            case DType.Float32:
                Linear<float>(x, w, bias, f, pre, y);
                break;
            case DType.Float64:
                Linear<double>(x, w, bias, f, pre, y);
                break;
            default:
                throw Unsupported("Linear", x);
        }
    }

    private static void MatMul<T>(Tensor a, bool transposeA, Tensor b, bool transposeB, Tensor c, T alpha, bool accumulate)
        where T : unmanaged, INumberBase<T>
    {
        int m = a.Shape[transposeA ? -1 : -2];
        int k = a.Shape[transposeA ? -2 : -1];
        int n = b.Shape[transposeB ? -2 : -1];
        T beta = accumulate ? T.One : T.Zero;
        if (a.Shape.Rank == 2)
        {
            Gemm.Run(transposeA, transposeB, m, n, k, alpha, Pointer<T>(a), a.Shape[-1], Pointer<T>(b), b.Shape[-1], beta, Pointer<T>(c), n);
        }
        else
        {
            Gemm.RunBatched(
                a.Shape[0], transposeA, transposeB, m, n, k, alpha, Pointer<T>(a), a.Shape[-1], (long)m * k, Pointer<T>(b), b.Shape[-1], (long)k * n, beta,
                Pointer<T>(c), n, (long)m * n);
        }
    }

    private static void Linear<T>(Tensor x, Tensor w, Tensor? bias, Activation f, Tensor? pre, Tensor y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (!FusedActivation.Exists(f))
        {
            Linear<T>(x, w, bias, Activation.None, null, pre ?? y);
            Cpu.Unary.Forward(KindOf(f), Pointer<T>(pre ?? y), Pointer<T>(y), y.Count);
            return;
        }

        int n = w.Shape[0];
        FusedActivation.Run(f, PointerOrNull<T>(bias), PointerOrNull<T>(pre), n, new LinearProduct<T>(Pointer<T>(x), Pointer<T>(w), Pointer<T>(y), (int)x.Shape.Rows, n, w.Shape[1]));
    }

    /// <summary>y = x wᵀ.</summary>
    private readonly struct LinearProduct<T>(T* x, T* w, T* y, int m, int n, int k) : IProduct<T>
        where T : unmanaged
    {
        public void Run<TEpilogue>(TEpilogue epilogue)
            where TEpilogue : struct, IEpilogue<T> => Gemm.Run(false, true, m, n, k, GemmScalar.From<T>(1), x, k, w, k, default, y, n, epilogue);
    }
}
