namespace LinearCald.Gpu;

/// <summary>
/// A device that runs kernels: a CUDA GPU, or CPU threads that step through the same methods. Work is done in the order it is given; launches return
/// before the kernel has run. One host thread at a time may use an accelerator.
/// </summary>
public abstract partial class Accelerator : IDisposable
{
    /// <summary>As on the command line: <c>cuda:0</c>, <c>debug</c>.</summary>
    public abstract string Name { get; }

    /// <summary>For people: product, memory, driver.</summary>
    public abstract string Description { get; }

    /// <summary>What the device can do.</summary>
    public abstract DeviceLimits Limits { get; }

    /// <summary>What the memory pool holds.</summary>
    public abstract AcceleratorMemory Memory { get; }

    /// <summary>Begins <see cref="AcceleratorMemory.Peak"/> again, at what is in use now.</summary>
    public abstract void ResetPeak();

    /// <summary>A block of device memory, aligned to 256 bytes, its contents undefined. May be reused as soon as it is freed, since work runs in order.</summary>
    /// <exception cref="CaldException">Out of memory: says what was asked, what is free, in use and pooled, and for what.</exception>
    public abstract nint Allocate(long bytes, string purpose);

    /// <summary>Gives a block back to the pool; work that was given before may still use it.</summary>
    public abstract void Free(nint address);

    /// <summary>Gives free pooled memory back to the system.</summary>
    public abstract void Trim();

    /// <summary>Copies from the host, in order; the source may be changed as soon as this returns.</summary>
    public abstract void CopyToDevice(ReadOnlySpan<byte> source, nint destination);

    /// <summary>Copies to the host; waits for the work given before.</summary>
    public abstract void CopyToHost(nint source, Span<byte> destination);

    /// <summary>Copies within the device, in order.</summary>
    public abstract void CopyOnDevice(nint source, nint destination, long bytes);

    /// <summary>Sets every byte, in order.</summary>
    public abstract void Fill(nint address, long bytes, byte value);

    /// <summary>Waits until all work is done.</summary>
    /// <exception cref="CaldException">A kernel failed; names it and its launch.</exception>
    public abstract void Synchronize();

    /// <summary>Starts recording work instead of doing it, until <see cref="EndCapture"/>. Host copies and waiting are not allowed meanwhile.</summary>
    public abstract void BeginCapture();

    /// <summary>What was recorded since <see cref="BeginCapture"/>, to be replayed with the same addresses.</summary>
    public abstract CapturedGraph EndCapture();

    /// <summary>A marker in the order of work, whose time can be read when it has passed.</summary>
    public abstract TimeMark Mark();

    /// <summary>A typed block of device memory.</summary>
    public DeviceBuffer<T> Allocate<T>(long length, string purpose = "a buffer")
        where T : unmanaged => new(this, length, purpose);

    /// <summary>A typed block of device memory with a copy of host values.</summary>
    public DeviceBuffer<T> Allocate<T>(ReadOnlySpan<T> values)
        where T : unmanaged
    {
        DeviceBuffer<T> buffer = new(this, values.Length, "a buffer");
        buffer.CopyFrom(values);
        return buffer;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Runs a kernel over packed arguments (each at its <see cref="KernelParameter.Offset"/>).</summary>
    internal abstract void LaunchPacked(Kernel kernel, in LaunchShape shape, ReadOnlySpan<byte> arguments);

    /// <summary>The map of a tensor as kernels on this accelerator take it; the description has been checked.</summary>
    internal virtual TensorMap Encode(in TensorMapDescription description) => description.Pack();

    /// <summary>Frees what the device holds.</summary>
    protected abstract void Dispose(bool disposing);
}
