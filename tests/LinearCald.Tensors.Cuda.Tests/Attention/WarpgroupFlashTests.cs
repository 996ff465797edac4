using LinearCald.Gpu;
using LinearCald.Tensors.Cuda.Kernels;
using LinearCald.Tensors.Cuda.Tests.Elementwise;

namespace LinearCald.Tensors.Cuda.Tests.Attention;

/// <summary>Softmax attention on warpgroups against the CPU's plain twin.</summary>
public sealed class WarpgroupFlashTests
{
    [Theory]
    [InlineData("debug")]
    [InlineData("emulator")]
    public void RandomShapes(string name)
    {
        using Accelerator device = TestAccelerators.Open(name);
        WarpgroupFlashChecks.Random(device, TestAccelerators.IsSlow(name) ? 3 : 6, 150, 300, [1, 2]);
    }

    /// <summary>All stages of the rings twice and once more, all tiles, two boxes a head.</summary>
    [Theory]
    [InlineData(1, 64, 64, 577, false, 0)]
    [InlineData(3, 128, 64, 200, true, 0.2)]
    [InlineData(2, 64, 96, 130, true, 0)]
    [InlineData(2, 64, 64, 192, false, 0.1)]
    [InlineData(2, 128, 64, 1, false, 0)]
    [InlineData(1, 64, 128, 257, false, 0.1)]
    public void Tiles(int warpgroups, int keys, int head, int length, bool causal, double dropout)
    {
        using Accelerator device = TestAccelerators.Open("emulator");
        WarpgroupFlashChecks.Compare(device, new AttentionProblem(GemmPrecision.BFloat16, 1, 1, 66, length, head, 1 / Math.Sqrt(head), causal, dropout), new WarpgroupFlashTile(warpgroups, keys), head);
    }

    [Fact]
    public void OnlyWhatTheCopyEngineReadsIsTaken()
    {
        AttentionProblem problem = new(GemmPrecision.BFloat16, 2, 3, 512, 512, 64, 0.125);
        DeviceLimits hopper = new() { Capability = 90 };
        Assert.NotNull(WarpgroupFlash.TileOf(problem, hopper, 0x1000));
        Assert.NotNull(WarpgroupFlash.TileOf(problem with { Precision = GemmPrecision.Half, HeadSize = 128, Causal = true, Dropout = 0.1 }, hopper, 0x1010));
        Assert.Null(WarpgroupFlash.TileOf(problem, hopper, 0x1008));
        Assert.Null(WarpgroupFlash.TileOf(problem, hopper with { Capability = 80 }, 0x1000));
        Assert.Null(WarpgroupFlash.TileOf(problem, hopper with { Capability = 100 }, 0x1000));
        Assert.Null(WarpgroupFlash.TileOf(problem with { Precision = GemmPrecision.TensorFloat32 }, hopper, 0x1000));
        Assert.Null(WarpgroupFlash.TileOf(problem with { HeadSize = 60 }, hopper, 0x1000));
        Assert.Null(WarpgroupFlash.TileOf(problem with { HeadSize = 136 }, hopper, 0x1000));
        Assert.Null(WarpgroupFlash.TileOf(problem with { HeadSize = 32 }, hopper, 0x1000));
        Assert.Null(WarpgroupFlash.TileOf(problem with { QueryLength = 1 }, hopper, 0x1000));
    }
}
