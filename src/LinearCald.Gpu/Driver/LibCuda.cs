using System.Reflection;
using System.Runtime.InteropServices;

namespace LinearCald.Gpu.Driver;

/// <summary>Entry points of the NVIDIA driver, libcuda.so.1 or nvcuda.dll. Names end in _v2 where the unsuffixed export is the older 32-bit interface.</summary>
internal static unsafe partial class LibCuda
{
    private const string Library = "cuda";

    /// <summary>The file that is looked for.</summary>
    public static readonly string FileName = OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1";

    private static readonly Lazy<nint> s_handle = new(() => NativeLibrary.TryLoad(FileName, out nint handle) ? handle : 0);

    static LibCuda() => NativeLibrary.SetDllImportResolver(typeof(LibCuda).Assembly, Resolve);

    /// <summary>Whether the driver's library can be loaded.</summary>
    public static bool IsPresent => s_handle.Value != 0;

    /// <summary>Whether the library exports <paramref name="name"/>.</summary>
    public static bool Exports(string name) => IsPresent && NativeLibrary.TryGetExport(s_handle.Value, name, out _);

    [LibraryImport(Library, EntryPoint = "cuInit")]
    public static partial CudaResult Init(uint flags);

    [LibraryImport(Library, EntryPoint = "cuDriverGetVersion")]
    public static partial CudaResult DriverGetVersion(out int version);

    [LibraryImport(Library, EntryPoint = "cuGetErrorName")]
    public static partial CudaResult GetErrorName(CudaResult result, out nint text);

    [LibraryImport(Library, EntryPoint = "cuGetErrorString")]
    public static partial CudaResult GetErrorString(CudaResult result, out nint text);

    [LibraryImport(Library, EntryPoint = "cuDeviceGetCount")]
    public static partial CudaResult DeviceGetCount(out int count);

    [LibraryImport(Library, EntryPoint = "cuDeviceGet")]
    public static partial CudaResult DeviceGet(out int device, int ordinal);

    [LibraryImport(Library, EntryPoint = "cuDeviceGetName")]
    public static partial CudaResult DeviceGetName(byte* name, int capacity, int device);

    [LibraryImport(Library, EntryPoint = "cuDeviceTotalMem_v2")]
    public static partial CudaResult DeviceTotalMem(out nuint bytes, int device);

    [LibraryImport(Library, EntryPoint = "cuDeviceGetAttribute")]
    public static partial CudaResult DeviceGetAttribute(out int value, DeviceProperty property, int device);

    [LibraryImport(Library, EntryPoint = "cuDevicePrimaryCtxRetain")]
    public static partial CudaResult DevicePrimaryCtxRetain(out nint context, int device);

    [LibraryImport(Library, EntryPoint = "cuDevicePrimaryCtxRelease_v2")]
    public static partial CudaResult DevicePrimaryCtxRelease(int device);

    [LibraryImport(Library, EntryPoint = "cuCtxSetCurrent")]
    public static partial CudaResult CtxSetCurrent(nint context);

    [LibraryImport(Library, EntryPoint = "cuMemGetInfo_v2")]
    public static partial CudaResult MemGetInfo(out nuint free, out nuint total);

    [LibraryImport(Library, EntryPoint = "cuMemAlloc_v2")]
    public static partial CudaResult MemAlloc(out nint address, nuint bytes);

    [LibraryImport(Library, EntryPoint = "cuMemFree_v2")]
    public static partial CudaResult MemFree(nint address);

    [LibraryImport(Library, EntryPoint = "cuMemAllocHost_v2")]
    public static partial CudaResult MemAllocHost(out nint address, nuint bytes);

    [LibraryImport(Library, EntryPoint = "cuMemFreeHost")]
    public static partial CudaResult MemFreeHost(nint address);

    [LibraryImport(Library, EntryPoint = "cuMemcpyHtoDAsync_v2")]
    public static partial CudaResult MemcpyHtoDAsync(nint destination, nint source, nuint bytes, nint stream);

    [LibraryImport(Library, EntryPoint = "cuMemcpyDtoHAsync_v2")]
    public static partial CudaResult MemcpyDtoHAsync(nint destination, nint source, nuint bytes, nint stream);

    [LibraryImport(Library, EntryPoint = "cuMemcpyDtoDAsync_v2")]
    public static partial CudaResult MemcpyDtoDAsync(nint destination, nint source, nuint bytes, nint stream);

    [LibraryImport(Library, EntryPoint = "cuMemsetD8Async")]
    public static partial CudaResult MemsetD8Async(nint destination, byte value, nuint bytes, nint stream);

    [LibraryImport(Library, EntryPoint = "cuStreamCreate")]
    public static partial CudaResult StreamCreate(out nint stream, uint flags);

    [LibraryImport(Library, EntryPoint = "cuStreamDestroy_v2")]
    public static partial CudaResult StreamDestroy(nint stream);

    [LibraryImport(Library, EntryPoint = "cuStreamSynchronize")]
    public static partial CudaResult StreamSynchronize(nint stream);

