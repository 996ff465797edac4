using System.Runtime.InteropServices;

namespace LinearCald.Gpu.Driver;

/// <summary>CUlaunchConfig of the driver's C interface, 56 bytes on 64-bit systems.</summary>
[StructLayout(LayoutKind.Explicit, Size = 56)]
internal unsafe struct LaunchConfiguration
{
    [FieldOffset(0)]
    public uint GridX;

    [FieldOffset(4)]
    public uint GridY;

    [FieldOffset(8)]
    public uint GridZ;

    [FieldOffset(12)]
    public uint GroupX;

    [FieldOffset(16)]
    public uint GroupY;

    [FieldOffset(20)]
    public uint GroupZ;

    [FieldOffset(24)]
    public uint SharedBytes;

    [FieldOffset(32)]
    public nint Stream;

    [FieldOffset(40)]
    public LaunchOption* Options;

    [FieldOffset(48)]
    public uint OptionCount;
}

/// <summary>CUlaunchAttribute, 72 bytes: a number and a union of 64 bytes, of which we use three words.</summary>
[StructLayout(LayoutKind.Explicit, Size = 72)]
internal struct LaunchOption
{
    /// <summary>The number of the cluster-dimension attribute.</summary>
    public const int ClusterDimension = 4;

    [FieldOffset(0)]
    public int Id;

    [FieldOffset(8)]
    public uint X;

    [FieldOffset(12)]
    public uint Y;

    [FieldOffset(16)]
    public uint Z;
}

/// <summary>Attributes of a device that we ask for.</summary>
internal enum DeviceProperty
{
    GroupThreads = 1,
    ClockKilohertz = 13,
    Multiprocessors = 16,
    CacheBytes = 38,
    CapabilityMajor = 75,
    CapabilityMinor = 76,
    GroupSharedBytesOptIn = 97,
}

/// <summary>Attributes of a loaded function.</summary>
internal enum FunctionProperty
{
    MaximumThreads = 0,
    StaticSharedBytes = 1,
    LocalBytes = 3,
    Registers = 4,
    DynamicSharedBytes = 8,
}

/// <summary>Options of the driver's PTX assembler.</summary>
internal enum AssemblerOption
{
    InfoLog = 3,
    InfoLogBytes = 4,
    ErrorLog = 5,
    ErrorLogBytes = 6,
    LogVerbose = 12,
}
