using System.Runtime.InteropServices;

namespace LinearCald.Gpu.Driver;

/// <summary>The driver of this machine.</summary>
internal sealed unsafe class NativeCudaDriver : ICudaDriver
{
    private const uint NonBlockingStream = 1;
    private const uint UntimedEvent = 2;
    private const int ThreadLocalCapture = 1;
    private const int PtxInput = 1;
    private const int Promotion256 = 3;

    public static readonly NativeCudaDriver Instance = new();

    private NativeCudaDriver()
    {
    }

    public CudaResult Initialize() => LibCuda.Init(0);

    public CudaResult Version(out int version) => LibCuda.DriverGetVersion(out version);

    public string? NameOf(CudaResult result) =>
        LibCuda.IsPresent && LibCuda.GetErrorName(result, out nint text) == CudaResult.Success ? Marshal.PtrToStringUTF8(text) : null;

    public string? TextOf(CudaResult result) =>
        LibCuda.IsPresent && LibCuda.GetErrorString(result, out nint text) == CudaResult.Success ? Marshal.PtrToStringUTF8(text) : null;

    public CudaResult DeviceCount(out int count) => LibCuda.DeviceGetCount(out count);

    public CudaResult Device(int ordinal, out int device) => LibCuda.DeviceGet(out device, ordinal);

    public CudaResult DeviceName(int device, byte* name, int capacity) => LibCuda.DeviceGetName(name, capacity, device);

    public CudaResult DeviceMemory(int device, out nuint bytes) => LibCuda.DeviceTotalMem(out bytes, device);

    public CudaResult DeviceAttribute(int device, DeviceProperty property, out int value) => LibCuda.DeviceGetAttribute(out value, property, device);

    public CudaResult RetainContext(int device, out nint context) => LibCuda.DevicePrimaryCtxRetain(out context, device);

    public CudaResult ReleaseContext(int device) => LibCuda.DevicePrimaryCtxRelease(device);

    public CudaResult SetCurrent(nint context) => LibCuda.CtxSetCurrent(context);

    public CudaResult MemoryInfo(out nuint free, out nuint total) => LibCuda.MemGetInfo(out free, out total);

    public CudaResult Allocate(nuint bytes, out nint address) => LibCuda.MemAlloc(out address, bytes);

    public CudaResult Free(nint address) => LibCuda.MemFree(address);

    public CudaResult AllocateHost(nuint bytes, out nint address) => LibCuda.MemAllocHost(out address, bytes);

    public CudaResult FreeHost(nint address) => LibCuda.MemFreeHost(address);

    public CudaResult CopyToDevice(nint destination, nint source, nuint bytes, nint stream) => LibCuda.MemcpyHtoDAsync(destination, source, bytes, stream);

    public CudaResult CopyToHost(nint destination, nint source, nuint bytes, nint stream) => LibCuda.MemcpyDtoHAsync(destination, source, bytes, stream);

    public CudaResult CopyOnDevice(nint destination, nint source, nuint bytes, nint stream) => LibCuda.MemcpyDtoDAsync(destination, source, bytes, stream);

    public CudaResult Fill(nint destination, byte value, nuint bytes, nint stream) => LibCuda.MemsetD8Async(destination, value, bytes, stream);

    public CudaResult CreateStream(out nint stream) => LibCuda.StreamCreate(out stream, NonBlockingStream);

    public CudaResult DestroyStream(nint stream) => LibCuda.StreamDestroy(stream);

    public CudaResult Synchronize(nint stream) => LibCuda.StreamSynchronize(stream);

    public CudaResult BeginCapture(nint stream) => LibCuda.StreamBeginCapture(stream, ThreadLocalCapture);

    public CudaResult EndCapture(nint stream, out nint graph) => LibCuda.StreamEndCapture(stream, out graph);

    public CudaResult ExchangeCaptureMode(ref int mode) => LibCuda.ThreadExchangeStreamCaptureMode(ref mode);

