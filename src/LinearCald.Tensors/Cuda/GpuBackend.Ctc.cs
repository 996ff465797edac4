using LinearCald.Gpu;
using LinearCald.Tensors.Cuda.Kernels;
using LinearCald.Tensors.Memory;

namespace LinearCald.Tensors.Cuda;

/// <content>Connectionist temporal classification.</content>
internal sealed partial class GpuBackend
{
    public override void CtcLoss(Tensor logits, Tensor targets, Tensor inputLengths, Tensor targetLengths, int blank, bool zeroInfinity, Tensor losses, Tensor? gradient)
    {
        int samples = logits.Shape[0], frames = logits.Shape[1], room = targets.Shape[1];
        if (room > CtcLauncher.MostLabels)
        {
            throw new CaldException(
                $"CtcLoss: targets {targets.Shape} have room for {room} labels; the kernel of {_device.Name} takes up to {CtcLauncher.MostLabels}. Cut the utterances, or run on the cpu (--device cpu)");
        }

        if (samples == 0)
        {
            return;
        }

        using MemoryScope scope = MemoryScope.Begin();
        View<Float2> Room(params ReadOnlySpan<int> extents) => Write<float>(Tensor.Allocate(logits.Device, DType.Float32, new Shape(extents))).As<Float2>();
        bool keeps = gradient is not null && frames > 0;
        CtcBatch batch = new()
        {
            Targets = Read<int>(targets),
            InputLengths = Read<int>(inputLengths),
            TargetLengths = Read<int>(targetLengths),
            Frames = frames,
            Classes = logits.Shape[2],
            Room = room,
            Blank = blank,
        };
        CtcLauncher launch = new(
            _accelerator, Address(logits), batch, samples, Room(samples, frames, room + 1, 2), Room(samples, frames, 2), keeps ? Room(2, samples, frames, 2, (room + 1) * 2) : default, Room(samples, 2),
            Write<float>(losses), keeps ? Write<float>(gradient!) : default, zeroInfinity);
        switch (logits.Type)
        {
            case DType.Float32: launch.Run<float, Float32Format>(); break;
            case DType.BFloat16: launch.Run<ushort, BFloat16Format>(); break;
            case DType.Float16: launch.Run<ushort, Float16Format>(); break;
            default: throw Unsupported("CtcLoss", logits);
        }
    }

    public override void ScaleSamples(Tensor x, Tensor factors, Tensor y)
    {
        long elements = x.Shape[0] == 0 ? 0 : x.Count / x.Shape[0];
        RowMatrix.Dispatch(y.Type, "CtcLoss", new SampleScaleLaunch(_accelerator, Address(x), Address(factors), Address(y), x.Shape[0], elements), x.Shape[0], elements);
    }
}
