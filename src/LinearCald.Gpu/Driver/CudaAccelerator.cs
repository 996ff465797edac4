using System.Globalization;

namespace LinearCald.Gpu.Driver;

/// <summary>
/// An NVIDIA GPU: the device's primary context, one stream, a pool of device memory, page-locked staging for host copies, and the kernels compiled so
/// far. Nothing here waits for the device but <see cref="Synchronize"/>, <see cref="CopyToHost"/> and reading a time mark.
/// </summary>
public sealed partial class CudaAccelerator : Accelerator
{
    private readonly CudaStream _stream;
    private readonly CudaDeviceFacts _facts;
    private readonly DeviceMemoryPool _pool;
    private readonly HostStaging _staging;
    private readonly KernelLoader _loader;
    private readonly KernelTable<CudaFunction> _functions = new();
    private readonly TensorMapCache _maps = new();
    private readonly Compile _compile;
    private bool _disposed;

    /// <summary>Opens a GPU of this machine.</summary>
    /// <param name="ordinal">Its number, from 0, in the driver's order (which CUDA_VISIBLE_DEVICES changes).</param>
    /// <exception cref="CaldException">No driver, no such device, or one that is too old; in one sentence.</exception>
    public CudaAccelerator(int ordinal = 0)
        : this(LibCuda.IsPresent ? NativeCudaDriver.Instance : null, ordinal, KernelCompiler.Compile, new CubinCache(CubinCache.DefaultFolder()))
    {
    }

    internal CudaAccelerator(ICudaDriver? driver, int ordinal, Compile compile, CubinCache? cache)
    {
        int count = DeviceQuery.Count(driver, out string reason);
        if (driver is null || count == 0)
        {
            throw new CaldException(reason);
        }

        Name = string.Create(CultureInfo.InvariantCulture, $"cuda:{ordinal}");
        if (ordinal < 0 || ordinal >= count)
        {
            throw new CaldException($"{Name}: this machine has {(count == 1 ? "one GPU, cuda:0" : $"{count} GPUs, cuda:0 to cuda:{count - 1}")}");
        }

        _facts = DeviceQuery.Read(driver, ordinal);
        LaunchRules.CheckDevice(_facts.Limits, Name);
        _compile = compile;
        _stream = new CudaStream(driver, _facts.Handle, Name);
        _pool = new DeviceMemoryPool(new Blocks(_stream), Name);
        _staging = new HostStaging(_stream);
        _loader = new KernelLoader(_stream, _facts, cache);
    }

    /// <summary>How a kernel becomes PTX.</summary>
    internal delegate CompiledKernel Compile(Kernel kernel, Index3 group, ReadOnlySpan<byte> arguments, PtxTarget target);

    /// <inheritdoc/>
    public override string Name { get; }

    /// <inheritdoc/>
    public override string Description => string.Create(
        CultureInfo.InvariantCulture,
        $"{_facts.Product}, {_facts.Limits.MemoryBytes / (double)(1L << 30):F1} GiB, sm_{_facts.Limits.Capability}, {_facts.Limits.Multiprocessors} multiprocessors, driver {_facts.Driver}");

    /// <inheritdoc/>
    public override DeviceLimits Limits => _facts.Limits;

    /// <summary>The device's product name.</summary>
    public string Product => _facts.Product;

    /// <summary>The driver's release, where the system tells it, and the CUDA version that it supports.</summary>
    public string DriverVersion => _facts.Driver;

    /// <summary>Every kernel loaded so far.</summary>
    public IReadOnlyList<KernelStatistics> Kernels => [.. _functions.All().Select(f => f.Statistics)];

    /// <summary>Bytes that the pool may ask of the driver in all; for tests of what happens when memory runs out.</summary>
    internal long MemoryLimit
    {
        get => _pool.Limit;
        set => _pool.Limit = value;
    }

    /// <summary>Whether this machine has a GPU that can be opened.</summary>
    /// <param name="reason">One sentence that says why not and what to do; empty if there is one.</param>
    public static bool IsAvailable(out string reason) => DeviceCount(out reason) > 0;

    /// <summary>Number of GPUs in this machine.</summary>
    /// <param name="reason">One sentence that says why there is none; empty if there is one.</param>
    public static int DeviceCount(out string reason) => DeviceQuery.Count(LibCuda.IsPresent ? NativeCudaDriver.Instance : null, out reason);

    /// <summary>Where machine code of kernels is kept between runs, how many bytes and how many kernels.</summary>
    public static (string Folder, long Bytes, int Kernels) KernelCache()
    {
        CubinCache cache = new(CubinCache.DefaultFolder());
        (long bytes, int entries) = cache.Size();
        return (cache.Folder, bytes, entries);
    }

    /// <inheritdoc/>
    public override void Synchronize()
    {
        Enter();
        _stream.Synchronize("waiting for the device");
    }

    /// <inheritdoc/>
    public override void BeginCapture()
    {
        Enter();
        _stream.BeginCapture();
        _pool.BeginRecording();
    }

    /// <inheritdoc/>
    public override CapturedGraph EndCapture()
    {
        Enter();
        CudaGraph? graph = null;
        try
        {
            graph = new CudaGraph(_stream, _pool, _stream.EndCapture());
            return graph;
        }
        finally
        {
            _pool.EndRecording(kept: graph is not null);
        }
    }

    /// <inheritdoc/>
    public override TimeMark Mark()
    {
        Enter();
        _stream.RefuseCapture("a time mark");
        return new CudaTimeMark(_stream);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (_disposed || !disposing)
        {
            return;
        }

        _disposed = true;
        if (!_stream.IsLost)
        {
            _stream.MakeCurrent();
            if (_stream.IsCapturing)
            {
                _stream.Driver.DestroyGraph(_stream.EndCapture());
            }

            _stream.Driver.Synchronize(_stream.Handle);
            _loader.Unload();
            _staging.Dispose();
            _pool.Clear();
        }

        _stream.Dispose();
    }

    private void Enter()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        _stream.MakeCurrent();
    }
}
