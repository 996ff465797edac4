using LinearCald.Gpu;
using LinearCald.Tensors.Cpu;
using LinearCald.Tensors.Cuda;
using LinearCald.Tensors.Memory;

namespace LinearCald.Tensors;

/// <summary>Where tensors live and kernels run. Everything above the tensors names devices only through this class.</summary>
public abstract class Device
{
    /// <summary>As on the command line: <c>cpu</c>, <c>cuda:0</c>, <c>debug</c>.</summary>
    public abstract string Name { get; }

    /// <summary>For people: product, memory, driver.</summary>
    public abstract string Description { get; }

    /// <summary>What the device's memory pool holds.</summary>
    public abstract MemoryStatistics Memory { get; }

    /// <summary>Begins <see cref="MemoryStatistics.Peak"/> again, at what is in use now.</summary>
    public abstract void ResetPeak();

    /// <summary>Whether products of 16-bit and of tf32 operands are to be had.</summary>
    public virtual bool HasReducedPrecision => false;

    /// <summary>Whether products of float32 tensors round their operands to tf32 (10 fraction bits) and use the matrix units.</summary>
    /// <exception cref="CaldException">Set on a device without <see cref="HasReducedPrecision"/>.</exception>
    public virtual bool TensorFloat32
    {
        get => false;
        set
        {
            if (value)
            {
                throw new CaldException($"{Name} has no tf32 products; leave the precision at fp32");
            }
        }
    }

    /// <summary>Whether work is queued and done while the host goes on: then reading a value makes the host wait.</summary>
    public virtual bool RunsAhead => false;

    /// <summary>
    /// Records the work instead of doing it, on a device that can. The work must have been done once before, so that kernels are loaded and lasting tensors made; it may
    /// neither read values back nor send any.
    /// </summary>
    /// <param name="randomBase">The base of the random streams while recording, see <see cref="RecordedWork.Replay"/>.</param>
    /// <param name="work">What to record.</param>
    /// <returns>Null where the device cannot.</returns>
    public virtual RecordedWork? Record(ulong randomBase, Action work) => null;

    internal abstract Backend Backend { get; }

    /// <summary>Finds a device by the name the command line uses.</summary>
    /// <exception cref="CaldException">No such device in this build or machine.</exception>
    public static Device Parse(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!IsName(name))
        {
            throw new CaldException($"device '{name}' is not known; give {Names}");
        }

        return name == "cpu" ? CpuDevice.Instance : GpuDevice.Open(name);
    }

    /// <summary>What <see cref="Parse"/> takes, for messages.</summary>
    public const string Names = "cpu, cuda, cuda:N or debug";

    /// <summary>Whether a device may be called that; it need not exist.</summary>
    public static bool IsName(string name) => name is "cpu" or "debug" || Accelerator.TryOrdinal(name, out _);

    /// <summary>Sets how many threads the CPU kernels use; results do not depend on it. Call before the first kernel.</summary>
    public static void UseThreads(int threads)
    {
        if (threads < 1 || threads > 1024)
        {
            throw new CaldException($"--threads {threads}: give a number from 1 to 1024");
        }

        WorkerPool.Configure(threads);
    }

    /// <summary>Threads the CPU kernels use.</summary>
    public static int Threads => WorkerPool.Shared.Threads;

    /// <summary>The device's measured ceiling of float32 multiply-adds in GFLOP/s, from a loop that touches no memory.</summary>
    public abstract double MeasurePeak();

    /// <summary>That ceiling at this moment, from about a millisecond; null where nobody else shares the device and it stays the same.</summary>
    public virtual double? MeasurePeakNow() => null;

    /// <summary>Floating-point operations a second that the device's specification allows in products of such operands; null when it is not known.</summary>
    /// <param name="type">Type of the operands; null for float32, or tf32 when <see cref="TensorFloat32"/> is set.</param>
    public virtual double? PeakFlops(DType? type) => null;

    /// <summary>Milliseconds that the device takes for the work, waited for.</summary>
    public virtual double Milliseconds(Action work)
    {
        ArgumentNullException.ThrowIfNull(work);
        Synchronize();
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        work();
        Synchronize();
        return System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    /// <summary>Waits until all work given to the device is done.</summary>
    public abstract void Synchronize();

    /// <summary>Gives memory that the pool keeps for reuse back to the system.</summary>
    public abstract void TrimMemory();

    public override string ToString() => Name;

    internal abstract Storage Allocate(long bytes, string purpose);

    internal abstract void Recycle(Storage storage);

    internal abstract void Upload(Storage destination, long byteOffset, ReadOnlySpan<byte> source);

    internal abstract void Download(Storage source, long byteOffset, Span<byte> destination);
}
