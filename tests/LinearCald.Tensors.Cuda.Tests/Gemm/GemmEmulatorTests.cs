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
    public void SplitSums(string precision) => GemmChecks.Split(_device, Of(precision), precision == nameof(GemmPrecision.Half) ? DType.Float16 : DType.Float32, 2, 3, 7);

    [Theory]
    [InlineData(nameof(GemmPrecision.TensorFloat32), DType.Float32, false)]
    [InlineData(nameof(GemmPrecision.BFloat16), DType.BFloat16, true)]
    [InlineData(nameof(GemmPrecision.Half), DType.Float16, false)]
    public void BiasAndActivations(string precision, DType output, bool float32Bias) => GemmChecks.Epilogues(_device, Of(precision), output, float32Bias);

    [Fact]
    public void EmptyProblems() => GemmChecks.Empty(_device);

    public void Dispose() => _device.Dispose();

    private static GemmPrecision Of(string name) => Enum.Parse<GemmPrecision>(name);
}
