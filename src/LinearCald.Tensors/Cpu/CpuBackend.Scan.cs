using System.Numerics;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cpu;

/// <content>Scans.</content>
internal sealed unsafe partial class CpuBackend
{
    public override void SelectiveScan(in SelectiveScanInputs x, Tensor y, Tensor? finalState, Tensor? saved)
    {
        switch (x.U.Type)
        {
            case DType.Float32:
                SelectiveScanKernel.Forward(ProblemOf<float>(x), Pointer<float>(y), PointerOrNull<float>(finalState), PointerOrNull<float>(saved));
                break;
            case DType.Float64:
                SelectiveScanKernel.Forward(ProblemOf<double>(x), Pointer<double>(y), PointerOrNull<double>(finalState), PointerOrNull<double>(saved));
                break;
            default:
                throw Unsupported("SelectiveScan", x.U);
        }
    }

    public override Tensor SelectiveScanSaved(in SelectiveScanInputs x) => Tensor.Allocate(
        x.U.Device, x.A.Type, new Shape(SelectiveScanKernel.Chunks(x.U.Shape[1]), x.U.Shape[0], x.A.Shape[1], x.A.Shape[0]));

    public override void SelectiveScanGradient(in SelectiveScanInputs x, Tensor saved, Tensor gy, in SelectiveScanGradients g)
    {
        switch (x.U.Type)
        {
            case DType.Float32:
                SelectiveScanKernel.Backward(ProblemOf<float>(x), Pointer<float>(saved), GradientOf<float>(gy, g));
                break;
            case DType.Float64:
                SelectiveScanKernel.Backward(ProblemOf<double>(x), Pointer<double>(saved), GradientOf<double>(gy, g));
                break;
            default:
                throw Unsupported("SelectiveScan", x.U);
        }
    }

    private static SelectiveScanProblem<T> ProblemOf<T>(in SelectiveScanInputs x)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => new()
        {
            Batch = x.U.Shape[0],
            Length = x.U.Shape[1],
            Channels = x.U.Shape[2],
            States = x.A.Shape[1],
            U = PitchedRows<T>(x.U),
            Delta = PitchedRows<T>(x.Delta),
            Z = x.Z is null ? default : PitchedRows<T>(x.Z),
            A = Pointer<T>(x.A),
            B = PitchedRows<T>(x.B),
            C = PitchedRows<T>(x.C),
            D = PointerOrNull<T>(x.D),
            DeltaBias = PointerOrNull<T>(x.DeltaBias),
            Softplus = x.Softplus,
            Sequences = PointerOrNull<int>(x.Sequences),
            Lengths = PointerOrNull<int>(x.Lengths),
            InitialState = PointerOrNull<T>(x.InitialState),
        };

    private static SelectiveScanGradient<T> GradientOf<T>(Tensor gy, in SelectiveScanGradients g)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => new()
        {
            Y = Pointer<T>(gy),
            U = PitchedRows<T>(g.U),
            Delta = PitchedRows<T>(g.Delta),
            Z = g.Z is null ? default : PitchedRows<T>(g.Z),
            A = Pointer<T>(g.A),
            B = Pointer<T>(g.B),
            C = Pointer<T>(g.C),
            D = PointerOrNull<T>(g.D),
            DeltaBias = PointerOrNull<T>(g.DeltaBias),
            InitialState = PointerOrNull<T>(g.InitialState),
        };

    private static Rows<T> PitchedRows<T>(Tensor x)
        where T : unmanaged => new(Pointer<T>(x), (nint)x.Pitch());
}
