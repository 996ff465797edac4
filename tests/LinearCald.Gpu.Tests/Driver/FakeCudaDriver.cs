using System.Runtime.InteropServices;
using System.Text;
using LinearCald.Gpu.Driver;

namespace LinearCald.Gpu.Tests.Driver;

/// <summary>
/// A driver in host memory: copies and fills are done at once or counted when a stream records, launches are noted, any call can be made to fail.
/// It refuses what the real one refuses: allocating in a recording without relaxing first, freeing twice, loading what it did not assemble.
/// </summary>
internal sealed unsafe class FakeCudaDriver : ICudaDriver
{
    private readonly Dictionary<nint, nuint> _blocks = [];
    private readonly HashSet<nint> _host = [];
    private readonly HashSet<nint> _events = [];
    private readonly Dictionary<nint, byte[]> _linkers = [];
    private readonly List<GCHandle> _images = [];
    private nint _next = 0x1000;
    private int _captureMode = 1;
    private bool _capturing;
    private readonly List<int> _nodes = []; // kinds: 0 kernel, 1 copy, 2 fill

    public List<(nint Function, Index3 Grid, Index3 Group, int Shared, int Cluster, long[] Words)> Launches { get; } = [];

    public List<string> Calls { get; } = [];

    /// <summary>Statuses that the next call of a name returns.</summary>
    public Dictionary<string, CudaResult> Failing { get; } = [];

    public long Capacity { get; set; } = 1L << 30;

    public int Capability { get; set; } = 90;

    public int Devices { get; set; } = 1;

    public int SupportedCuda { get; set; } = 12080;

    public int Registers { get; set; } = 32;

    public int MaximumThreads { get; set; } = 1024;

    /// <summary>How many parameters launches note, a word each; no more than the kernel has.</summary>
    public int ParameterCount { get; set; }

    public long Allocated => _blocks.Values.Sum(b => (long)b);

    public int LiveHostBlocks => _host.Count;

    public int LiveEvents => _events.Count;

    public CudaResult Initialize() => Result(nameof(Initialize));

    public CudaResult Version(out int version)
    {
        version = SupportedCuda;
        return Result(nameof(Version));
    }

    public string? NameOf(CudaResult result) => result == CudaResult.Unknown ? null : $"CUDA_ERROR_{result.ToString().ToUpperInvariant()}";

    public string? TextOf(CudaResult result) => result == CudaResult.Unknown ? null : "an explanation";

    public CudaResult DeviceCount(out int count)
    {
        count = Devices;
        return Result(nameof(DeviceCount));
    }

    public CudaResult Device(int ordinal, out int device)
    {
        device = ordinal;
        return Result(nameof(Device));
    }

    public CudaResult DeviceName(int device, byte* name, int capacity)
    {
        Encoding.UTF8.GetBytes("Imagined GPU\0", new Span<byte>(name, capacity));
        return Result(nameof(DeviceName));
    }

    public CudaResult DeviceMemory(int device, out nuint bytes)
    {
        bytes = (nuint)Capacity;
        return Result(nameof(DeviceMemory));
    }

    public CudaResult DeviceAttribute(int device, DeviceProperty property, out int value)
    {
        value = property switch
        {
            DeviceProperty.CapabilityMajor => Capability / 10,
            DeviceProperty.CapabilityMinor => Capability % 10,
            DeviceProperty.GroupThreads => 1024,
            DeviceProperty.GroupSharedBytesOptIn => 232448,
            DeviceProperty.Multiprocessors => 132,
            _ => 50 << 20,
        };
        return Result(nameof(DeviceAttribute));
    }

    public CudaResult RetainContext(int device, out nint context) => New(out context, nameof(RetainContext));

    public CudaResult ReleaseContext(int device) => Result(nameof(ReleaseContext));

    public CudaResult SetCurrent(nint context) => Result(nameof(SetCurrent));

    public CudaResult MemoryInfo(out nuint free, out nuint total)
    {
        total = (nuint)Capacity;
        free = (nuint)(Capacity - Allocated);
        return Result(nameof(MemoryInfo));
    }

    public CudaResult Allocate(nuint bytes, out nint address)
    {
        address = 0;
        if (_capturing && _captureMode != 2)
        {
            return CudaResult.CaptureUnsupported;
        }

        if (Result(nameof(Allocate)) is var result && result != CudaResult.Success)
        {
            return result;
        }

        if ((nuint)(Capacity - Allocated) < bytes)
        {
            return CudaResult.OutOfMemory;
        }

        address = (nint)NativeMemory.AlignedAlloc(bytes, 256);
        _blocks.Add(address, bytes);
        return CudaResult.Success;
    }

