using System.Globalization;
using LinearCald.Gpu.Driver;
using LinearCald.Gpu.Tests.Driver;
using LinearCald.Tensors.Cuda.Kernels;

namespace LinearCald.Tensors.Cuda.Tests;

/// <summary>
/// Times cuts of products on a GPU and prints them as rows for <see cref="GemmCalibrationTests"/>, µs by plan. They check nothing, and run only where the environment variable
/// <see cref="Switch"/> is 1.
/// </summary>
public sealed class GemmMeasurements
{
    private const string Switch = "LINEARCALD_MEASURE";

    private static readonly (int M, int N, int K, string Form)[] s_products =
    [
        (8192, 8192, 8192, "NT"), (4096, 4096, 4096, "NT"), (2048, 2048, 2048, "NT"), (1024, 1024, 1024, "NT"), (512, 512, 512, "NT"), (4096, 768, 768, "NT"), (4096, 3072, 768, "NT"),
        (4096, 768, 3072, "NT"), (4096, 768, 768, "NN"), (4096, 3072, 768, "NN"), (4096, 768, 3072, "NN"), (768, 768, 4096, "TN"), (3072, 768, 4096, "TN"), (768, 3072, 4096, "TN"),
    ];

    /// <summary>Blocks that the tables do not know but that might belong there.</summary>
    private static readonly GemmTile[] s_others = [new(128, 128, 2, 4, 4), new(256, 128, 4, 2, 4)];

    private static bool IsOn => Environment.GetEnvironmentVariable(Switch) == "1";

    [CudaFact]
    public void TensorFloat32() => Measure(GemmPrecision.TensorFloat32, s_products, s_others, true);

    [CudaFact]
    public void TwoBFloat16() => Measure(GemmPrecision.TwoBFloat16, [s_products[1], s_products[5], s_products[9], (15999, 512, 1536, "NT"), (1999, 512, 1536, "NT"), (499, 512, 1024, "NT"), s_products[10], s_products[12]], s_others, true);

    [CudaFact]
    public void Float32() => Measure(GemmPrecision.Float32, [s_products[1], s_products[2], s_products[5], s_products[9]], [new(128, 128, 4, 2, 4), new(128, 128, 4, 2, 2), new(128, 256, 4, 4, 3)], false);

    private static void Measure(GemmPrecision precision, ReadOnlySpan<(int M, int N, int K, string Form)> products, ReadOnlySpan<GemmTile> others, bool onWarpgroups)
    {
        if (!IsOn)
        {
            return;
        }

        using CudaAccelerator device = new(0);
        foreach ((int m, int n, int k, string form) in products)
        {
            GemmProblem problem = GemmProblem.Contiguous(m, n, k, form[0] == 'T', form[1] == 'T') with { Precision = precision, Output = DType.Float32, Accumulate = form == "TN" };
            List<string> times = [];
            foreach (GemmTile tile in GemmPlan.Tiles(precision).Concat(others.ToArray()))
            {
                Add(times, device, problem, $"mma{tile.M}x{tile.N}w{tile.WarpsM}x{tile.WarpsN}s{tile.Stages}", new GemmPlan(tile, 1));
            }

            GemmPlan chosen = GemmPlan.For(problem, device.Limits with { Capability = 80 });
            if (chosen.Parts > 1)
            {
                Add(times, device, problem, $"chosen: mma{chosen.Tile.M}x{chosen.Tile.N}w{chosen.Tile.WarpsM}x{chosen.Tile.WarpsN}s{chosen.Tile.Stages}", chosen);
            }

            if (onWarpgroups && device.Limits.Capability == 90)
            {
                foreach (GemmTile tile in GemmPlan.WarpgroupTiles)
                {
                    for (int parts = 1; parts <= (form == "TN" ? 4 : 1); parts++)
                    {
                        Add(times, device, problem, $"wg{tile.M}x{tile.N}", new GemmPlan(tile, parts) { Warpgroups = true });
                    }
                }
            }

            Console.WriteLine($"{precision} {{ {m}, {n}, {k}, \"{form}\", \"{string.Join(", ", times)}\" }},");
        }
    }

    private static void Add(List<string> times, CudaAccelerator device, in GemmProblem problem, string name, GemmPlan plan)
    {
        try
        {
            times.Add(string.Create(CultureInfo.InvariantCulture, $"{name}/{plan.Parts} {GemmTiming.Milliseconds(device, problem, plan) * 1000:G4}"));
        }
        catch (CaldException e)
        {
            times.Add($"{name}/{plan.Parts} refused ({e.Message.AsSpan(0, Math.Min(80, e.Message.Length))})");
        }
    }
}
