using System.Collections.Concurrent;
using LinearCald.Gpu;
using LinearCald.Gpu.Driver;
using LinearCald.Tensors.Cuda.Kernels;
using LinearCald.Tensors.Memory;

namespace LinearCald.Tensors.Cuda;

/// <summary>Tensors on an accelerator: a GPU, or the debug device, which steps through the same kernels on CPU threads.</summary>
internal sealed class GpuDevice : Device
{
    private static readonly Lock s_gate = new();
    private static readonly Dictionary<string, GpuDevice> s_open = [];

    private readonly ConcurrentQueue<nint> _dropped = new();
    private readonly GpuBackend _backend;

    /// <summary>Two numbers: 0, and what a replay adds to the streams that its recording drew.</summary>
    private readonly DeviceBuffer<ulong> _shifts;

    private ulong? _recordingFrom;
    private bool _tensorFloat32;

    /// <param name="accelerator">Where kernels run; used by nobody else from here on.</param>
    public GpuDevice(Accelerator accelerator)
    {
        Accelerator = accelerator;
        _shifts = accelerator.Allocate<ulong>([0, 0]);
        _backend = new GpuBackend(this);
    }

    public Accelerator Accelerator { get; }

    public override string Name => Accelerator.Name;

    public override string Description => Accelerator.Description;

    public override MemoryStatistics Memory
    {
        get
        {
            AcceleratorMemory memory = Accelerator.Memory;
            return new MemoryStatistics(memory.InUse, memory.Pooled, memory.Peak, memory.Allocations);
        }
    }

    public override void ResetPeak() => Accelerator.ResetPeak();

    public override bool HasReducedPrecision => true;

    public override bool TensorFloat32
    {
        get => _tensorFloat32;
        set => _tensorFloat32 = value;
    }

    /// <summary>Operations a clock and multiprocessor by architecture (NVIDIA's white papers: GA100 2020, GH100 2022), dense; float32 on the ordinary units.</summary>
    public override double? PeakFlops(DType? type)
    {
        DeviceLimits limits = Accelerator.Limits;
        int? each = (limits.Capability, type, _tensorFloat32) switch
        {
            (80, DType.BFloat16 or DType.Float16, _) => 2048,
            (80, _, true) => 1024,
            (80, _, false) => 128,
            (90, DType.BFloat16 or DType.Float16, _) => 4096,
            (90, _, true) => 2048,
            (90, _, false) => 256,
            _ => null,
        };
        return each is { } operations && limits.ClockHertz > 0 ? operations * limits.ClockHertz * limits.Multiprocessors : null;
    }

    public override bool RunsAhead => Accelerator is CudaAccelerator;

    /// <summary>Fill every buffer with NaN bits (all ones) when it is given out, so that a read before a write shows. Tests switch it on.</summary>
    public bool PoisonMemory { get; set; }

    /// <summary>Float32 numbers of working memory that one operation should not pass where it can do its work in turns.</summary>
    public long WorkspaceElements { get; init; } = 1L << 27;

    /// <summary>Parts that the scan of Mamba-2 cuts rows into; 0 to choose by the sizes. Tests set it.</summary>
    public int ScanSegments { get; init; }

    internal override Backend Backend => _backend;

    /// <summary>The device of a name that <see cref="Gpu.Accelerator.Open"/> knows; the same object for the same device.</summary>
    public static GpuDevice Open(string name)
    {
        string key = Accelerator.TryOrdinal(name, out int ordinal) ? $"cuda:{ordinal}" : name;
        lock (s_gate)
        {
            if (!s_open.TryGetValue(key, out GpuDevice? device))
            {
                s_open.Add(key, device = new GpuDevice(Accelerator.Open(key)));
            }

            return device;
        }
    }

    public override double MeasurePeak() => FmaPeak.Measure(this);

    public override double Milliseconds(Action work)
    {
        ArgumentNullException.ThrowIfNull(work);
        using TimeMark start = Accelerator.Mark();
        work();
        using TimeMark end = Accelerator.Mark();
        return end.MillisecondsSince(start);
    }

    public override RecordedWork? Record(ulong randomBase, Action work)
    {
        ArgumentNullException.ThrowIfNull(work);
        FreeDropped();
        _recordingFrom = randomBase;
        Accelerator.BeginCapture();
        try
        {
            work();
        }
        catch
        {
            // What was recorded so far is of no use; the first error is the one to tell.
            EndFailed();
            throw;
        }
        finally
        {
            _recordingFrom = null;
        }

        return new Recording(this, Accelerator.EndCapture(), randomBase);
    }

    public override void Synchronize() => Accelerator.Synchronize();

    public override void TrimMemory()
    {
        FreeDropped();
        Accelerator.Trim();
    }

    /// <summary>A random key for a kernel: while work is recorded, replays shift the streams that were drawn for it.</summary>
    public DeviceRandomKey KeyFor(RandomKey key)
    {
        int shift = _recordingFrom is { } first && key.Stream >= first ? 1 : 0;
        return new DeviceRandomKey(key, _shifts.ReadOnly.Slice(shift, 1));
    }

    /// <summary>For finalizers.</summary>
    public void FreeLater(nint address) => _dropped.Enqueue(address);

    internal override Storage Allocate(long bytes, string purpose)
    {
        FreeDropped();
        GpuStorage storage = new(this, Accelerator.Allocate(bytes, purpose), bytes);
        if (PoisonMemory)
        {
            Accelerator.Fill(storage.Address, bytes, 0xFF);
        }

        MemoryScope.Register(storage);
        return storage;
    }

    internal override void Recycle(Storage storage) => ((GpuStorage)storage).Dispose();

    internal override void Upload(Storage destination, long byteOffset, ReadOnlySpan<byte> source) =>
        Accelerator.CopyToDevice(source, ((GpuStorage)destination).Address + (nint)byteOffset);

    internal override void Download(Storage source, long byteOffset, Span<byte> destination) =>
        Accelerator.CopyToHost(((GpuStorage)source).Address + (nint)byteOffset, destination);

    private void FreeDropped()
    {
        while (_dropped.TryDequeue(out nint address))
        {
            Accelerator.Free(address);
        }
    }

    private void EndFailed()
    {
        try
        {
            Accelerator.EndCapture().Dispose();
        }
        catch (CaldException)
        {
            // A recording that was invalidated by the error ends with one of its own.
        }
    }

    private sealed class Recording(GpuDevice device, CapturedGraph graph, ulong recordedBase) : RecordedWork
    {
        public override GraphContents Contents => graph.Contents;

        public override void Replay(ulong randomBase)
        {
            // Unsigned subtraction wraps, and so does the kernels' addition.
            device._shifts.CopyFrom([0, unchecked(randomBase - recordedBase)]);
            graph.Launch();
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                graph.Dispose();
            }
        }
    }
}