    public CudaResult Free(nint address)
    {
        if (!_blocks.Remove(address))
        {
            return CudaResult.InvalidValue;
        }

        NativeMemory.AlignedFree((void*)address);
        return Result(nameof(Free));
    }

    public CudaResult AllocateHost(nuint bytes, out nint address)
    {
        address = (nint)NativeMemory.Alloc(bytes);
        _host.Add(address);
        return Result(nameof(AllocateHost));
    }

    public CudaResult FreeHost(nint address)
    {
        NativeMemory.Free((void*)address);
        return _host.Remove(address) ? Result(nameof(FreeHost)) : CudaResult.InvalidValue;
    }

    public CudaResult CopyToDevice(nint destination, nint source, nuint bytes, nint stream) => Move(destination, source, bytes, nameof(CopyToDevice));

    public CudaResult CopyToHost(nint destination, nint source, nuint bytes, nint stream) => Move(destination, source, bytes, nameof(CopyToHost));

    public CudaResult CopyOnDevice(nint destination, nint source, nuint bytes, nint stream) => Move(destination, source, bytes, nameof(CopyOnDevice));

    public CudaResult Fill(nint destination, byte value, nuint bytes, nint stream)
    {
        CudaResult result = Result(nameof(Fill));
        if (_capturing)
        {
            _nodes.Add(2);
        }
        else if (result == CudaResult.Success)
        {
            NativeMemory.Fill((void*)destination, bytes, value);
        }

        return result;
    }

    public CudaResult CreateStream(out nint stream) => New(out stream, nameof(CreateStream));

    public CudaResult DestroyStream(nint stream) => Result(nameof(DestroyStream));

    public CudaResult Synchronize(nint stream) => _capturing ? CudaResult.CaptureUnsupported : Result(nameof(Synchronize));

    public CudaResult BeginCapture(nint stream)
    {
        _capturing = true;
        _nodes.Clear();
        return Result(nameof(BeginCapture));
    }

    public CudaResult EndCapture(nint stream, out nint graph)
    {
        _capturing = false;
        return New(out graph, nameof(EndCapture));
    }

    public CudaResult ExchangeCaptureMode(ref int mode)
    {
        (mode, _captureMode) = (_captureMode, mode);
        return Result(nameof(ExchangeCaptureMode));
    }

    /// <summary>Edges that graphs are given besides the one from each node to the next.</summary>
    public List<(int From, int To)> MoreEdges { get; } = [];

    public CudaResult GraphNodes(nint graph, nint* nodes, ref nuint count)
    {
        for (int i = 0; nodes is not null && i < _nodes.Count; i++)
        {
            nodes[i] = i;
        }

        count = (nuint)_nodes.Count;
        return Result(nameof(GraphNodes));
    }

    public CudaResult GraphNodeKind(nint node, out int kind)
    {
        kind = _nodes[(int)node];
        return Result(nameof(GraphNodeKind));
    }

    public CudaResult GraphEdges(nint graph, nint* from, nint* to, ref nuint count)
    {
        (int From, int To)[] edges = [.. Enumerable.Range(0, Math.Max(0, _nodes.Count - 1)).Select(i => (i, i + 1)), .. MoreEdges];
        for (int i = 0; from is not null && i < edges.Length; i++)
        {
            (from[i], to[i]) = edges[i];
        }

        count = (nuint)edges.Length;
        return Result(nameof(GraphEdges));
    }

    public CudaResult Instantiate(nint graph, out nint executable) => New(out executable, nameof(Instantiate));

    public CudaResult UploadGraph(nint executable, nint stream) => Result(nameof(UploadGraph));

    public CudaResult LaunchGraph(nint executable, nint stream) => Result(nameof(LaunchGraph));

    public CudaResult DestroyGraph(nint graph) => Result(nameof(DestroyGraph));

    public CudaResult DestroyExecutable(nint executable) => Result(nameof(DestroyExecutable));

    public CudaResult CreateEvent(bool timed, out nint mark)
    {
        CudaResult result = New(out mark, nameof(CreateEvent));
        _events.Add(mark);
        return result;
    }

    public CudaResult RecordEvent(nint mark, nint stream) => _events.Contains(mark) ? Result(nameof(RecordEvent)) : CudaResult.InvalidValue;

