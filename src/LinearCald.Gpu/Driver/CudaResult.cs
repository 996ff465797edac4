namespace LinearCald.Gpu.Driver;

/// <summary>The status of a driver call; only codes that we act on have a name here, the driver itself names the rest.</summary>
internal enum CudaResult
{
    Success = 0,
    InvalidValue = 1,
    OutOfMemory = 2,
    Deinitialized = 4,
    DeviceUnavailable = 46,
    NoDevice = 100,
    InvalidDevice = 101,
    InvalidImage = 200,
    InvalidContext = 201,
    NoBinaryForGpu = 209,
    EccUncorrectable = 214,
    InvalidPtx = 218,
    NvLinkUncorrectable = 220,
    UnsupportedPtxVersion = 222,
    JitCompilationDisabled = 223,
    NotFound = 500,
    IllegalAddress = 700,
    LaunchOutOfResources = 701,
    LaunchTimeout = 702,
    ContextIsDestroyed = 709,
    Assert = 710,
    HardwareStackError = 714,
    IllegalInstruction = 715,
    MisalignedAddress = 716,
    InvalidAddressSpace = 717,
    InvalidProgramCounter = 718,
    LaunchFailed = 719,
    SystemDriverMismatch = 803,
    CaptureUnsupported = 900,
    CaptureInvalidated = 901,
    Unknown = 999,
}

/// <summary>What a status means for the work that is under way.</summary>
internal static class CudaResultKinds
{
    /// <summary>A kernel broke the context: nothing on this device works in this process any more.</summary>
    public static bool IsKernelFault(this CudaResult result) => result is
        CudaResult.IllegalAddress or CudaResult.LaunchTimeout or CudaResult.Assert or CudaResult.HardwareStackError or CudaResult.IllegalInstruction or
        CudaResult.MisalignedAddress or CudaResult.InvalidAddressSpace or CudaResult.InvalidProgramCounter or CudaResult.LaunchFailed;

    /// <summary>The device itself is gone or broken.</summary>
    public static bool IsDeviceLost(this CudaResult result) => result is
        CudaResult.Deinitialized or CudaResult.DeviceUnavailable or CudaResult.NoDevice or CudaResult.EccUncorrectable or CudaResult.NvLinkUncorrectable or
        CudaResult.ContextIsDestroyed or CudaResult.Unknown;
}
