using LinearCald.Gpu;
using LinearCald.Tensors.Cuda.Kernels;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cuda;

/// <content>The scan of Mamba-2. 16-bit tensors are passed as their bits.</content>
internal sealed unsafe partial class GpuBackend
{
    public override Tensor? SsdSaved(SsdArguments arguments) => Tensor.Allocate(arguments.X.Device, arguments.X.Type, SsdLauncher<float>.SavedShape(arguments.Shape));

    public override void SsdScan(SsdArguments arguments, Tensor y, Tensor? saved)
    {
        if (y.Type == DType.Float32)
        {
            Run<float>();
        }
        else
        {
            Run<ushort>();
        }

        void Run<T>()
            where T : unmanaged
        {
            SsdLauncher<T> launcher = SsdOf<T>(arguments);
            SsdPlan plan = launcher.ForwardPlan();
            using MemoryScope scope = MemoryScope.Begin();
            Tensor? initial = arguments.Options.InitialState, final = arguments.Options.FinalState;
            if (plan.Segments > 1 && initial is not null && final is not null && Address(initial) == Address(final))
            {
                // one segment writes the final state while others still read the initial one
                initial = Tensor.Allocate(y.Device, DType.Float32, initial.Shape);
                _accelerator.CopyOnDevice(Address(final), Address(initial), initial.Count * sizeof(float));
            }

            launcher.Forward(
                Write<T>(y), saved is null ? null : Write<T>(saved), WriteOrNone<float>(initial), WriteOrNone<float>(final), in plan, SsdRoom(y.Device, plan.CarryElements(arguments.Shape, arguments.Shape.Batch)));
        }
    }

    public override void SsdScanGradient(SsdArguments arguments, Tensor? saved, Tensor gy, in SsdGradients gradients)
    {
        switch (gy.Type)
        {
            case DType.Float32:
                SsdBackward<float, Float32Format>(arguments, saved!, gy, in gradients);
                break;
            case DType.BFloat16:
                SsdBackward<ushort, BFloat16Format>(arguments, saved!, gy, in gradients);
                break;
            default:
                SsdBackward<ushort, Float16Format>(arguments, saved!, gy, in gradients);
                break;
        }
    }

    private void SsdBackward<T, TFormat>(SsdArguments arguments, Tensor saved, Tensor gy, in SsdGradients g)
        where T : unmanaged
        where TFormat : struct, IElementFormat<T>
    {
        SsdLauncher<T> launcher = SsdOf<T>(arguments);
        int batches = launcher.BatchesWithin(_device.WorkspaceElements);
        SsdPlan plan = launcher.BackwardPlan(batches);
        using MemoryScope scope = MemoryScope.Begin();
        View<float> shares = SsdRoom(gy.Device, launcher.Shares(batches, in plan)), room = SsdRoom(gy.Device, plan.CarryElements(arguments.Shape, batches));

        // the kernel writes the gradient of an initial state where there is one, wanted or not
        Tensor? initial = g.InitialState ?? (arguments.Options.InitialState is { } h ? Tensor.Allocate(gy.Device, DType.Float32, h.Shape) : null);
        launcher.Backward<TFormat>(
            Read<T>(gy), Read<T>(saved), shares, batches, in plan, room, RowsOf<T>(g.X), RowsOf<T>(g.Delta), RowsOf<T>(g.B), RowsOf<T>(g.C), Write<float>(g.A), WriteOrNone<float>(g.D), WriteOrNone<float>(g.DeltaBias),
            WriteOrNone<float>(initial));
    }

    private SsdLauncher<T> SsdOf<T>(SsdArguments x)
        where T : unmanaged
    {
        SsdInputs<T> inputs = new()
        {
            X = Rows<T>(x.X),
            Delta = Rows<T>(x.Delta),
            B = Rows<T>(x.B),
            C = Rows<T>(x.C),
            A = Read<float>(x.A),
            D = ReadOrNone<float>(x.D),
            DeltaBias = ReadOrNone<float>(x.DeltaBias),
            Sequences = ReadOrNone<int>(x.Options.Sequences),
            Lengths = ReadOrNone<int>(x.Options.Lengths),
        };
        return new SsdLauncher<T>(_accelerator, x.Shape, PrecisionOf("SsdScan", x.X), inputs, _device.ScanSegments, Pitch(x.X), Pitch(x.Delta), Pitch(x.B), Pitch(x.C));
    }

    /// <summary>Working memory until the innermost scope ends.</summary>
    private static View<float> SsdRoom(Device device, long elements) => elements == 0 ? default : Write<float>(Tensor.Allocate(device, DType.Float32, new Shape(checked((int)elements))));

    private static int Pitch(Tensor x) => checked((int)x.Pitch());

    /// <summary>Rows at a pitch, from the first element to the last.</summary>
    private static View<T> Rows<T>(Tensor x)
        where T : unmanaged => new((T*)Address(x), x.Count == 0 ? 0 : ((x.Shape.Rows - 1) * x.Pitch()) + x.Shape.Last);

    private static SsdRows<T> RowsOf<T>(Tensor x)
        where T : unmanaged => new(Rows<T>(x), Pitch(x));

    private static ReadOnlyView<T> ReadOrNone<T>(Tensor? tensor)
        where T : unmanaged => tensor is null ? default : Read<T>(tensor);

    private static View<T>? WriteOrNone<T>(Tensor? tensor)
        where T : unmanaged => tensor is null ? null : Write<T>(tensor);
}
