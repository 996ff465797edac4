using System.Text.RegularExpressions;
using LinearCald.Gpu;
using LinearCald.Tensors.Cuda.Kernels;

namespace LinearCald.Tensors.Cuda.Tests;

/// <summary>What the inner loops of the product kernels are compiled to: products, the reads that feed them and the copies, and nothing that a compiler had to add.</summary>
public sealed class GemmPtxTests
{
    [Theory]
    [InlineData(false, false, 16, 16)]
    [InlineData(true, false, 0, 32)]
    [InlineData(false, true, 32, 0)]
    [InlineData(true, true, 16, 16)]
    public void TwoByteLoopHasOnlyWhatItNeeds(bool transposeA, bool transposeB, int plain, int transposed)
    {
        foreach (GemmPrecision precision in new[] { GemmPrecision.BFloat16, GemmPrecision.Half })
        {
            string loop = Loop(precision, transposeA, transposeB);
            Assert.Equal(128, Count(loop, @"mma\.sync"));
            Assert.Equal(plain, Count(loop, @"ldmatrix\.sync\.aligned\.m8n8\.x4\.shared"));
            Assert.Equal(transposed, Count(loop, @"ldmatrix\.sync\.aligned\.m8n8\.x4\.trans"));
            Assert.Equal(12, Count(loop, @"cp\.async\.cg\.shared\.global [^;]*, 16, "));
            Assert.Equal(1, Count(loop, @"bar\.sync"));
            Assert.Equal(0, Count(loop, @"\bmov\."));
            Assert.Equal(0, Count(loop, @"ld\.shared|st\.shared|\.local|div|rem"));
        }
    }

    [Theory]
    [InlineData(false, false, 16, 64)]
    [InlineData(true, false, 0, 128)]
    [InlineData(false, true, 32, 0)]
    public void TensorFloat32LoopRoundsEachFragmentOnce(bool transposeA, bool transposeB, int matrices, int words)
    {
        string loop = Loop(GemmPrecision.TensorFloat32, transposeA, transposeB);
        Assert.Equal(128, Count(loop, @"mma\.sync"));
        Assert.Equal(128, Count(loop, @"cvt\.rna\.tf32"));
        Assert.Equal(matrices, Count(loop, "ldmatrix"));
        Assert.Equal(words, Count(loop, @"ld\.shared\.b32"));
        Assert.Equal(12, Count(loop, @"cp\.async\.cg\.shared\.global [^;]*, 16, "));
        Assert.Equal(0, Count(loop, @"\.local|div|rem"));
    }

    [Theory]
    [InlineData(false, false, 8, 2)]
    [InlineData(true, false, 0, 4)]
    [InlineData(false, true, 16, 0)]
    public void Float32LoopHasOnlyWhatItNeeds(bool transposeA, bool transposeB, int words, int vectors)
    {
        string loop = Loop(GemmPrecision.Float32, transposeA, transposeB);
        Assert.Equal(1024, Count(loop, @"fma\.rn\.f32"));
        Assert.Equal(64, Count(loop, @"ld\.shared\.v4\.f32"));
        Assert.Equal(words, Count(loop, @"cp\.async\.ca\.shared\.global [^;]*, 4, "));
        Assert.Equal(vectors, Count(loop, @"cp\.async\.cg\.shared\.global [^;]*, 16, "));
        Assert.Equal(0, Count(loop, @"\bmov\.|\.local|div|rem"));
    }

    [Theory]
    [InlineData(0, 128)]
    [InlineData(1, 96)]
    [InlineData(2, 64)]
    public void WarpgroupSumsStayWhereTheyAre(int tile, int sums)
    {
        using RecordingAccelerator device = new();
        GemmProblem problem = GemmProblem.Contiguous(4096, 4096, 4096, false, true) with { Precision = GemmPrecision.BFloat16 };
        GemmLauncher.Run(device, problem, new GemmOperands(4096, 8192, 12288), new GemmPlan(GemmPlan.WarpgroupTiles[tile], 1) { Warpgroups = true });
        CompiledKernel kernel = Assert.Single(device.Compiled);
        Assert.Equal(PtxTarget.Sm90a, kernel.Target);
        Assert.StartsWith(".version 8.0\n.target sm_90a\n", kernel.Ptx, StringComparison.Ordinal);
        Assert.Equal(2, Count(kernel.Ptx, @"\.param \.align 64 \.b8 \w+\[128\]"));

        // One set of registers in all four products of the loop.
        MatchCollection products = Regex.Matches(kernel.Ptx, @"wgmma\.mma_async\.sync\.aligned\.m64n(\d+)k16\.f32\.bf16\.bf16 \{([^}]*)\}, %rd\d+, %rd\d+, %p\d+, 1, 1, 0, 0;");
        Assert.Equal(4, products.Count);
        string[] registers = products[0].Groups[2].Value.Split(", ");
        Assert.Equal(sums, registers.Distinct().Count());
        Assert.All(products, p => Assert.Equal(products[0].Groups[2].Value, p.Groups[2].Value));

        // Around them they are touched by nothing else, from the loop's head to the wait for all products.
        int fence = kernel.Ptx.IndexOf("wgmma.fence.sync.aligned;", StringComparison.Ordinal);
        string loop = kernel.Ptx[kernel.Ptx.LastIndexOf("// loop: WarpgroupGemm.Multiply", fence, StringComparison.Ordinal)..kernel.Ptx.IndexOf("wgmma.wait_group.sync.aligned 0;", StringComparison.Ordinal)];
        string rest = Regex.Replace(loop, @"wgmma\.mma_async[^;]*;", "");
        Assert.Equal(0, Count(rest, @"%f\d|mov\.f32|(?<!wgmma\.)fence|bar\.sync|\bdiv"));
        Assert.Equal(1, Count(rest, @"wgmma\.fence"));
        Assert.Equal(1, Count(rest, @"wgmma\.commit_group"));
        Assert.Equal(1, Count(rest, @"wgmma\.wait_group\.sync\.aligned 1;"));
        Assert.Equal(1, Count(rest, @"mbarrier\.try_wait\.parity\.shared::cta\.b64 %p\d+, \[%r\d+(\+\d+)?\], %r\d+;"));
        Assert.Equal(1, Count(rest, @"mbarrier\.arrive\.shared::cta\.b64 _, \[%r\d+(\+\d+)?\];"));
        Assert.Equal(2, Count(kernel.Ptx, @"cp\.async\.bulk\.tensor\.2d\.shared::cluster\.global\.mbarrier::complete_tx::bytes \[%r\d+(\+\d+)?\], \[%rd\d+, \{%r\d+, %r\d+\}\], \[%r\d+(\+\d+)?\];"));
        Assert.Equal(2, Count(kernel.Ptx, @"cvta\.param\.u64"));
    }

