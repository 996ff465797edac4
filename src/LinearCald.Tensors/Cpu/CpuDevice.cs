using LinearCald.Tensors.Memory;

namespace LinearCald.Tensors.Cpu;

/// <summary>The host processor.</summary>
internal sealed unsafe class CpuDevice : Device
{
    public static readonly CpuDevice Instance = new();
    private readonly CpuMemoryPool _pool = new();
    private readonly CpuBackend _backend = new();

    private CpuDevice()
    {
    }

    public override string Name => "cpu";

    public override string Description => $"{System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture} processor, {Threads} threads";

    public override MemoryStatistics Memory => _pool.Statistics;

    public override void ResetPeak() => _pool.ResetPeak();

    /// <summary>See <see cref="CpuMemoryPool.Poison"/>.</summary>
    public bool PoisonMemory
    {
        get => _pool.Poison;
        set => _pool.Poison = value;
    }

    internal override Backend Backend => _backend;

    public override double MeasurePeak() => FmaPeak.Measure(WorkerPool.Shared.Threads);

    public override double? MeasurePeakNow() => FmaPeak.Now(WorkerPool.Shared);

    public override void Synchronize()
    {
        // Kernels return when they are done.
    }

    public override void TrimMemory() => _pool.Trim();

    internal override Storage Allocate(long bytes, string purpose)
    {
        CpuStorage storage = _pool.Rent(this, bytes, purpose);
        MemoryScope.Register(storage);
        return storage;
    }

    internal override void Recycle(Storage storage) => _pool.Return((CpuStorage)storage);

    internal override void Upload(Storage destination, long byteOffset, ReadOnlySpan<byte> source) =>
        source.CopyTo(new Span<byte>((byte*)((CpuStorage)destination).Pointer + byteOffset, source.Length));

    internal override void Download(Storage source, long byteOffset, Span<byte> destination) =>
        new ReadOnlySpan<byte>((byte*)((CpuStorage)source).Pointer + byteOffset, destination.Length).CopyTo(destination);
}
