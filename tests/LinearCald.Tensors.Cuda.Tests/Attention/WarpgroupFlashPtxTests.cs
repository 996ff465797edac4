using System.Text.RegularExpressions;
using LinearCald.Gpu;
using LinearCald.Tensors.Cuda.Catalogue;
using LinearCald.Tensors.Cuda.Kernels;

namespace LinearCald.Tensors.Cuda.Tests.Attention;

/// <summary>What the loop of attention on warpgroups is compiled to: its products, an exponential a score, and little else.</summary>
public sealed class WarpgroupFlashPtxTests
{
    [Theory]
    [InlineData(3, 128)]
    [InlineData(2, 64)]
    public void TheLoopHasWhatItNeeds(int warpgroups, int keys)
    {
        string ptx = Compile(new WarpgroupFlashTile(warpgroups, keys));
        Match label = Regex.Match(ptx, @"^(\$L\d+): // loop: WarpgroupFlashForward\.Attend", RegexOptions.Multiline);
        Assert.True(label.Success, "the loop over blocks of keys has no label");
        string loop = ptx[label.Index..ptx.LastIndexOf($"bra {label.Groups[1].Value};", StringComparison.Ordinal)];
        int scores = keys / 2;
        Assert.Equal(4, Count(loop, $@"wgmma\.mma_async\.sync\.aligned\.m64n{keys}k16\.f32\.bf16\.bf16 \{{[^}}]*\}}, %rd\d+, %rd\d+, %p\d+, 1, 1, 0, 0;"));
        Assert.Equal(keys / 16, Count(loop, @"wgmma\.mma_async\.sync\.aligned\.m64n64k16\.f32\.bf16\.bf16 \{[^}]*\}, \{%r\d+, %r\d+, %r\d+, %r\d+\}, %rd\d+, %p\d+, 1, 1, 1;"));
        Assert.Equal(scores + 2, Count(loop, @"ex2\.approx"));
        Assert.Equal(scores / 2, Count(loop, @"cvt\.rn\.bf16x2"));
        Assert.Equal(34, Count(loop, @"mul\.(rn\.)?f32"));
        Assert.Equal(0, Count(loop, @"\.local|div|rem"));
        Assert.InRange(Count(loop, @"mov\.f32"), 0, 6);
    }

    private static string Compile(WarpgroupFlashTile tile)
    {
        using CatalogueAccelerator device = new();
        AttentionProblem problem = new(GemmPrecision.BFloat16, 8, 12, 2048, 2048, 64, 0.125);
        AttentionLauncher.Forward<ushort>(device, problem, default, default, default, null, default, default, null, tile);
        (Kernel kernel, Index3 group, byte[] arguments) = Assert.Single(device.Launches);
        return KernelCompiler.Compile(kernel, group, arguments).Ptx;
    }

    private static int Count(string text, string pattern) => Regex.Count(text, pattern);
}
