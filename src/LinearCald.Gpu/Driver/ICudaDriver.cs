namespace LinearCald.Gpu.Driver;

/// <summary>The calls of libcuda that we make. Behind an interface so that everything above it can be tested on a machine without a GPU.</summary>
internal unsafe interface ICudaDriver
{
    CudaResult Initialize();

    /// <summary>1000 · major + 10 · minor of the CUDA version that the driver supports.</summary>
    CudaResult Version(out int version);

    /// <summary>The driver's name of a status, or null if it has none.</summary>
    string? NameOf(CudaResult result);

    /// <summary>The driver's explanation of a status, or null if it has none.</summary>
    string? TextOf(CudaResult result);

    CudaResult DeviceCount(out int count);

    CudaResult Device(int ordinal, out int device);

    CudaResult DeviceName(int device, byte* name, int capacity);

    CudaResult DeviceMemory(int device, out nuint bytes);

    CudaResult DeviceAttribute(int device, DeviceProperty property, out int value);

    CudaResult RetainContext(int device, out nint context);

    CudaResult ReleaseContext(int device);

    CudaResult SetCurrent(nint context);

    CudaResult MemoryInfo(out nuint free, out nuint total);

    CudaResult Allocate(nuint bytes, out nint address);

    CudaResult Free(nint address);

    CudaResult AllocateHost(nuint bytes, out nint address);

    CudaResult FreeHost(nint address);

    CudaResult CopyToDevice(nint destination, nint source, nuint bytes, nint stream);

    CudaResult CopyToHost(nint destination, nint source, nuint bytes, nint stream);

    CudaResult CopyOnDevice(nint destination, nint source, nuint bytes, nint stream);

    CudaResult Fill(nint destination, byte value, nuint bytes, nint stream);

    CudaResult CreateStream(out nint stream);

    CudaResult DestroyStream(nint stream);

    CudaResult Synchronize(nint stream);

    CudaResult BeginCapture(nint stream);

    CudaResult EndCapture(nint stream, out nint graph);

    /// <summary>Sets how calls on this thread that a capture forbids are treated (0 global, 1 thread-local, 2 relaxed) and returns what was set.</summary>
    CudaResult ExchangeCaptureMode(ref int mode);

    /// <summary>The nodes of a graph; with no place for them only their number.</summary>
    CudaResult GraphNodes(nint graph, nint* nodes, ref nuint count);

    /// <summary>What a node does: a number of the driver's header.</summary>
    CudaResult GraphNodeKind(nint node, out int kind);

    /// <summary>Which node waits for which; with no place for them only their number.</summary>
    CudaResult GraphEdges(nint graph, nint* from, nint* to, ref nuint count);

    CudaResult Instantiate(nint graph, out nint executable);

    /// <summary>Sends to the device what launches of a graph need, so that the first does not have to.</summary>
    CudaResult UploadGraph(nint executable, nint stream);

    CudaResult LaunchGraph(nint executable, nint stream);

    CudaResult DestroyGraph(nint graph);

    CudaResult DestroyExecutable(nint executable);

    CudaResult CreateEvent(bool timed, out nint mark);

    CudaResult RecordEvent(nint mark, nint stream);

    CudaResult WaitForEvent(nint mark);

    CudaResult ElapsedMilliseconds(nint start, nint end, out float milliseconds);

    CudaResult DestroyEvent(nint mark);

    CudaResult CreateLinker(int options, AssemblerOption* names, void** values, out nint linker);

    CudaResult AddPtx(nint linker, byte* ptx, nuint bytes, byte* name);

    /// <summary>The image belongs to the linker.</summary>
    CudaResult CompleteLink(nint linker, out nint image, out nuint bytes);

    CudaResult DestroyLinker(nint linker);

    CudaResult LoadModule(byte* image, int options, AssemblerOption* names, void** values, out nint module);

    CudaResult UnloadModule(nint module);

    CudaResult Function(nint module, byte* name, out nint function);

    CudaResult FunctionAttribute(nint function, FunctionProperty property, out int value);

    CudaResult SetFunctionAttribute(nint function, FunctionProperty property, int value);

    CudaResult ActiveGroups(nint function, int threads, nuint dynamicSharedBytes, out int groups);

    CudaResult Launch(LaunchConfiguration* configuration, nint function, void** parameters);

    /// <summary>Encodes a tensor for the copy engine: no interleaving, whole elements, zeros outside, 256-byte promotion into the second-level cache.</summary>
    /// <param name="map">128 bytes on the host, aligned to 64.</param>
    /// <param name="description">What to encode.</param>
    CudaResult EncodeTensorMap(void* map, in TensorMapDescription description);
}
