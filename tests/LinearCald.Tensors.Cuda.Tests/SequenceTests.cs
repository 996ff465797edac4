using LinearCald.Testing.Ptx;

namespace LinearCald.Tensors.Cuda.Tests;

/// <summary>Operations along a sequence as PTX, in the emulator.</summary>
public sealed class SequenceTests : IDisposable
{
    private readonly EmulatorAccelerator _accelerator = new();
    private readonly GpuDevice _device;

    public SequenceTests() => _device = new GpuDevice(_accelerator) { PoisonMemory = true };

    [Fact]
    public void Causal_convolutions() => SequenceChecks.Convolutions(_device, 40, 70);

    [Fact]
    public void Causal_convolutions_in_chunks() => SequenceChecks.ConvolutionsInChunks(_device, 20, 80);

    [Fact]
    public void Rotations() => SequenceChecks.Rotations(_device, 30);

    [Fact]
    public void Rms_norms() => SequenceChecks.RmsNorms(_device, 30, 2049);

    [Fact]
    public void Rms_norms_of_wide_rows() => SequenceChecks.RmsNorms(_device, 4, 17000);

    [Fact]
    public void Gradients_of_parts()
    {
        foreach (DType type in (DType[])[DType.Float32, DType.BFloat16, DType.Float16])
        {
            SequenceChecks.GradientsOfParts(_device, type);
        }
    }

    public void Dispose() => _accelerator.Dispose();
}
