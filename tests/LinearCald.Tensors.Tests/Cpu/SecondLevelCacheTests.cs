using System.Runtime.Intrinsics.X86;
using LinearCald.Tensors.Cpu;

namespace LinearCald.Tensors.Tests.Cpu;

public sealed class SecondLevelCacheTests
{
    /// <summary>A plausible size, and the one that the operating system knows, where it lists caches.</summary>
    [Fact]
    public void TheSizeIsTheProcessors()
    {
        const string listed = "/sys/devices/system/cpu/cpu0/cache/index2/size";
        Assert.InRange(SecondLevelCache.Bytes, 64 << 10, 256 << 20);
        if (X86Base.IsSupported && File.Exists(listed))
        {
            Assert.Equal(File.ReadAllText(listed).Trim(), $"{SecondLevelCache.Bytes >> 10}K");
        }
    }
}