    public CudaResult GraphNodes(nint graph, nint* nodes, ref nuint count) => LibCuda.GraphGetNodes(graph, nodes, ref count);

    public CudaResult GraphNodeKind(nint node, out int kind) => LibCuda.GraphNodeGetType(node, out kind);

    public CudaResult GraphEdges(nint graph, nint* from, nint* to, ref nuint count) => LibCuda.GraphGetEdges(graph, from, to, ref count);

    public CudaResult Instantiate(nint graph, out nint executable) => LibCuda.GraphInstantiateWithFlags(out executable, graph, 0);

    public CudaResult UploadGraph(nint executable, nint stream) => LibCuda.GraphUpload(executable, stream);

    public CudaResult LaunchGraph(nint executable, nint stream) => LibCuda.GraphLaunch(executable, stream);

    public CudaResult DestroyGraph(nint graph) => LibCuda.GraphDestroy(graph);

    public CudaResult DestroyExecutable(nint executable) => LibCuda.GraphExecDestroy(executable);

    public CudaResult CreateEvent(bool timed, out nint mark) => LibCuda.EventCreate(out mark, timed ? 0 : UntimedEvent);

    public CudaResult RecordEvent(nint mark, nint stream) => LibCuda.EventRecord(mark, stream);

    public CudaResult WaitForEvent(nint mark) => LibCuda.EventSynchronize(mark);

    public CudaResult ElapsedMilliseconds(nint start, nint end, out float milliseconds) => LibCuda.EventElapsedTime(out milliseconds, start, end);

    public CudaResult DestroyEvent(nint mark) => LibCuda.EventDestroy(mark);

    public CudaResult CreateLinker(int options, AssemblerOption* names, void** values, out nint linker) =>
        LibCuda.LinkCreate((uint)options, names, values, out linker);

    public CudaResult AddPtx(nint linker, byte* ptx, nuint bytes, byte* name) => LibCuda.LinkAddData(linker, PtxInput, ptx, bytes, name, 0, null, null);

    public CudaResult CompleteLink(nint linker, out nint image, out nuint bytes) => LibCuda.LinkComplete(linker, out image, out bytes);

    public CudaResult DestroyLinker(nint linker) => LibCuda.LinkDestroy(linker);

    public CudaResult LoadModule(byte* image, int options, AssemblerOption* names, void** values, out nint module) =>
        LibCuda.ModuleLoadDataEx(out module, image, (uint)options, names, values);

    public CudaResult UnloadModule(nint module) => LibCuda.ModuleUnload(module);

    public CudaResult Function(nint module, byte* name, out nint function) => LibCuda.ModuleGetFunction(out function, module, name);

    public CudaResult FunctionAttribute(nint function, FunctionProperty property, out int value) => LibCuda.FuncGetAttribute(out value, property, function);

    public CudaResult SetFunctionAttribute(nint function, FunctionProperty property, int value) => LibCuda.FuncSetAttribute(function, property, value);

    public CudaResult ActiveGroups(nint function, int threads, nuint dynamicSharedBytes, out int groups) =>
        LibCuda.OccupancyMaxActiveBlocksPerMultiprocessor(out groups, function, threads, dynamicSharedBytes);

    public CudaResult Launch(LaunchConfiguration* configuration, nint function, void** parameters) =>
        LibCuda.LaunchKernelEx(configuration, function, parameters, null);

    public CudaResult EncodeTensorMap(void* map, in TensorMapDescription description)
    {
        uint* steps = stackalloc uint[TensorMapDescription.MaximumRank] { 1, 1, 1, 1, 1 };
        fixed (TensorMapDescription* d = &description)
        {
            return LibCuda.TensorMapEncodeTiled(
                map,
                (int)d->Element,
                (uint)d->Rank,
                d->Address,
                (ulong*)d->Extents,
                (ulong*)d->Strides,
                (uint*)d->Box,
                steps,
                0,
                (int)d->Swizzle,
                Promotion256,
                0);
        }
    }
}
