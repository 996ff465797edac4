using LinearCald.Gpu.Driver;
using LinearCald.Gpu.Tests.Driver;
using LinearCald.Tensors.Cuda.Kernels;
using LinearCald.Tensors.Cuda.Tests.Attention;
using LinearCald.Tensors.Cuda.Tests.Convolution;
using LinearCald.Tensors.Cuda.Tests.Ctc;
using LinearCald.Tensors.Cuda.Tests.Elementwise;
using LinearCald.Tensors.Cuda.Tests.Ssd;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cuda.Tests;

/// <summary>The kernels' test bodies on a GPU, with larger sizes than the debug device and the emulator can take.</summary>
public sealed class CudaKernelTests : IDisposable
{
    private static readonly DType[] s_floats = [DType.Float32, DType.BFloat16, DType.Float16];
    private readonly CudaAccelerator _device = new(0);

    [CudaFact]
    public void Activations()
    {
        foreach (DType type in s_floats)
        {
            foreach (Activation f in Enum.GetValues<Activation>().Where(a => a != Activation.None))
            {
                ElementwiseChecks.Unary(_device, f, type);
                ElementwiseChecks.UnaryGradient(_device, f, type);
            }
        }

        ElementwiseChecks.Extremes(_device);
    }

    [CudaFact]
    public void Arithmetic()
    {
        foreach (DType type in s_floats)
        {
            ElementwiseChecks.Binary(_device, type);
            ElementwiseChecks.AddInPlace(_device, type);
            ElementwiseChecks.Affine(_device, type);
        }
    }

    [CudaFact]
    public void Copies()
    {
        foreach (DType from in Enum.GetValues<DType>())
        {
            CopyChecks.Fill(_device, from);
            CopyChecks.Transposed(_device, from);
            foreach (DType to in Enum.GetValues<DType>())
            {
                CopyChecks.Cast(_device, from, to);
            }
        }

        CopyChecks.FillBytes(_device);
        CopyChecks.Strided(_device, 60);
        CopyChecks.Broadcast(_device);
    }

    [CudaFact]
    public void Optimiser()
    {
        OptimiserChecks.Single(_device);
        OptimiserChecks.Lengths(_device);
        OptimiserChecks.Many(_device, 1);
        OptimiserChecks.Many(_device, double.PositiveInfinity);
        OptimiserChecks.NotFinite(_device, float.NaN);
        foreach (DType type in s_floats)
        {
            OptimiserChecks.SumOfSquares(_device, type);
        }
    }

    [CudaFact]
    public void RandomNumbers()
    {
        RandomChecks.Uniform(_device);
        RandomChecks.Normal(_device);
        foreach (DType type in s_floats)
        {
            RandomChecks.Dropout(_device, type);
        }
    }

    [CudaFact]
    public void Embeddings()
    {
        EmbeddingChecks.Outside(_device);
        EmbeddingChecks.Order(_device, 50265, 4096);
        foreach (DType type in s_floats)
        {
            EmbeddingChecks.Forward(_device, type, 1000, 768, 333, 0);
            EmbeddingChecks.Forward(_device, type, 17, 5, 33, 1);
        }
    }

    [CudaFact]
    public void ProductsInFloat32() => Products(GemmPrecision.Float32);

    [CudaFact]
    public void ProductsInTensorFloat32() => Products(GemmPrecision.TensorFloat32);

    [CudaFact]
    public void ProductsInTwoBFloat16() => Products(GemmPrecision.TwoBFloat16);

    [CudaFact]
    public void ProductsInBFloat16() => Products(GemmPrecision.BFloat16);

    [CudaFact]
    public void ProductsInHalf() => Products(GemmPrecision.Half);

    [CudaFact]
    public void ProductsOnWarpgroups()
    {
        if (_device.Limits.Capability != 90)
        {
            return;
        }

        GemmChecks.Rounding(_device);
        GemmChecks.AsAccurate(_device, 1024, 768, 3072);
        for (int form = 0; form < 4; form++)
        {
            foreach (int blocks in new[] { 3, 4, 16 })
            {
                GemmChecks.TermsOnWarpgroups(_device, GemmPlan.WarpgroupTiles[form % 3], form % 2 == 1, form > 1, blocks, 1 + (blocks % 2));
            }
        }

        GemmChecks.RandomWarpgroups(_device, 40, 500, 800, 700);
        foreach (GemmTile tile in GemmPlan.WarpgroupTiles)
        {
            foreach (int blocks in new[] { 1, tile.Stages + 1 })
            {
                GemmChecks.Warpgroups(_device, GemmPrecision.TensorFloat32, tile, false, true, blocks);
            }

            GemmChecks.Warpgroups(_device, GemmPrecision.TensorFloat32, tile, true, false, tile.Stages + 2);
            GemmChecks.Warpgroups(_device, GemmPrecision.TensorFloat32, tile, false, true, 9, 3);
            for (int form = 0; form < 4; form++)
            {
                GemmPrecision precision = form is 0 or 3 ? GemmPrecision.BFloat16 : GemmPrecision.Half;
                foreach (int blocks in new[] { 1, 2, tile.Stages, tile.Stages + 1, (3 * tile.Stages) + 2 })
                {
                    GemmChecks.Warpgroups(_device, precision, tile, form % 2 == 1, form > 1, blocks);
                }

                GemmChecks.Warpgroups(_device, precision, tile, form % 2 == 1, form > 1, 9, 3);
            }

            // More blocks than multiprocessors, so that groups go on from one to the next.
            GemmProblem problem = GemmProblem.Contiguous(1800, 2056, 200, false, true) with { Precision = GemmPrecision.BFloat16, Output = DType.BFloat16, Accumulate = true };
            new GemmCase(problem, 5) { Plan = new GemmPlan(tile, 1) { Warpgroups = true }, Bias = true }.Check(_device, GemmChecks.Budget(problem.Precision, problem.Output));
        }

        // The assembler found registers for all sums. With blocks of 256 columns a thread has 40 more, too few for some of what can happen to results: 104 bytes at most on an H100.
        int tight = WarpgroupGemm.SharedBytes(GemmPlan.WarpgroupTiles[0]);
        Assert.All(_device.Kernels.Where(k => k.Name == "gemm_warpgroup"), k => Assert.InRange(k.LocalBytes, 0, k.SharedBytes == tight ? 128 : 0));
    }

