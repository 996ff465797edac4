using LinearCald.Gpu;
using LinearCald.Tensors.Cuda.Kernels;
using LinearCald.Testing.Ptx;

namespace LinearCald.Tensors.Cuda.Tests;

/// <summary>Matrix products as PTX, in the emulator: every tile of the table in every layout.</summary>
public sealed class GemmEmulatorTests : IDisposable
{
    private readonly EmulatorAccelerator _device = new(new EmulatorOptions { Target = PtxTarget.Sm90, Schedule = Schedule.Shuffled, Seed = 1 });

    public static TheoryData<string, bool, bool> PrecisionsAndTransposes => GemmDebugTests.PrecisionsAndTransposes;

    public static TheoryData<string> Precisions => GemmDebugTests.Precisions;

    [Theory]
    [MemberData(nameof(PrecisionsAndTransposes))]
    public void EveryTileInEveryLayout(string precision, bool transposeA, bool transposeB)
    {
        foreach (GemmTile tile in GemmPlan.Tiles(Of(precision)))
        {
            GemmChecks.Tile(_device, Of(precision), tile, transposeA, transposeB, true);
        }

        GemmChecks.Tile(_device, Of(precision), GemmPlan.Tiles(Of(precision)).Last(), transposeA, transposeB, false);
    }

    [Theory]
    [MemberData(nameof(PrecisionsAndTransposes))]
    public void SumsOfAnyLength(string precision, bool transposeA, bool transposeB) => GemmChecks.Lengths(_device, Of(precision), transposeA, transposeB);

    [Theory]
    [MemberData(nameof(Precisions))]
    public void RandomProblems(string precision) => GemmChecks.Random(_device, Of(precision), 20, 150);

    [Theory]
    [MemberData(nameof(Precisions))]
    public void SplitSums(string precision) => GemmChecks.Split(_device, Of(precision), precision == nameof(GemmPrecision.Half) ? DType.Float16 : DType.Float32, 2, 2, 3, 7);

    [Theory]
    [InlineData(nameof(GemmPrecision.TensorFloat32), DType.Float32, false)]
    [InlineData(nameof(GemmPrecision.BFloat16), DType.BFloat16, true)]
    [InlineData(nameof(GemmPrecision.Half), DType.Float16, false)]
    public void BiasAndActivations(string precision, DType output, bool float32Bias) => GemmChecks.Epilogues(_device, Of(precision), output, float32Bias);

    [Theory]
    [InlineData(false, true)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    [InlineData(true, false)]
    public void WarpgroupsInEveryLayout(bool transposeA, bool transposeB)
    {
        GemmPrecision precision = transposeA ? GemmPrecision.Half : GemmPrecision.BFloat16;
        GemmChecks.Warpgroups(_device, precision, GemmPlan.WarpgroupTiles[2], transposeA, transposeB, 8);
        GemmChecks.Warpgroups(_device, precision, GemmPlan.WarpgroupTiles[1], transposeA, transposeB, 1);
        GemmChecks.Warpgroups(_device, precision, GemmPlan.WarpgroupTiles[0], transposeA, transposeB, 2);
    }

    [Theory]
    [InlineData(2, 8, false, true)]
    [InlineData(1, 1, false, true)]
    [InlineData(0, 2, true, true)]
    [InlineData(2, 3, true, false)]
    public void WarpgroupsInTensorFloat32(int tile, int blocks, bool transposeA, bool transposeB) =>
        GemmChecks.Warpgroups(_device, GemmPrecision.TensorFloat32, GemmPlan.WarpgroupTiles[tile], transposeA, transposeB, blocks);

    [Theory]
    [InlineData(2, 3, 2, false, true)]
    [InlineData(0, 4, 1, false, false)]
    [InlineData(1, 3, 1, true, true)]
    [InlineData(2, 7, 2, true, false)]
    [InlineData(2, 4, 1, true, false)]
    public void TermsOnWarpgroups(int tile, int blocks, int products, bool transposeA, bool transposeB) =>
        GemmChecks.TermsOnWarpgroups(_device, GemmPlan.WarpgroupTiles[tile], transposeA, transposeB, blocks, products);

    [Fact]
    public void WarpgroupsAreAsAccurate() => GemmChecks.AsAccurate(_device, 128, 128, 256);

    [Fact]
    public void TensorFloat32IsRoundedOnItsWay() => GemmChecks.Rounding(_device);

    [Theory]
    [InlineData(Schedule.Forward, 1)]
    [InlineData(Schedule.Backward, 4)]
    [InlineData(Schedule.Shuffled, 9)]
    public void WarpgroupsInEveryOrder(Schedule schedule, int blocks)
    {
        using EmulatorAccelerator device = new(new EmulatorOptions { Target = PtxTarget.Sm90, Schedule = schedule, Seed = blocks });
        GemmChecks.Warpgroups(device, GemmPrecision.BFloat16, GemmPlan.WarpgroupTiles[0], false, true, blocks);
    }

    [Fact]
    public void WarpgroupsInParts() => GemmChecks.Warpgroups(_device, GemmPrecision.BFloat16, GemmPlan.WarpgroupTiles[2], false, true, 5, 2);

    [Fact]
    public void RandomProblemsOnWarpgroups() => GemmChecks.RandomWarpgroups(_device, 12, 200, 300, 200);

    [Fact]
    public void EmptyProblems() => GemmChecks.Empty(_device);

    public void Dispose() => _device.Dispose();

    private static GemmPrecision Of(string name) => Enum.Parse<GemmPrecision>(name);
}
