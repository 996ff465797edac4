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