    public CudaResult WaitForEvent(nint mark) => _events.Contains(mark) ? Result(nameof(WaitForEvent)) : CudaResult.InvalidValue;

    public CudaResult ElapsedMilliseconds(nint start, nint end, out float milliseconds)
    {
        milliseconds = end - start;
        return Result(nameof(ElapsedMilliseconds));
    }

    public CudaResult DestroyEvent(nint mark) => _events.Remove(mark) ? Result(nameof(DestroyEvent)) : CudaResult.InvalidValue;

    public CudaResult CreateLinker(int options, AssemblerOption* names, void** values, out nint linker) => New(out linker, nameof(CreateLinker));

    public CudaResult AddPtx(nint linker, byte* ptx, nuint bytes, byte* name)
    {
        _linkers[linker] = [.. "CUBIN"u8, .. new ReadOnlySpan<byte>(ptx, (int)bytes)];
        return Result(nameof(AddPtx));
    }

    public CudaResult CompleteLink(nint linker, out nint image, out nuint bytes)
    {
        GCHandle pinned = GCHandle.Alloc(_linkers[linker], GCHandleType.Pinned);
        _images.Add(pinned);
        image = pinned.AddrOfPinnedObject();
        bytes = (nuint)_linkers[linker].Length;
        return Result(nameof(CompleteLink));
    }

    public CudaResult DestroyLinker(nint linker) => Result(nameof(DestroyLinker));

    public CudaResult LoadModule(byte* image, int options, AssemblerOption* names, void** values, out nint module)
    {
        module = 0;
        if (_capturing && _captureMode != 2)
        {
            return CudaResult.CaptureUnsupported;
        }

        bool text = options > 0;
        CudaResult result = Result(text ? "LoadText" : "LoadImage");
        if (text && result != CudaResult.Success)
        {
            Encoding.UTF8.GetBytes("line 7: unknown instruction\0", new Span<byte>(values[2], (int)values[3]));
        }

        return result == CudaResult.Success ? New(out module, nameof(LoadModule)) : result;
    }

    public CudaResult UnloadModule(nint module) => Result(nameof(UnloadModule));

    public CudaResult Function(nint module, byte* name, out nint function) => New(out function, nameof(Function));

    public CudaResult FunctionAttribute(nint function, FunctionProperty property, out int value)
    {
        value = property switch
        {
            FunctionProperty.Registers => Registers,
            FunctionProperty.MaximumThreads => MaximumThreads,
            _ => 0,
        };
        return Result(nameof(FunctionAttribute));
    }

    public CudaResult SetFunctionAttribute(nint function, FunctionProperty property, int value) => Result($"{nameof(SetFunctionAttribute)} {property} {value}");

    public CudaResult ActiveGroups(nint function, int threads, nuint dynamicSharedBytes, out int groups)
    {
        groups = 2;
        return Result(nameof(ActiveGroups));
    }

    public CudaResult EncodeTensorMap(void* map, in TensorMapDescription description)
    {
        *(TensorMap*)map = description.Pack();
        return Result((nuint)map % TensorMap.Alignment == 0 ? nameof(EncodeTensorMap) : "misaligned");
    }

    public CudaResult Launch(LaunchConfiguration* configuration, nint function, void** parameters)
    {
        _nodes.Add(0);
        long[] words = new long[ParameterCount];
        for (int i = 0; i < words.Length; i++)
        {
            words[i] = *(long*)parameters[i];
        }

        LaunchConfiguration c = *configuration;
        Launches.Add((
            function, new((int)c.GridX, (int)c.GridY, (int)c.GridZ), new((int)c.GroupX, (int)c.GroupY, (int)c.GroupZ), (int)c.SharedBytes,
            c.OptionCount == 0 ? 1 : (int)c.Options->X, words));
        return Result(nameof(Launch));
    }

    private CudaResult Move(nint destination, nint source, nuint bytes, string call)
    {
        if (_capturing)
        {
            _nodes.Add(1);
        }
        else
        {
            NativeMemory.Copy((void*)source, (void*)destination, bytes);
        }

        return Result(call);
    }

    private CudaResult New(out nint handle, string call)
    {
        handle = _next += 0x10;
        return Result(call);
    }

    private CudaResult Result(string call)
    {
        Calls.Add(call);
        return Failing.Remove(call, out CudaResult result) ? result : CudaResult.Success;
    }
}
