using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Catalogue;

/// <summary>Notes which kernels are launched, with which group sizes and constants, and runs nothing: addresses have no memory behind them.</summary>
internal sealed class CatalogueAccelerator : Accelerator
{
    private const int Alignment = 256;
    private nint _next = 1 << 20;

    /// <summary>Every launch so far: kernel, threads of a group, packed arguments.</summary>
    public List<(Kernel Kernel, Index3 Group, byte[] Arguments)> Launches { get; } = [];

    public override string Name => "catalogue";

    public override string Description => "notes launches";

    /// <summary>Those of a large Hopper GPU: launchers choose tiles by it.</summary>
    public override DeviceLimits Limits => new() { Capability = Capability, Multiprocessors = 132, CacheBytes = 50L << 20, MemoryBytes = 80L << 30 };

    /// <summary>Compute capability, by which products choose their kernels.</summary>
    public int Capability { get; set; } = 90;

    public override AcceleratorMemory Memory => default;

    public override void ResetPeak()
    {
        // Nothing is allocated.
    }

    public override nint Allocate(long bytes, string purpose)
    {
        nint address = _next;
        _next += (nint)((bytes + Alignment - 1) / Alignment * Alignment);
        return address;
    }

    public override void Free(nint address)
    {
        // There is no memory.
    }

    public override void Trim()
    {
        // There is no memory.
    }

    public override void CopyToDevice(ReadOnlySpan<byte> source, nint destination)
    {
        // Nobody reads it.
    }

    public override void CopyToHost(nint source, Span<byte> destination) => destination.Clear();

    public override void CopyOnDevice(nint source, nint destination, long bytes)
    {
        // Nobody reads it.
    }

    public override void Fill(nint address, long bytes, byte value)
    {
        // Nobody reads it.
    }

    public override void Synchronize()
    {
        // Nothing runs.
    }

    public override void BeginCapture() => throw new NotSupportedException();

    public override CapturedGraph EndCapture() => throw new NotSupportedException();

    public override TimeMark Mark() => throw new NotSupportedException();

    internal override void LaunchPacked(Kernel kernel, in LaunchShape shape, ReadOnlySpan<byte> arguments) =>
        Launches.Add((kernel, shape.Group, arguments.ToArray()));

    protected override void Dispose(bool disposing)
    {
        // Holds nothing.
    }
}
