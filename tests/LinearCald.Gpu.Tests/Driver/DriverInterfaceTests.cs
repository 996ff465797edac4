using System.Reflection;
using System.Runtime.InteropServices;
using LinearCald.Gpu.Driver;

namespace LinearCald.Gpu.Tests.Driver;

public unsafe class DriverInterfaceTests
{
    [Fact]
    public void Structures_have_the_layout_of_the_drivers_header()
    {
        Assert.Equal(56, sizeof(LaunchConfiguration));
        Assert.Equal(72, sizeof(LaunchOption));
        Assert.Equal(
            [0, 4, 8, 12, 16, 20, 24, 32, 40, 48],
            typeof(LaunchConfiguration).GetFields().Select(f => (int)Marshal.OffsetOf<LaunchConfiguration>(f.Name)));
    }

    [CudaFact]
    public void The_driver_exports_every_entry_point()
    {
        IEnumerable<string?> missing = typeof(LibCuda).GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
            .Select(m => m.GetCustomAttribute<LibraryImportAttribute>()?.EntryPoint).Where(name => name is not null && !LibCuda.Exports(name));
        Assert.Empty(missing);
    }

    [Fact]
    public void Without_the_library_one_sentence_says_so()
    {
        Assert.Equal(0, DeviceQuery.Count(null, out string reason));
        Assert.Matches("^no NVIDIA driver found \\((libcuda.so.1|nvcuda.dll) could not be loaded\\); use --device cpu$", reason);
        Assert.Equal(reason, Assert.Throws<CaldException>(() => new CudaAccelerator(null, 0, NoCompiler, null)).Message);
    }

    [Fact]
    public void A_driver_that_is_old_broken_or_without_devices_says_so()
    {
        DeviceQuery.Count(new FakeCudaDriver { SupportedCuda = 11040 }, out string reason);
        Assert.Equal("the NVIDIA driver is too old: it supports CUDA 11.4, and 12.0 (driver 525) or later is needed; update it, or use --device cpu", reason);
        DeviceQuery.Count(new FakeCudaDriver { Devices = 0 }, out reason);
        Assert.Equal("the NVIDIA driver finds no GPU; use --device cpu", reason);
        DeviceQuery.Count(new FakeCudaDriver { Failing = { ["Initialize"] = CudaResult.NoDevice } }, out reason);
        Assert.Equal("the NVIDIA driver finds no GPU; use --device cpu", reason);
        DeviceQuery.Count(new FakeCudaDriver { Failing = { ["Initialize"] = CudaResult.SystemDriverMismatch } }, out reason);
        Assert.Equal("the NVIDIA driver does not start: CUDA_ERROR_SYSTEMDRIVERMISMATCH (an explanation); use --device cpu", reason);
        Assert.Equal(1, DeviceQuery.Count(new FakeCudaDriver(), out reason));
        Assert.Equal("", reason);
    }

    [Fact]
    public void A_device_that_does_not_exist_or_is_too_old_says_so()
    {
        Assert.Contains("cuda:2: this machine has 2 GPUs", Assert.Throws<CaldException>(() => new CudaAccelerator(new FakeCudaDriver { Devices = 2 }, 2, NoCompiler, null)).Message);
        Assert.Contains("compute capability 7.5", Assert.Throws<CaldException>(() => new CudaAccelerator(new FakeCudaDriver { Capability = 75 }, 0, NoCompiler, null)).Message);
    }

    [Theory]
    [InlineData("NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.129.03  Thu Oct 19 18:56:32 UTC 2023\nGCC version:  gcc version 12.2.0", "535.129.03")]
    [InlineData("NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.95  Release Build  (user@host)  Tue Sep 23", "580.95")]
    [InlineData("something else", null)]
    public void The_release_is_found_in_the_kernel_modules_text(string text, string? release) => Assert.Equal(release, DeviceQuery.ReleaseIn(text));

    [Theory]
    [InlineData("")]
    [InlineData("cuda:")]
    [InlineData("cuda:-1")]
    [InlineData("cuda: 1")]
    [InlineData("gpu")]
    public void A_name_that_is_none_is_refused(string name) =>
        Assert.Contains($"'{name}' names no GPU", Assert.Throws<CaldException>(() => Accelerator.Open(name)).Message);

    [Fact]
    public void Every_status_has_a_name_also_those_that_the_driver_does_not_know()
    {
        FakeCudaDriver driver = new();
        Assert.Equal("CUDA error 999", CudaStream.Describe(driver, CudaResult.Unknown));
        Assert.Equal("CUDA_ERROR_ILLEGALADDRESS (an explanation)", CudaStream.Describe(driver, CudaResult.IllegalAddress));
    }

    private static CompiledKernel NoCompiler(Kernel kernel, Index3 group, ReadOnlySpan<byte> arguments, PtxTarget target) =>
        throw new InvalidOperationException("nothing is compiled here");
}
