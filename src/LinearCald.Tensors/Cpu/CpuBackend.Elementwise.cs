using System.Numerics;
using LinearCald.Tensors.Ops;
using Arithmetic = LinearCald.Tensors.Ops.BinaryKind;

namespace LinearCald.Tensors.Cpu;

/// <content>Elementwise kernels and sums.</content>
internal sealed unsafe partial class CpuBackend
{
    public override void AddInPlace(Tensor y, Tensor x)
    {
        switch (y.Type)
        {
            case DType.Float32:
                AddInPlace<float>(y, x);
                break;
            case DType.Float64:
                AddInPlace<double>(y, x);
                break;
            default:
                throw Unsupported("Add", y);
        }
    }

    public override void Affine(Tensor x, double factor, double offset, Tensor y)
    {
        switch (x.Type)
        {
            case DType.Float32:
                Cpu.Unary.Affine(Pointer<float>(x), (float)factor, (float)offset, Pointer<float>(y), x.Count);
                break;
            case DType.Float64:
                Cpu.Unary.Affine(Pointer<double>(x), factor, offset, Pointer<double>(y), x.Count);
                break;
            default:
                throw Unsupported("Affine", x);
        }
    }

    public override void Unary(Activation f, Tensor x, Tensor y)
    {
        switch (x.Type)
        {
            case DType.Float32:
                Cpu.Unary.Forward(KindOf(f), Pointer<float>(x), Pointer<float>(y), x.Count);
                break;
            case DType.Float64:
                Cpu.Unary.Forward(KindOf(f), Pointer<double>(x), Pointer<double>(y), x.Count);
                break;
            default:
                throw Unsupported(f.ToString(), x);
        }
    }

    public override void UnaryGradient(Activation f, Tensor saved, Tensor gy, Tensor gx)
    {
        switch (gy.Type)
        {
            case DType.Float32:
                Cpu.Unary.Backward(KindOf(f), Pointer<float>(saved), Pointer<float>(gy), Pointer<float>(gx), gy.Count, accumulate: false);
                break;
            case DType.Float64:
                Cpu.Unary.Backward(KindOf(f), Pointer<double>(saved), Pointer<double>(gy), Pointer<double>(gx), gy.Count, accumulate: false);
                break;
            default:
                throw Unsupported(f.ToString(), gy);
        }
    }

    public override void Binary(Arithmetic kind, Tensor a, Tensor b, Tensor y)
    {
        switch (a.Type)
        {
            case DType.Float32:
                Binary<float>(kind, a, b, y);
                break;
            case DType.Float64:
                Binary<double>(kind, a, b, y);
                break;
            default:
                throw Unsupported(kind.ToString(), a);
        }
    }

    private static void AddInPlace<T>(Tensor y, Tensor x)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (y.IsContiguous)
        {
            LinearCombination.Add(Pointer<T>(x), Pointer<T>(y), y.Count);
        }
        else
        {
            LinearCombination.AddRows(Pointer<T>(x), Pointer<T>(y), y.Shape.Rows, y.Shape.Last, y.Pitch());
        }
    }

    private static void Binary<T>(Arithmetic kind, Tensor a, Tensor b, Tensor y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        BinaryKind kernel = kind switch
        {
            Arithmetic.Add => BinaryKind.Add,
            Arithmetic.Subtract => BinaryKind.Subtract,
            Arithmetic.Multiply => BinaryKind.Multiply,
            _ => BinaryKind.Divide,
        };
        if (a.Shape == b.Shape)
        {
            Cpu.Binary.Apply(kernel, Pointer<T>(a), Pointer<T>(b), Pointer<T>(y), a.Count);
        }
        else if (b.Count == 1)
        {
            Cpu.Binary.ApplyScalar(kernel, Pointer<T>(a), *Pointer<T>(b), Pointer<T>(y), a.Count);
        }
        else
        {
            Cpu.Binary.ApplyRow(kernel, Pointer<T>(a), Pointer<T>(b), Pointer<T>(y), a.Shape.Rows, a.Shape.Last);
        }
    }

    private static UnaryKind KindOf(Activation f) => f switch
    {
        Activation.GeluErf => UnaryKind.Gelu,
        Activation.GeluTanh => UnaryKind.GeluTanh,
        Activation.Silu => UnaryKind.Silu,
        Activation.Relu => UnaryKind.Relu,
        Activation.Tanh => UnaryKind.Tanh,
        Activation.Sigmoid => UnaryKind.Sigmoid,
        Activation.Exp => UnaryKind.Exp,
        Activation.Log => UnaryKind.Log,
        Activation.Sqrt => UnaryKind.Sqrt,
        Activation.Square => UnaryKind.Square,
        Activation.Softplus => UnaryKind.Softplus,
        _ => throw new ArgumentOutOfRangeException(nameof(f), f, "no kernel"),
    };
}
