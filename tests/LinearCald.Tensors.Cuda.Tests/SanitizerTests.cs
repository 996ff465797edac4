using LinearCald.Gpu.Driver;
using LinearCald.Gpu.Tests.Driver;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Cuda.Kernels;
using LinearCald.Tensors.Cuda.Tests.Attention;
using LinearCald.Tensors.Cuda.Tests.Convolution;
using LinearCald.Tensors.Cuda.Tests.Ctc;
using LinearCald.Tensors.Cuda.Tests.Elementwise;
using LinearCald.Tensors.Cuda.Tests.Rows;
using LinearCald.Tensors.Cuda.Tests.Ssd;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cuda.Tests;

/// <summary>
/// Every kernel in shapes that are as small as its parts allow, to be run under the vendor's memory and race checkers, which slow kernels down fifty times. Formats of 16 bits
/// differ in conversions only, activations in arithmetic only: one of each stands for all.
/// </summary>
public sealed class SanitizerTests : IDisposable
{
    private static readonly DType[] s_types = [DType.Float32, DType.BFloat16];
    private static readonly GemmPrecision[] s_precisions = [GemmPrecision.Float32, GemmPrecision.TensorFloat32, GemmPrecision.BFloat16];
    private readonly CudaAccelerator _accelerator = new(0);
    private readonly GpuDevice _device;

    public SanitizerTests() => _device = new GpuDevice(_accelerator);

    [CudaFact]
    public void ElementsAndCopies()
    {
        foreach (DType type in s_types)
        {
            ElementwiseChecks.Unary(_accelerator, Activation.GeluErf, type);
            ElementwiseChecks.UnaryGradient(_accelerator, Activation.GeluErf, type);
            ElementwiseChecks.Binary(_accelerator, type);
            ElementwiseChecks.AddInPlace(_accelerator, type);
            ElementwiseChecks.Affine(_accelerator, type);
            CopyChecks.Fill(_accelerator, type);
            CopyChecks.Transposed(_accelerator, type);
            CopyChecks.Cast(_accelerator, type, DType.Float32);
            CopyChecks.Cast(_accelerator, type, DType.BFloat16);
            RandomChecks.Dropout(_accelerator, type);
        }

        CopyChecks.FillBytes(_accelerator);
        CopyChecks.Strided(_accelerator, 6);
        CopyChecks.Broadcast(_accelerator);
        RandomChecks.Uniform(_accelerator);
        RandomChecks.Normal(_accelerator);
    }

    [CudaFact]
    public void OptimiserAndEmbeddings()
    {
        OptimiserChecks.Single(_accelerator);
        OptimiserChecks.Many(_accelerator, 1);
        EmbeddingChecks.Outside(_accelerator);
        EmbeddingChecks.Order(_accelerator, 256, 2047);
        foreach (DType type in s_types)
        {
            OptimiserChecks.SumOfSquares(_accelerator, type);
            EmbeddingChecks.Forward(_accelerator, type, 50, 24, 77, 0);
            EmbeddingChecks.Forward(_accelerator, type, 3, 7, 10, 1);
            EmbeddingChecks.Gradient(_accelerator, type, 20, 37, 150, 60, 10, accumulate: false, 1);
            EmbeddingChecks.Gradient(_accelerator, type, 7, 264, 67, 100, 0, accumulate: true, 0);
        }
    }

    [CudaFact]
    public void Products()
    {
        foreach (GemmPrecision precision in s_precisions)
        {
            int form = 0;
            foreach (GemmTile tile in GemmPlan.Tiles(precision))
            {
                // Every tile in one layout, every layout in some tile.
                GemmChecks.Tile(_accelerator, precision, tile, (form & 1) == 1, (form & 2) == 0, true);
                GemmChecks.Tile(_accelerator, precision, tile, (form & 2) == 0, (form & 1) == 1, false);
                form++;
            }

            GemmChecks.Split(_accelerator, precision, DType.Float32, 2, 2, 3, 7);
        }

        GemmChecks.Epilogues(_accelerator, GemmPrecision.BFloat16, DType.BFloat16, true);
    }

    [CudaFact]
    public void ProductsOfWarpgroups()
    {
        if (_accelerator.Limits.Capability != 90)
        {
            return;
        }

        int form = 0;
        foreach (GemmTile tile in GemmPlan.WarpgroupTiles)
        {
            GemmChecks.Warpgroups(_accelerator, GemmPrecision.BFloat16, tile, (form & 1) == 1, (form & 2) == 0, tile.Stages + 1);
            form++;
        }

        GemmChecks.Warpgroups(_accelerator, GemmPrecision.TensorFloat32, GemmPlan.WarpgroupTiles[2], false, false, 3);
        GemmChecks.TermsOnWarpgroups(_accelerator, GemmPlan.WarpgroupTiles[2], true, false, 4, 1);
    }

    [CudaFact]
    public void Attentions()
    {
        foreach (GemmPrecision precision in s_precisions)
        {
            AttentionComparison.Run(_accelerator, new AttentionProblem(precision, 1, 2, 66, 67, 64, 0.125, true, 0.2), new RandomKey(3, 5), [65], 1);
            AttentionComparison.Run(_accelerator, new AttentionProblem(precision, 2, 1, 1, 40, 24, 0.2, false, 0), new RandomKey(3, 5), null, 2);
            LinformerComparison.Run(_accelerator, new LinformerProblem(precision, 2, 2, 70, 16, 33, 73, 0.25, 0.1), new RandomKey(3, 5), [70, 21], false, true, 3);
        }
    }

