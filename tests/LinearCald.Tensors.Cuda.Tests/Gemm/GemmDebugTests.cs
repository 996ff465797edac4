using LinearCald.Gpu;
using LinearCald.Tensors.Cuda.Kernels;

namespace LinearCald.Tensors.Cuda.Tests;

/// <summary>
/// Matrix products as C# methods, every access and barrier checked. Lanes are threads that hand over at every barrier and matrix instruction, so problems
/// are small and few: each kernel in each layout once; <see cref="GemmEmulatorTests"/> crosses the rest.
/// </summary>
public sealed class GemmDebugTests : IDisposable
{
    private readonly DebugAccelerator _device = new();

    public static TheoryData<string, bool, bool> PrecisionsAndTransposes
    {
        get
        {
            TheoryData<string, bool, bool> data = [];
            foreach (string precision in Enum.GetNames<GemmPrecision>())
            {
                foreach (int transposes in new[] { 0, 1, 2, 3 })
                {
                    data.Add(precision, (transposes & 1) != 0, (transposes & 2) != 0);
                }
            }

            return data;
        }
    }

    public static TheoryData<string> Precisions => [.. Enum.GetNames<GemmPrecision>()];

    [Theory]
    [MemberData(nameof(PrecisionsAndTransposes))]
    public void SmallestTileInEveryLayout(string precision, bool transposeA, bool transposeB) =>
        GemmChecks.Tile(_device, Of(precision), GemmPlan.Tiles(Of(precision)).Last(), transposeA, transposeB, aligned: transposeA == transposeB);

    [Theory]
    [InlineData(nameof(GemmPrecision.Float32), false, false)]
    [InlineData(nameof(GemmPrecision.TensorFloat32), true, false)]
    [InlineData(nameof(GemmPrecision.BFloat16), false, true)]
    [InlineData(nameof(GemmPrecision.Half), true, true)]
    public void SumsOfAnyLength(string precision, bool transposeA, bool transposeB) => GemmChecks.Lengths(_device, Of(precision), transposeA, transposeB, few: true);

    [Theory]
    [MemberData(nameof(Precisions))]
    public void RandomProblems(string precision) => GemmChecks.Random(_device, Of(precision), 4, 40);

    [Theory]
    [MemberData(nameof(Precisions))]
    public void SplitSums(string precision) => GemmChecks.Split(_device, Of(precision), precision == nameof(GemmPrecision.BFloat16) ? DType.BFloat16 : DType.Float32, 1, 7);

    [Theory]
    [InlineData(nameof(GemmPrecision.Float32), DType.Float32, false)]
    [InlineData(nameof(GemmPrecision.BFloat16), DType.BFloat16, false)]
    [InlineData(nameof(GemmPrecision.Half), DType.Float16, true)]
    public void BiasAndActivations(string precision, DType output, bool float32Bias) => GemmChecks.Epilogues(_device, Of(precision), output, float32Bias, few: true);

    [Theory]
    [InlineData(nameof(GemmPrecision.BFloat16), false, true, 7)]
    [InlineData(nameof(GemmPrecision.BFloat16), true, false, 2)]
    [InlineData(nameof(GemmPrecision.TensorFloat32), false, true, 2)]
    public void Warpgroups(string precision, bool transposeA, bool transposeB, int blocks) =>
        GemmChecks.Warpgroups(_device, Of(precision), GemmPlan.WarpgroupTiles[2], transposeA, transposeB, blocks);

    [Fact]
    public void EmptyProblems() => GemmChecks.Empty(_device);

    public void Dispose() => _device.Dispose();

    private static GemmPrecision Of(string name) => Enum.Parse<GemmPrecision>(name);
}
