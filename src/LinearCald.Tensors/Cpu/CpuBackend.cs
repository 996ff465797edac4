using System.Numerics;
using LinearCald.Tensors.Memory;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// Hands tensors to the CPU kernels. They compute in float32 and float64; float16 and bfloat16 are storage formats here (copies convert them).
/// </summary>
internal sealed unsafe partial class CpuBackend : Backend
{
    public override void Fill(Tensor y, double value)
    {
        if (y.Count == 0)
        {
            return;
        }

        if (!y.IsContiguous)
        {
            // A strided tensor is filled by copying one repeated element.
            using MemoryScope scope = MemoryScope.Begin();
            Tensor one = Tensor.Full(y.Device, y.Type, default, value);
            Copy(one.View(y.Shape, default, one.Offset), y);
            return;
        }

        switch (y.Type)
        {
            case DType.Float32:
                LinearCombination.Fill(Pointer<float>(y), (float)value, y.Count);
                break;
            case DType.Float64:
                LinearCombination.Fill(Pointer<double>(y), value, y.Count);
                break;
            case DType.BFloat16:
                new Span<BFloat16>(Pointer<BFloat16>(y), checked((int)y.Count)).Fill((BFloat16)(float)value);
                break;
            case DType.Float16:
                new Span<Half>(Pointer<Half>(y), checked((int)y.Count)).Fill((Half)value);
                break;
            case DType.Int32:
                new Span<int>(Pointer<int>(y), checked((int)y.Count)).Fill((int)value);
                break;
            case DType.Int64:
                new Span<long>(Pointer<long>(y), checked((int)y.Count)).Fill((long)value);
                break;
            case DType.Bool:
                new Span<byte>(Pointer<byte>(y), checked((int)y.Count)).Fill(value == 0 ? (byte)0 : (byte)1);
                break;
            default:
                new Span<byte>(Pointer<byte>(y), checked((int)y.Count)).Fill((byte)value);
                break;
        }
    }

    public override void Copy(Tensor x, Tensor y) => ElementCopy.Run(
        (byte*)((CpuStorage)x.Storage).Pointer + (x.Offset * x.Type.Size()),
        x.Type,
        x.Strides,
        (byte*)((CpuStorage)y.Storage).Pointer + (y.Offset * y.Type.Size()),
        y.Type,
        y.Strides,
        x.Shape);

    /// <summary>The first element.</summary>
    private static T* Pointer<T>(Tensor tensor)
        where T : unmanaged => (T*)((CpuStorage)tensor.Storage).Pointer + tensor.Offset;

    private static T* PointerOrNull<T>(Tensor? tensor)
        where T : unmanaged => tensor is null ? null : Pointer<T>(tensor);

    private static CaldException Unsupported(string operation, Tensor x) => new(
        $"{operation}: the cpu computes in Float32 and Float64, not {x.Type}; convert with To(DType.Float32), or run on a device that computes in it");

    private static T Number<T>(double value)
        where T : INumberBase<T> => T.CreateTruncating(value);
}