    [CudaFact]
    public void AttentionsOfWarpgroups()
    {
        if (_accelerator.Limits.Capability != 90)
        {
            return;
        }

        WarpgroupFlashChecks.Compare(_accelerator, new AttentionProblem(GemmPrecision.BFloat16, 1, 2, 66, 130, 64, 0.125, true, 0.2), new WarpgroupFlashTile(2, 64), 1);
        WarpgroupFlashChecks.Compare(_accelerator, new AttentionProblem(GemmPrecision.BFloat16, 1, 1, 70, 640, 64, 0.125), new WarpgroupFlashTile(3, 128), 2);
    }

    [CudaFact]
    public void RowsAndLosses()
    {
        const int cases = 4, widest = 2056;
        SoftmaxChecks.Forward(_accelerator, cases, widest);
        SoftmaxChecks.Backward(_accelerator, cases, widest);
        LayerNormChecks.Forward(_accelerator, cases, widest);
        LayerNormChecks.Residual(_accelerator, cases, widest);
        LayerNormChecks.Backward(_accelerator, cases, widest);
        LossChecks.CrossEntropy(_accelerator, cases, widest);
        LossChecks.LabelScores(_accelerator, cases, widest);
        LossChecks.KlDivergence(_accelerator, cases, widest);
        LossChecks.LayerMse(_accelerator, cases, widest);
        SumChecks.Columns(_accelerator, cases, widest);
        SumChecks.All(_accelerator, cases, widest);
    }

    [CudaFact]
    public void Sequences()
    {
        SequenceChecks.Convolutions(_device, 8, 70);
        SequenceChecks.ConvolutionsInChunks(_device, 4, 80);
        SequenceChecks.Rotations(_device, 4);
        SequenceChecks.RmsNorms(_device, 6, 2049);
        SequenceChecks.GradientsOfParts(_device, DType.BFloat16);
        foreach (int width in (int[])[300, 17000]) // the wide one does not fit into registers
        {
            DeviceCase.Compare(_device, DType.BFloat16, 1e-2, c => c.Data("x", 3, width).RmsNorm(c.Parameter("w", width)));
        }
    }

    [CudaFact]
    public void Scans()
    {
        foreach (DType type in s_types)
        {
            double budget = type == DType.Float32 ? 1e-5 : 1e-2;
            foreach ((int length, int channels) in ((int, int)[])[(75, 35), (800, 7)])
            {
                DeviceCase.Compare(_device, type, budget, c => c.Data("u", 2, length, channels).SelectiveScan(
                    c.Data("delta", 2, length, channels),
                    c.Parameter("a", channels, 16).Apply(Activation.Square).Affine(-1, -0.1),
                    c.Data("b", 2, length, 16),
                    c.Data("c", 2, length, 16),
                    c.Parameter("d", channels),
                    c.Data("z", 2, length, channels),
                    c.Parameter("bias", channels),
                    new SelectiveScanOptions { Softplus = true, Lengths = c.Ids(1, length + 1, 2) }));
            }

            SsdShape shape = new(2, 130, 2, 1, 16, 40, 64, false, true, 0, double.PositiveInfinity);
            new SsdCase(shape, 1, true, true, true, true, true, 3).Compare(_device, type, budget);
            new SsdCase(shape, 1, true, true, true, true, true, 3).Compare(new GpuDevice(_accelerator) { ScanSegments = 2 }, type, budget);
        }
    }

    /// <summary>What generation does with one token.</summary>
    [CudaFact]
    public void Steps()
    {
        const int batch = 2, heads = 2, size = 16, channels = heads * size;
        DeviceCase.Compare(_device, DType.BFloat16, 1e-2, c =>
        {
            Tensor x = c.Data("x", batch, 1, channels), delta = c.Data("delta", batch, 1, channels), b = c.Data("b", batch, 1, size);
            Tensor slow = c.Parameter("a", channels, size).Apply(Activation.Square).Affine(-1, -0.1), each = c.Parameter("each", heads).Apply(Activation.Square).Affine(-1, -0.1);
            Tensor state = Tensor.Full(c.Device, DType.Float32, new Shape(batch, channels, size), 0.5), held = Tensor.Full(c.Device, DType.Float32, new Shape(batch, heads, size, size), 0.5);
            Tensor y;
            using (Tape.Paused())
            {
                Tensor scanned = x.SelectiveScan(delta, slow, b, b, null, null, null, new SelectiveScanOptions { Softplus = true, InitialState = state, FinalState = state });
                Tensor dual = x.SsdScan(delta.Narrow(2, 0, heads), each, b, b, null, null, new SsdOptions { Heads = heads, Softplus = true, InitialState = held, FinalState = held });
                y = scanned.Add(dual);
            }

            return x.Add(y);
        });
    }

    [CudaFact]
    public void Speech()
    {
        ConvolutionChecks.Convolutions(_device, 8, 40);
        ConvolutionChecks.TwoTerms(_device, 2, 40);
        ConvolutionChecks.Waves(_device, 5, 300);
        ConvolutionChecks.WeightNorms(_device, 3);
        RowOperationChecks.GroupNorms(_device, 5, 200);
        RowOperationChecks.Masks(_device, 4, 60);
        CtcChecks.Random(_device, 6, 30, 12);
        CtcChecks.Compare(_device, DType.Float32, 2, 90, 6, 70, 2);
    }

    public void Dispose() => _accelerator.Dispose();
}