    [LibraryImport(Library, EntryPoint = "cuStreamBeginCapture_v2")]
    public static partial CudaResult StreamBeginCapture(nint stream, int mode);

    [LibraryImport(Library, EntryPoint = "cuStreamEndCapture")]
    public static partial CudaResult StreamEndCapture(nint stream, out nint graph);

    [LibraryImport(Library, EntryPoint = "cuThreadExchangeStreamCaptureMode")]
    public static partial CudaResult ThreadExchangeStreamCaptureMode(ref int mode);

    [LibraryImport(Library, EntryPoint = "cuGraphGetNodes")]
    public static partial CudaResult GraphGetNodes(nint graph, nint* nodes, ref nuint count);

    [LibraryImport(Library, EntryPoint = "cuGraphNodeGetType")]
    public static partial CudaResult GraphNodeGetType(nint node, out int kind);

    [LibraryImport(Library, EntryPoint = "cuGraphGetEdges")]
    public static partial CudaResult GraphGetEdges(nint graph, nint* from, nint* to, ref nuint count);

    [LibraryImport(Library, EntryPoint = "cuGraphInstantiateWithFlags")]
    public static partial CudaResult GraphInstantiateWithFlags(out nint executable, nint graph, ulong flags);

    [LibraryImport(Library, EntryPoint = "cuGraphUpload")]
    public static partial CudaResult GraphUpload(nint executable, nint stream);

    [LibraryImport(Library, EntryPoint = "cuGraphLaunch")]
    public static partial CudaResult GraphLaunch(nint executable, nint stream);

    [LibraryImport(Library, EntryPoint = "cuGraphDestroy")]
    public static partial CudaResult GraphDestroy(nint graph);

    [LibraryImport(Library, EntryPoint = "cuGraphExecDestroy")]
    public static partial CudaResult GraphExecDestroy(nint executable);

    [LibraryImport(Library, EntryPoint = "cuEventCreate")]
    public static partial CudaResult EventCreate(out nint mark, uint flags);

    [LibraryImport(Library, EntryPoint = "cuEventRecord")]
    public static partial CudaResult EventRecord(nint mark, nint stream);

    [LibraryImport(Library, EntryPoint = "cuEventSynchronize")]
    public static partial CudaResult EventSynchronize(nint mark);

    [LibraryImport(Library, EntryPoint = "cuEventElapsedTime")]
    public static partial CudaResult EventElapsedTime(out float milliseconds, nint start, nint end);

    [LibraryImport(Library, EntryPoint = "cuEventDestroy_v2")]
    public static partial CudaResult EventDestroy(nint mark);

    [LibraryImport(Library, EntryPoint = "cuLinkCreate_v2")]
    public static partial CudaResult LinkCreate(uint options, AssemblerOption* names, void** values, out nint linker);

    [LibraryImport(Library, EntryPoint = "cuLinkAddData_v2")]
    public static partial CudaResult LinkAddData(
        nint linker, int type, void* data, nuint bytes, byte* name, uint options, AssemblerOption* names, void** values);

    [LibraryImport(Library, EntryPoint = "cuLinkComplete")]
    public static partial CudaResult LinkComplete(nint linker, out nint image, out nuint bytes);

    [LibraryImport(Library, EntryPoint = "cuLinkDestroy")]
    public static partial CudaResult LinkDestroy(nint linker);

    [LibraryImport(Library, EntryPoint = "cuModuleLoadDataEx")]
    public static partial CudaResult ModuleLoadDataEx(out nint module, void* image, uint options, AssemblerOption* names, void** values);

    [LibraryImport(Library, EntryPoint = "cuModuleUnload")]
    public static partial CudaResult ModuleUnload(nint module);

    [LibraryImport(Library, EntryPoint = "cuModuleGetFunction")]
    public static partial CudaResult ModuleGetFunction(out nint function, nint module, byte* name);

    [LibraryImport(Library, EntryPoint = "cuFuncGetAttribute")]
    public static partial CudaResult FuncGetAttribute(out int value, FunctionProperty property, nint function);

    [LibraryImport(Library, EntryPoint = "cuFuncSetAttribute")]
    public static partial CudaResult FuncSetAttribute(nint function, FunctionProperty property, int value);

    [LibraryImport(Library, EntryPoint = "cuOccupancyMaxActiveBlocksPerMultiprocessor")]
    public static partial CudaResult OccupancyMaxActiveBlocksPerMultiprocessor(out int groups, nint function, int threads, nuint dynamicSharedBytes);

    [LibraryImport(Library, EntryPoint = "cuLaunchKernelEx")]
    public static partial CudaResult LaunchKernelEx(LaunchConfiguration* configuration, nint function, void** parameters, void** extra);

    [LibraryImport(Library, EntryPoint = "cuTensorMapEncodeTiled")]
    public static partial CudaResult TensorMapEncodeTiled(
        void* map,
        int element,
        uint rank,
        nint address,
        ulong* extents,
        ulong* strides,
        uint* box,
        uint* elementStrides,
        int interleave,
        int swizzle,
        int promotion,
        int outside);

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) => name == Library ? s_handle.Value : 0;
}
