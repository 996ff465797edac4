using System.Globalization;
using System.Text;

namespace LinearCald.Gpu.Driver;

/// <summary>
/// A device's context and its one stream, and what every call needs: the context made current on the calling thread, a status turned into an exception
/// that names what was launched, and no call at all once the context is lost.
/// </summary>
internal sealed class CudaStream : IDisposable
{
    private readonly RecentLaunches _launches = new();
    private readonly int _device;
    private readonly nint _context;
    private string? _lost;

    /// <exception cref="CaldException">The driver refuses the context.</exception>
    public CudaStream(ICudaDriver driver, int device, string name)
    {
        Driver = driver;
        Name = name;
        _device = device;
        Check(driver.RetainContext(device, out _context), "opening the device");
        MakeCurrent();
        Check(driver.CreateStream(out nint stream), "opening a stream");
        Handle = stream;
    }

    public ICudaDriver Driver { get; }

    /// <summary>The device's name, for messages.</summary>
    public string Name { get; }

    public nint Handle { get; }

    /// <summary>Whether work is recorded instead of done.</summary>
    public bool IsCapturing { get; private set; }

    /// <summary>Whether a fault has made the device unusable in this process.</summary>
    public bool IsLost => _lost is not null;

    /// <summary>To be called first in every public entry: callers come from any thread.</summary>
    /// <exception cref="CaldException">The context was lost before.</exception>
    public void MakeCurrent()
    {
        if (_lost is not null)
        {
            throw new CaldException($"{Name} cannot be used any more in this process, since {_lost}");
        }

        Check(Driver.SetCurrent(_context), "entering the context");
    }

    /// <summary>Remembers a launch for messages about later faults.</summary>
    public void Launched(string kernel, in LaunchShape shape) => _launches.Add(kernel, shape);

    /// <summary>Throws unless the call succeeded.</summary>
    /// <param name="result">What the driver said.</param>
    /// <param name="doing">What was being done: "copying to the host".</param>
    public void Check(CudaResult result, string doing)
    {
        if (result != CudaResult.Success)
        {
            throw Failure(result, doing);
        }
    }

    /// <summary>Translates a status that is not success.</summary>
    public CaldException Failure(CudaResult result, string doing)
    {
        string what = Describe(Driver, result);
        if (result.IsKernelFault())
        {
            _lost = $"a kernel failed with {what}, noticed while {doing}; {_launches}";
            return new CaldException(
                $"{Name}: {_lost}. The device is lost to this process: start again from the last checkpoint, and run the same with --device debug to find the access that fails");
        }

        if (result.IsDeviceLost())
        {
            _lost = $"the device was lost with {what} while {doing}";
            return new CaldException($"{Name}: {_lost}. Start again from the last checkpoint once nvidia-smi lists the device");
        }

        return result switch
        {
            CudaResult.CaptureUnsupported or CudaResult.CaptureInvalidated => new CaldException(
                $"{Name}: {doing} is not allowed while a graph is recorded ({what}); do it before BeginCapture or after EndCapture"),
            CudaResult.OutOfMemory => new CaldException($"{Name}: {doing} ran out of memory ({what}); use a smaller batch or length"),
            _ => new CaldException($"{Name}: {doing} failed with {what}"),
        };
    }

    /// <summary>Refuses what cannot be recorded.</summary>
    public void RefuseCapture(string doing)
    {
        if (IsCapturing)
        {
            throw new CaldException($"{Name}: {doing} is not possible while a graph is recorded: it needs the host; do it before BeginCapture or after EndCapture");
        }
    }

    /// <summary>Waits for all work.</summary>
    public void Synchronize(string doing)
    {
        RefuseCapture(doing);
        Check(Driver.Synchronize(Handle), doing);
    }

    public void BeginCapture()
    {
        RefuseCapture("recording another graph");
        Check(Driver.BeginCapture(Handle), "starting to record a graph");
        IsCapturing = true;
    }

    /// <summary>Ends recording; the graph is the caller's.</summary>
    public nint EndCapture()
    {
        if (!IsCapturing)
        {
            throw new CaldException($"{Name}: EndCapture without BeginCapture");
        }

        IsCapturing = false;
        Check(Driver.EndCapture(Handle, out nint graph), "recording a graph");
        return graph;
    }

    /// <summary>Calls that a recording forbids on its thread although they do not touch the stream (allocation, loading) go inside this.</summary>
    public RelaxedCapture Relax() => new(this);

    public void Dispose()
    {
        if (_lost is null)
        {
            Driver.DestroyStream(Handle);
        }

        Driver.ReleaseContext(_device);
        _lost ??= "it was disposed of";
    }

    /// <summary>The driver's name and explanation of a status.</summary>
    public static string Describe(ICudaDriver driver, CudaResult result)
    {
        string name = driver.NameOf(result) ?? string.Create(CultureInfo.InvariantCulture, $"CUDA error {(int)result}");
        return driver.TextOf(result) is { } text ? $"{name} ({text})" : name;
    }

    /// <summary>While it lives, this thread may allocate and load although it records.</summary>
    internal readonly ref struct RelaxedCapture
    {
        private const int Relaxed = 2;
        private readonly CudaStream? _stream;
        private readonly int _previous;

        public RelaxedCapture(CudaStream stream)
        {
            if (!stream.IsCapturing)
            {
                return;
            }

            _stream = stream;
            _previous = Relaxed;
            stream.Check(stream.Driver.ExchangeCaptureMode(ref _previous), "recording a graph");
        }

        public void Dispose()
        {
            int mode = _previous;
            _stream?.Driver.ExchangeCaptureMode(ref mode);
        }
    }

    /// <summary>The last launches, without allocation.</summary>
    private sealed class RecentLaunches
    {
        private readonly (string Kernel, LaunchShape Shape)[] _ring = new (string, LaunchShape)[4];
        private int _count;

        public void Add(string kernel, in LaunchShape shape) => _ring[_count++ & 3] = (kernel, shape);

        public override string ToString()
        {
            if (_count == 0)
            {
                return "nothing was launched before";
            }

            StringBuilder text = new("last launches, latest first:");
            for (int i = 1; i <= Math.Min(4, _count); i++)
            {
                (string kernel, LaunchShape shape) = _ring[(_count - i) & 3];
                text.Append(i == 1 ? " " : ", ").Append(kernel);
                if (shape != default)
                {
                    text.Append(CultureInfo.InvariantCulture, $" (grid {shape.Grid}, group {shape.Group})");
                }
            }

            return text.ToString();
        }
    }
}
