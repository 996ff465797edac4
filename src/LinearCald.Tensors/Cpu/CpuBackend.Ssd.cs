using System.Numerics;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cpu;

/// <content>The scan of Mamba-2.</content>
internal sealed unsafe partial class CpuBackend
{
    public override void SsdScan(SsdArguments arguments, Tensor y, Tensor? saved)
    {
        switch (y.Type)
        {
            case DType.Float32:
                SsdKernel.Forward(arguments.Shape, DataOf<float>(arguments), Pointer<float>(y));
                break;
            case DType.Float64:
                SsdKernel.Forward(arguments.Shape, DataOf<double>(arguments), Pointer<double>(y));
                break;
            default:
                throw Unsupported("SsdScan", y);
        }
    }

    public override void SsdScanGradient(SsdArguments arguments, Tensor? saved, Tensor gy, in SsdGradients gradients)
    {
        switch (gy.Type)
        {
            case DType.Float32:
                SsdBackward<float>(arguments, gy, in gradients);
                break;
            case DType.Float64:
                SsdBackward<double>(arguments, gy, in gradients);
                break;
            default:
                throw Unsupported("SsdScan", gy);
        }
    }

    private static void SsdBackward<T>(SsdArguments arguments, Tensor gy, in SsdGradients g)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => SsdKernel.Backward(
            arguments.Shape, DataOf<T>(arguments), PitchedRows<T>(gy), PitchedRows<T>(g.X), PitchedRows<T>(g.Delta), Pointer<T>(g.A), PitchedRows<T>(g.B), PitchedRows<T>(g.C),
            PointerOrNull<T>(g.D), PointerOrNull<T>(g.DeltaBias), PointerOrNull<T>(g.InitialState));

    private static SsdData<T> DataOf<T>(SsdArguments arguments)
        where T : unmanaged => new()
        {
            X = PitchedRows<T>(arguments.X),
            Delta = PitchedRows<T>(arguments.Delta),
            B = PitchedRows<T>(arguments.B),
            C = PitchedRows<T>(arguments.C),
            A = Pointer<T>(arguments.A),
            D = PointerOrNull<T>(arguments.D),
            DeltaBias = PointerOrNull<T>(arguments.DeltaBias),
            Sequences = PointerOrNull<int>(arguments.Options.Sequences),
            Lengths = PointerOrNull<int>(arguments.Options.Lengths),
            InitialState = PointerOrNull<T>(arguments.Options.InitialState),
            FinalState = PointerOrNull<T>(arguments.Options.FinalState),
        };
}