    [Fact]
    public void WarpgroupsMultiplyTensorFloat32AsItComes()
    {
        using RecordingAccelerator device = new();
        GemmProblem problem = GemmProblem.Contiguous(4096, 4096, 4096, false, true) with { Precision = GemmPrecision.TensorFloat32 };
        GemmLauncher.Run(device, problem, new GemmOperands(4096, 8192, 12288), new GemmPlan(GemmPlan.WarpgroupTiles[0], 1) { Warpgroups = true });
        string ptx = Assert.Single(device.Compiled).Ptx;
        Assert.Equal(4, Count(ptx, @"wgmma\.mma_async\.sync\.aligned\.m64n256k8\.f32\.tf32\.tf32 \{[^}]*\}, %rd\d+, %rd\d+, %p\d+, 1, 1;"));
        Assert.Equal(0, Count(ptx, @"cvt\.rna|\.local"));
    }

    /// <summary>The loop over blocks of k of the table's first tile, from its label to its last branch back.</summary>
    private static string Loop(GemmPrecision precision, bool transposeA, bool transposeB)
    {
        using RecordingAccelerator device = new();
        GemmProblem problem = GemmProblem.Contiguous(4096, 4096, 4096, transposeA, transposeB) with { Precision = precision };
        GemmLauncher.Run(device, problem, new GemmOperands(4096, 8192, 12288), new GemmPlan(GemmPlan.Tiles(precision).First(), 1));
        string ptx = Assert.Single(device.Compiled).Ptx;
        Match label = Regex.Match(ptx, @"^(\$L\d+): // loop: (TensorCore|Simt)Gemm\.Run", RegexOptions.Multiline);
        Assert.True(label.Success, "the loop over blocks of k has no label");
        int end = ptx.LastIndexOf($"bra {label.Groups[1].Value};", StringComparison.Ordinal);
        return ptx[label.Index..end];
    }

    private static int Count(string text, string pattern) => Regex.Count(text, pattern);

    /// <summary>Compiles what is launched, runs nothing.</summary>
    private sealed class RecordingAccelerator : Accelerator
    {
        public List<CompiledKernel> Compiled { get; } = [];

        public override string Name => "recorder";

        public override string Description => "compiles only";

        public override DeviceLimits Limits => new();

        public override AcceleratorMemory Memory => default;

        public override void ResetPeak()
        {
            // Nothing is allocated.
        }

        public override nint Allocate(long bytes, string purpose) => 256;

        public override void Free(nint address)
        {
        }

        public override void Trim()
        {
        }

        public override void CopyToDevice(ReadOnlySpan<byte> source, nint destination) => throw new NotSupportedException();

        public override void CopyToHost(nint source, Span<byte> destination) => throw new NotSupportedException();

        public override void CopyOnDevice(nint source, nint destination, long bytes) => throw new NotSupportedException();

        public override void Fill(nint address, long bytes, byte value) => throw new NotSupportedException();

        public override void Synchronize()
        {
        }

        public override void BeginCapture() => throw new NotSupportedException();

        public override CapturedGraph EndCapture() => throw new NotSupportedException();

        public override TimeMark Mark() => throw new NotSupportedException();

        internal override void LaunchPacked(Kernel kernel, in LaunchShape shape, ReadOnlySpan<byte> arguments) =>
            Compiled.Add(KernelCompiler.Compile(kernel, shape.Group, arguments));

        protected override void Dispose(bool disposing)
        {
        }
    }
}
