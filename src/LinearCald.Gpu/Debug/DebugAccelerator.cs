using System.Runtime.InteropServices;
using LinearCald.Gpu.Debug;

namespace LinearCald.Gpu;

/// <summary>
/// Runs kernels as the C# methods that they are, on CPU threads, one lane at a time and always in the same order, so that a breakpoint in a kernel
/// just works. Every access is checked; the first mistake ends the launch with a <see cref="CaldException"/> that names the kernel, the group, the lane
/// and the source line, and the accelerator stays usable. Unlike on a GPU, a launch has run when it returns, and throws what went wrong.
/// </summary>
public sealed unsafe class DebugAccelerator : Accelerator
{
    private const int GridLimit = 65_535;
    private const int GroupDepthLimit = 64;

    private readonly DebugMemory _memory;
    private readonly GroupRun _run;
    private List<Action>? _capture;
    private List<nint> _freedInCapture = [];
    private int _capturedCopies;
    private int _capturedFills;
    private bool _running;

    /// <param name="options">How to run and what to check; by default everything, lanes in ascending order.</param>
    public DebugAccelerator(DebugOptions? options = null)
    {
        Options = options ?? new DebugOptions();
        _memory = new DebugMemory(Options.Limits.MemoryBytes, Options.Poison);
        _run = new GroupRun(this);
    }

    /// <summary>How it runs and what it checks.</summary>
    public DebugOptions Options { get; }

    /// <summary>Called on the lane's thread when a lane reaches a <see cref="DebugPoint"/>; all other lanes stand still until it returns.</summary>
    public Action<LaneStop>? Stopped { get; set; }

    /// <inheritdoc/>
    public override string Name => "debug";

    /// <inheritdoc/>
    public override string Description => "kernels as C# methods on CPU threads, every access checked";

    /// <inheritdoc/>
    public override DeviceLimits Limits => Options.Limits;

    /// <inheritdoc/>
    public override AcceleratorMemory Memory => _memory.Statistics;

    /// <inheritdoc/>
    public override void ResetPeak() => _memory.ResetPeak();

    /// <inheritdoc/>
    public override nint Allocate(long bytes, string purpose) => _memory.Allocate(bytes, purpose);

    /// <inheritdoc/>
    /// <exception cref="CaldException">A kernel wrote outside of the block, or the address is not a block's.</exception>
    public override void Free(nint address)
    {
        if (_capture is null)
        {
            _memory.Free(address);
        }
        else
        {
            _freedInCapture.Add(address); // replays use it
        }
    }

    /// <inheritdoc/>
    public override void Trim() => _memory.Trim();

    /// <inheritdoc/>
    public override void CopyToDevice(ReadOnlySpan<byte> source, nint destination)
    {
        RequireNoCapture("a copy from the host");
        _memory.Require(destination, source.Length, "copy from the host");
        source.CopyTo(new Span<byte>((void*)destination, source.Length));
    }

    /// <inheritdoc/>
    public override void CopyToHost(nint source, Span<byte> destination)
    {
        RequireNoCapture("a copy to the host");
        _memory.Require(source, destination.Length, "copy to the host");
        new ReadOnlySpan<byte>((void*)source, destination.Length).CopyTo(destination);
    }

    /// <inheritdoc/>
    public override void CopyOnDevice(nint source, nint destination, long bytes)
    {
        _memory.Require(source, bytes, "copy on the device");
        _memory.Require(destination, bytes, "copy on the device");
        Do(() => NativeMemory.Copy((void*)source, (void*)destination, (nuint)bytes), ref _capturedCopies);
    }

    /// <inheritdoc/>
    public override void Fill(nint address, long bytes, byte value)
    {
        _memory.Require(address, bytes, "fill");
        Do(() => NativeMemory.Fill((void*)address, (nuint)bytes, value), ref _capturedFills);
    }

    /// <inheritdoc/>
    public override void Synchronize() => RequireNoCapture("waiting");

    /// <inheritdoc/>
    public override void BeginCapture()
    {
        RequireNoCapture("another capture");
        _capture = [];
        _freedInCapture = [];
        _capturedCopies = 0;
        _capturedFills = 0;
    }

    /// <inheritdoc/>
    public override CapturedGraph EndCapture()
    {
        List<Action> work = _capture ?? throw new CaldException("EndCapture without BeginCapture");
        _capture = null;
        return new DebugGraph(work, _capturedCopies, _capturedFills, this, _freedInCapture);
    }

    /// <inheritdoc/>
    public override TimeMark Mark() => new DebugMark();

    /// <inheritdoc/>
    internal override void LaunchPacked(Kernel kernel, in LaunchShape shape, ReadOnlySpan<byte> arguments)
    {
        Check(kernel, shape);
        if (_capture is null)
        {
            Run(kernel, shape, arguments);
            return;
        }

        byte[] copy = arguments.ToArray();
        LaunchShape captured = shape;
        _capture.Add(() => Run(kernel, captured, copy));
    }

    /// <inheritdoc/>
    internal override TensorMap Encode(in TensorMapDescription description)
    {
        _memory.Require(description.Address, description.Length, "a tensor map");
        return description.Pack();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _memory.Dispose();
        _run.Dispose();
    }

    private void Run(Kernel kernel, in LaunchShape shape, ReadOnlySpan<byte> arguments)
    {
        if (_running)
        {
            throw new CaldException($"kernel {kernel.Name} was launched while another kernel runs: one thread at a time may use an accelerator");
        }

        _running = true;
        try
        {
            _run.Run(kernel, shape, arguments);
        }
        finally
        {
            _running = false;
        }
    }

    private void Check(Kernel kernel, in LaunchShape shape)
    {
        (Index3 grid, Index3 group) = (shape.Grid, shape.Group);
        if (grid.X < 1 || grid.Y < 1 || grid.Z < 1 || grid.Y > GridLimit || grid.Z > GridLimit)
        {
            throw new CaldException($"kernel {kernel.Name}: a grid of {grid} groups; every extent must be at least 1, y and z at most {GridLimit:N0}");
        }

        if (group.X < 1 || group.Y < 1 || group.Z < 1 || group.Z > GroupDepthLimit || group.Count > Limits.GroupThreads)
        {
            throw new CaldException($"kernel {kernel.Name}: groups of {group} threads; every extent must be at least 1, z at most {GroupDepthLimit}, all together at most {Limits.GroupThreads:N0}");
        }

        if (shape.Cluster < 1 || grid.X % shape.Cluster != 0)
        {
            throw new CaldException($"kernel {kernel.Name}: a grid of {grid} groups in clusters of {shape.Cluster}; the cluster must divide the grid along x");
        }
    }

    private void Do(Action work, ref int captured)
    {
        if (_capture is null)
        {
            work();
        }
        else
        {
            _capture.Add(work);
            captured++;
        }
    }

    private void RequireNoCapture(string action)
    {
        if (_capture is not null)
        {
            throw new CaldException($"{action} during a capture: only launches, copies on the device and fills can be recorded");
        }
    }
}