    [CudaFact]
    public void SoftmaxAttention()
    {
        foreach (GemmPrecision precision in AttentionComparison.Precisions)
        {
            foreach ((int queries, int keys, int head, bool causal, double p) in new[] { (1, 1, 64, false, 0.0), (200, 333, 64, false, 0.0), (300, 300, 64, true, 0.1), (129, 65, 128, false, 0.2), (77, 190, 40, true, 0.0) })
            {
                AttentionProblem problem = new(precision, 2, 3, queries, keys, head, 1 / Math.Sqrt(head), causal, p);
                AttentionComparison.Run(_device, problem, new RandomKey(3, 5), null, head);
                AttentionComparison.Run(_device, problem, new RandomKey(3, 5), [keys, keys / 2], head + 1);
            }
        }
    }

    [CudaFact]
    public void AttentionOnWarpgroups()
    {
        if (_device.Limits.Capability != 90)
        {
            return;
        }

        WarpgroupFlashChecks.Random(_device, 16, 250, 400, [1, 2, 3]);
        foreach ((int warpgroups, int keys) in new[] { (3, 128), (2, 128), (2, 64) })
        {
            WarpgroupFlashTile tile = new(warpgroups, keys);
            WarpgroupFlashChecks.Compare(_device, new AttentionProblem(GemmPrecision.BFloat16, 1, 2, 300, 1280, 64, 0.125), tile, 1);
            WarpgroupFlashChecks.Compare(_device, new AttentionProblem(GemmPrecision.Half, 2, 1, 430, 430, 64, 0.125, Causal: true, Dropout: 0.1), tile, 2);
        }
    }

    [CudaFact]
    public void LinformerAttention()
    {
        foreach (GemmPrecision precision in AttentionComparison.Precisions)
        {
            foreach ((int length, int rank, int head, double p) in new[] { (1, 8, 64, 0.0), (128, 256, 64, 0.1), (200, 33, 32, 0.0) })
            {
                LinformerProblem problem = new(precision, 3, 2, length, head, rank, length + 3, 1 / Math.Sqrt(head), p);
                LinformerComparison.Run(_device, problem, new RandomKey(3, 5), [length, (length + 1) / 2, 1], false, false, 1);
                LinformerComparison.Run(_device, problem, new RandomKey(3, 5), null, true, true, 2);
            }
        }
    }

    [CudaFact]
    public void Sequences()
    {
        GpuDevice device = new(_device);
        SequenceChecks.Convolutions(device, 100, 1500);
        SequenceChecks.ConvolutionsInChunks(device, 50, 1500);
        SequenceChecks.Rotations(device, 50);
        SequenceChecks.RmsNorms(device, 50, 17000);
        foreach (DType type in s_floats)
        {
            SequenceChecks.GradientsOfParts(device, type);
        }
    }

    [CudaFact]
    public void LongScans()
    {
        foreach (DType type in (DType[])[DType.BFloat16, DType.Float32])
        {
            SsdChecks.Long(_device, type, 4099);
            SsdChecks.Segments(_device, type, 4, 700);
        }
    }

    [CudaFact]
    public void Ctc()
    {
        GpuDevice device = new(_device);
        CtcChecks.Random(device, 60, 300, 150);
        CtcChecks.Compare(device, DType.Float32, 3, 1500, 32, 300, 6);
        CtcChecks.Compare(device, DType.Float32, 1, 2500, 32, 1023, 8);
        CtcChecks.OutOfRange(device);
    }

    [CudaFact]
    public void Speech()
    {
        GpuDevice device = new(_device);
        ConvolutionChecks.Convolutions(device, 100, 900);
        ConvolutionChecks.TwoTerms(device, 30, 900);
        ConvolutionChecks.Waves(device, 50, 5000);
        ConvolutionChecks.WeightNorms(device, 30);
        RowOperationChecks.GroupNorms(device, 50, 5000);
        RowOperationChecks.Masks(device, 30, 900);
    }

    public void Dispose() => _device.Dispose();

    private void Products(GemmPrecision precision)
    {
        GemmChecks.Empty(_device);
        foreach (GemmTile tile in GemmPlan.Tiles(precision))
        {
            for (int form = 0; form < 4; form++)
            {
                GemmChecks.Tile(_device, precision, tile, form % 2 == 1, form > 1, true);
                GemmChecks.Tile(_device, precision, tile, form % 2 == 1, form > 1, false);
            }
        }

        GemmChecks.Random(_device, precision, 100, 300);
        GemmChecks.Split(_device, precision, DType.Float32, 2, 2, 3, 7);
        GemmChecks.Epilogues(_device, precision, DType.Float32, true);
    }
}
