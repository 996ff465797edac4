using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace LinearCald.Gpu.Driver;

/// <summary>What the driver says about itself and its devices.</summary>
internal static unsafe partial class DeviceQuery
{
    /// <summary>CUDA 12.0, driver 525: the first with everything that we call.</summary>
    public const int OldestDriver = 12000;

    private const string UseCpu = "use --device cpu";

    /// <summary>Number of GPUs.</summary>
    /// <param name="driver">The driver, or null when its library cannot be loaded.</param>
    /// <param name="reason">One sentence on why there is none.</param>
    public static int Count(ICudaDriver? driver, out string reason)
    {
        reason = "";
        if (driver is null)
        {
            reason = $"no NVIDIA driver found ({LibCuda.FileName} could not be loaded); {UseCpu}";
            return 0;
        }

        CudaResult result = driver.Initialize();
        if (result == CudaResult.NoDevice)
        {
            reason = $"the NVIDIA driver finds no GPU; {UseCpu}";
            return 0;
        }

        if (result == CudaResult.Success)
        {
            result = driver.Version(out int version);
            if (result == CudaResult.Success && version < OldestDriver)
            {
                reason = $"the NVIDIA driver is too old: it supports CUDA {VersionText(version)}, and {VersionText(OldestDriver)} (driver 525) or later is needed; update it, or {UseCpu}";
                return 0;
            }
        }

        int count = 0;
        if (result == CudaResult.Success)
        {
            result = driver.DeviceCount(out count);
        }

        if (result != CudaResult.Success)
        {
            reason = $"the NVIDIA driver does not start: {CudaStream.Describe(driver, result)}; {UseCpu}";
            return 0;
        }

        if (count == 0)
        {
            reason = $"the NVIDIA driver finds no GPU; {UseCpu}";
        }

        return count;
    }

    /// <summary>Limits, product name and driver version of one device.</summary>
    public static CudaDeviceFacts Read(ICudaDriver driver, int ordinal)
    {
        Check(driver.Device(ordinal, out int device));
        byte* name = stackalloc byte[256];
        Check(driver.DeviceName(device, name, 256));
        Check(driver.DeviceMemory(device, out nuint memory));
        Check(driver.Version(out int version));
        DeviceLimits limits = new()
        {
            Capability = (Attribute(DeviceProperty.CapabilityMajor) * 10) + Attribute(DeviceProperty.CapabilityMinor),
            Multiprocessors = Attribute(DeviceProperty.Multiprocessors),
            GroupThreads = Attribute(DeviceProperty.GroupThreads),
            ClockHertz = 1000.0 * Attribute(DeviceProperty.ClockKilohertz),
            GroupSharedBytes = Attribute(DeviceProperty.GroupSharedBytesOptIn),
            CacheBytes = Attribute(DeviceProperty.CacheBytes),
            MemoryBytes = (long)memory,
        };
        string product = Encoding.UTF8.GetString(System.Runtime.InteropServices.MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name));
        return new CudaDeviceFacts(device, product, limits, DriverText(KernelModuleVersion(), version));

        int Attribute(DeviceProperty property)
        {
            Check(driver.DeviceAttribute(device, property, out int value));
            return value;
        }

        void Check(CudaResult result)
        {
            if (result != CudaResult.Success)
            {
                throw new CaldException($"cuda:{ordinal}: asking the device what it can do failed with {CudaStream.Describe(driver, result)}");
            }
        }
    }

    /// <summary>For people and for the disk cache: the driver's release where the system tells it, and the CUDA version that it supports.</summary>
    internal static string DriverText(string? release, int version) => release is null ? $"CUDA {VersionText(version)}" : $"{release} (CUDA {VersionText(version)})";

    /// <summary>The release in the text that the kernel module shows, such as 580.95.05.</summary>
    internal static string? ReleaseIn(string text) => Release().Match(text) is { Success: true } match ? match.Value : null;

    private static string VersionText(int version) => string.Create(CultureInfo.InvariantCulture, $"{version / 1000}.{version % 1000 / 10}");

    private static string? KernelModuleVersion()
    {
        const string Path = "/proc/driver/nvidia/version";
        try
        {
            return File.Exists(Path) ? ReleaseIn(File.ReadAllText(Path)) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    [GeneratedRegex(@"\b\d{3,4}\.\d{2,3}(\.\d{2})?\b", RegexOptions.CultureInvariant)]
    private static partial Regex Release();
}

/// <param name="Handle">The driver's number of the device.</param>
/// <param name="Product">Such as NVIDIA H100 80GB HBM3.</param>
/// <param name="Limits">What it can do.</param>
/// <param name="Driver">Version of the driver.</param>
internal sealed record CudaDeviceFacts(int Handle, string Product, DeviceLimits Limits, string Driver);
