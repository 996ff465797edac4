using System.Globalization;
using LinearCald.Gpu;
using LinearCald.Tensors.Cuda.Kernels;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cuda.Tests;

/// <summary>The constants of <see cref="GemmPlan"/> against measured products: medians of <see cref="GemmTiming"/> on an H100 SXM (HBM3, driver 580.159, CUDA 13.0).</summary>
public sealed class GemmCalibrationTests
{
    private const double CyclesPerMicrosecond = 1755;

    private static readonly DeviceLimits s_limits = new() { Multiprocessors = 132 };

    /// <summary>
    /// M, N, K, form, microseconds by plan. Operands are bfloat16, results too, or all are float32 where the form says tf32 or two terms; those of TN, weight gradients, are float32 and added to old
    /// ones. Of mma.sync in bfloat16 there is the plan that the table had chosen then.
    /// </summary>
    public static TheoryData<int, int, int, string, string> Measured { get; } = new()
    {
        { 8192, 8192, 8192, "NT", "mma128x256/1 2208, wg128x256/1 1403, wg128x192/1 1413, wg128x128/1 1469" },
        { 4096, 4096, 4096, "NT", "mma128x256/1 284, wg128x256/1 180, wg128x192/1 207, wg128x128/1 189" },
        { 2048, 2048, 2048, "NT", "mma128x256/1 38.7, wg128x256/1 25.3, wg128x256/2 45.3, wg128x256/3 58.2, wg128x192/1 36.1, wg128x192/2 48.2, wg128x128/1 25.7" },
        {
            4096, 768, 768, "NT",
            "mma128x256/1 17.2, wg128x256/1 12.1, wg128x256/2 27.9, wg128x256/3 36.5, wg128x192/1 10.3, wg128x192/2 25.1, wg128x192/3 32.6, wg128x128/1 12.9, " +
            "wg128x128/2 23.5"
        },
        { 4096, 3072, 768, "NT", "mma128x256/1 51.2, wg128x256/1 33.4, wg128x192/1 33.3, wg128x128/1 35.0" },
        {
            4096, 768, 3072, "NT",
            "mma64x128/1 70.4, wg128x256/1 33.5, wg128x256/2 51.6, wg128x256/3 60.1, wg128x256/4 61.7, wg128x192/1 28.4, wg128x192/2 43.2, wg128x192/3 51.4, " +
            "wg128x128/1 39.0, wg128x128/2 44.2"
        },
        { 4096, 3072, 768, "NT gelu", "mma128x256/1 59.5, wg128x256/1 40.0, wg128x192/1 40.9, wg128x128/1 41.3" },
        {
            4096, 768, 768, "NN",
            "mma128x256/1 17.5, wg128x256/1 12.3, wg128x256/2 27.8, wg128x256/3 36.2, wg128x192/1 10.2, wg128x192/2 25.0, wg128x192/3 32.4, wg128x128/1 13.5, " +
            "wg128x128/2 23.5"
        },
        {
            4096, 768, 3072, "NN",
            "mma64x128/1 69.8, wg128x256/1 33.3, wg128x256/2 51.0, wg128x256/3 59.8, wg128x256/4 61.6, wg128x192/1 28.3, wg128x192/2 42.7, wg128x192/3 50.9, " +
            "wg128x128/1 38.1, wg128x128/2 43.7"
        },
        { 4096, 3072, 768, "NN", "mma128x256/1 51.9, wg128x256/1 33.3, wg128x192/1 33.1, wg128x128/1 34.9" },
        { 4096, 4096, 4096, "NN", "mma128x256/1 280, wg128x256/1 178, wg128x192/1 199, wg128x128/1 186" },
        { 4096, 4096, 4096, "TN", "mma128x256/1 306, wg128x256/1 202, wg128x192/1 226, wg128x128/1 241" },
        {
            768, 768, 4096, "TN",
            "mma128x256/7 24.4, wg128x256/1 43.4, wg128x256/2 27.1, wg128x256/3 21.9, wg128x256/4 19.2, wg128x256/5 18.6, wg128x256/6 18.5, wg128x256/7 19.1, " +
            "wg128x256/8 26.2, wg128x192/1 32.6, wg128x192/2 22.0, wg128x192/3 18.1, wg128x192/4 16.9, wg128x192/5 49.9, wg128x192/6 22.7, wg128x192/7 23.6, " +
            "wg128x192/8 23.0, wg128x128/1 22.8, wg128x128/2 17.1, wg128x128/3 14.9, wg128x128/4 20.4, wg128x128/5 19.0, wg128x128/6 18.4, wg128x128/7 18.7, " +
            "wg128x128/8 22.4"
        },
        {
            3072, 768, 4096, "TN",
            "mma128x256/3 72.7, wg128x256/1 47.0, wg128x256/2 60.8, wg128x256/3 52.7, wg128x256/4 64.1, wg128x256/5 65.4, wg128x192/1 36.5, wg128x192/2 50.6, " +
            "wg128x192/3 56.4, wg128x192/4 56.2, wg128x128/1 50.4, wg128x128/2 51.8"
        },
        {
            768, 3072, 4096, "TN",
            "mma128x256/3 73.3, wg128x256/1 47.8, wg128x256/2 59.9, wg128x256/3 52.6, wg128x256/4 64.1, wg128x256/5 66.0, wg128x192/1 36.4, wg128x192/2 49.5, " +
            "wg128x192/3 56.0, wg128x192/4 55.6, wg128x128/1 48.4, wg128x128/2 50.1"
        },
        {
            1024, 1024, 1024, "NT",
            "mma64x128/1 9.3, wg128x256/1 14.3, wg128x256/2 13.8, wg128x256/3 13.7, wg128x256/4 14.6, wg128x192/1 11.4, wg128x192/2 12.8, wg128x192/3 16.3, " +
            "wg128x192/4 17.0, wg128x128/1 8.6, wg128x128/2 11.8, wg128x128/3 14.1, wg128x128/4 14.4"
        },
        { 16384, 768, 768, "NT", "mma128x256/1 51.6, wg128x256/1 34.2, wg128x192/1 34.3, wg128x128/1 35.9" },
        {
            8192, 8192, 8192, "NT tf32",
            "mma128x256/1 4708, mma128x128/1 5615, mma64x128/1 6694, mma64x64/1 8512, wg128x256/1 2690, wg128x192/1 2706, wg128x128/1 3204"
        },
        {
            4096, 4096, 4096, "NT tf32",
            "mma128x256/1 632.9, mma128x128/1 638.6, mma64x128/1 793.9, mma64x64/1 944.3, wg128x256/1 334.9, wg128x192/1 379.1, wg128x128/1 396"
        },
        {
            2048, 2048, 2048, "NT tf32",
            "mma128x256/1 82.27, mma128x128/1 83.58, mma64x128/1 104.2, mma64x64/1 123.1, wg128x256/1 45.23, wg128x192/1 65.92, wg128x128/1 48.4"
        },
        {
            1024, 1024, 1024, "NT tf32",
            "mma128x256/1 41.95, mma128x128/1 24.68, mma64x128/1 16.92, mma64x64/1 17.74, wg128x256/1 23.32, wg128x192/1 18.38, wg128x128/1 13.05"
        },
        {
            512, 512, 512, "NT tf32",
            "mma128x256/1 23.61, mma128x128/1 14.48, mma64x128/1 10.06, mma64x64/1 7.137, wg128x256/1 14.06, wg128x192/1 11.45, wg128x128/1 8.419"
        },
        {
            4096, 768, 768, "NT tf32",
            "mma128x256/1 34.3, mma128x128/1 34.44, mma64x128/1 43.46, mma64x64/1 37.68, wg128x256/1 20.41, wg128x192/1 16.5, wg128x128/1 20.83"
        },
        {
            4096, 3072, 768, "NT tf32",
            "mma128x256/1 102.2, mma128x128/1 102.9, mma64x128/1 127.6, mma64x64/1 140.5, wg128x256/1 58.63, wg128x192/1 58.04, wg128x128/1 61.27"
        },
        {
            4096, 768, 3072, "NT tf32",
            "mma128x256/1 116.3, mma128x128/1 121.6, mma64x128/1 151.2, mma64x64/1 138.6, wg128x256/1 63.05, wg128x192/1 50.53, wg128x128/1 75.26"
        },
        {
            4096, 768, 768, "NN tf32",
            "mma128x256/1 37.32, mma128x128/1 36.37, mma64x128/1 48.58, mma64x64/1 40.04, wg128x256/1 25.41, wg128x192/1 21.32, wg128x128/1 26.03"
        },
        {
            4096, 3072, 768, "NN tf32",
            "mma128x256/1 109.4, mma128x128/1 109.2, mma64x128/1 143.2, mma64x64/1 150.6, wg128x256/1 68.79, wg128x192/1 67.05, wg128x128/1 74.38"
        },
        {
            4096, 768, 3072, "NN tf32",
            "mma128x256/1 126, mma128x128/1 130.4, mma64x128/1 176.9, mma64x64/1 145.8, wg128x256/1 71.5, wg128x192/1 59.27, wg128x128/1 83.37"
        },
        {
            3072, 768, 4096, "TN tf32",
            "mma128x256/1 181, mma128x128/1 185.6, mma64x128/1 185.5, mma64x64/1 177, mma128x256/3 143.1, wg128x256/1 132.7, wg128x256/2 149.3, " +
            "wg128x256/3 127, wg128x256/4 144.5, wg128x192/1 113.4, wg128x192/2 129.6, wg128x192/3 137, wg128x192/4 127.4, wg128x128/1 141.6, " +
            "wg128x128/2 138.8, wg128x128/3 137.8, wg128x128/4 139"
        },
        {
            768, 3072, 4096, "TN tf32",
            "mma128x256/1 180.6, mma128x128/1 186.8, mma64x128/1 184.2, mma64x64/1 176.8, mma128x256/3 142.4, wg128x256/1 132.1, wg128x256/2 149.6, " +
            "wg128x256/3 127.7, wg128x256/4 144, wg128x192/1 112.9, wg128x192/2 129.9, wg128x192/3 136, wg128x192/4 125.7, wg128x128/1 137.9, " +
            "wg128x128/2 133.2, wg128x128/3 130.8, wg128x128/4 135.3"
        },
        {
            4096, 4096, 4096, "NT two terms",
            "mma128x256/1 1321, mma128x128/1 1290, mma128x64/1 1436, mma64x128/1 1544, mma64x64/1 1680, wg128x256/1 754.1, wg128x192/1 832.7, " +
            "wg128x128/1 773.2"
        },
        {
            4096, 768, 768, "NT two terms",
            "mma128x256/1 67.68, mma128x128/1 66.09, mma128x64/1 55.95, mma64x128/1 60.39, mma64x64/1 63.2, wg128x256/1 49.49, wg128x192/1 43.46, " +
            "wg128x128/1 49.98"
        },
        {
            4096, 3072, 768, "NN two terms",
            "mma128x256/1 209.6, mma128x128/1 202.6, mma128x64/1 230.4, mma64x128/1 237.5, mma64x64/1 254, wg128x256/1 122.2, wg128x192/1 120.1, " +
            "wg128x128/1 122.5"
        },
        {
            15999, 512, 1536, "NT two terms",
            "mma128x256/1 258.8, mma128x128/1 249, mma128x64/1 277.7, mma64x128/1 304.7, mma64x64/1 322.7, wg128x256/1 204.3, wg128x192/1 217.3, " +
            "wg128x128/1 205.9"
        },
        {
            4096, 768, 3072, "NN two terms",
            "mma128x256/1 258.3, mma128x128/1 265.8, mma128x64/1 230.5, mma64x128/1 237.6, mma64x64/1 251.3, wg128x256/1 161.9, wg128x192/1 139.1, " +
            "wg128x128/1 166.7"
        },
        {
            3072, 768, 4096, "TN two terms",
            "mma128x256/1 345.4, mma128x128/1 358.3, mma128x64/1 313.6, mma64x128/1 314.2, mma64x64/1 290.3, wg128x256/1 200.5, wg128x256/2 222.4, " +
            "wg128x256/3 175.7, wg128x256/4 195.7, wg128x192/1 164.6, wg128x192/2 183.8, wg128x192/3 191.1, wg128x192/4 168.3, wg128x128/1 213.1, " +
            "wg128x128/2 186.6, wg128x128/3 180.2, wg128x128/4 180.2"
        },
        { 2048, 256, 256, "NT", "mma64x64/1 4.2, wg128x256/1 7.3, wg128x192/1 6.3, wg128x128/1 5.1" },
        { 512, 512, 512, "NT", "mma64x64/1 4.9, wg128x256/1 9.5, wg128x256/2 10.1, wg128x192/1 7.8, wg128x192/2 9.0, wg128x128/1 6.2, wg128x128/2 7.8" },
    };

    /// <summary>As <see cref="Measured"/>, but the plan that is now chosen was not among those measured: only the model can be held to it.</summary>
    public static TheoryData<int, int, int, string, string> MeasuredWithoutTheChoice { get; } = new()
    {
        {
            768, 768, 4096, "TN tf32",
            "mma128x256/1 180.5, mma128x128/1 98.88, mma64x128/1 67.64, mma64x64/1 71.62, mma128x256/7 41.62, wg128x256/1 103.6, wg128x256/2 69.19, " +
            "wg128x256/3 58.1, wg128x256/4 53.31, wg128x192/1 82.42, wg128x192/2 59.39, wg128x192/3 51.68, wg128x192/4 48.88, wg128x128/1 63.48, " +
            "wg128x128/2 50.25, wg128x128/3 46.04, wg128x128/4 54.79"
        },
        {
            4096, 64, 768, "NT",
            "mma64x64/2 7.3, wg128x256/1 10.6, wg128x256/2 10.3, wg128x256/3 10.3, wg128x192/1 8.8, wg128x192/2 9.3, wg128x192/3 9.3, wg128x128/1 7.0, " +
            "wg128x128/2 8.1, wg128x128/3 8.5"
        },
    };

    /// <summary>What is chosen takes at most 8 % longer than the best of what was measured, and no longer than mma.sync.</summary>
    [Theory]
    [MemberData(nameof(Measured))]
    public void TheChoiceIsCloseToTheBest(int m, int n, int k, string form, string times)
    {
        GemmProblem problem = Problem(m, n, k, form);
        Dictionary<GemmPlan, double> measured = Parse(times, problem.Precision);
        GemmPlan plan = GemmPlan.For(problem, s_limits);
        Assert.True(measured.TryGetValue(plan, out double time), $"{plan} is chosen and was never measured");
        Assert.True(time <= 1.08 * measured.Values.Min(), $"{plan} takes {time:F1} µs of {measured.Values.Min():F1}");
        Assert.True(time <= measured.Where(p => !p.Key.Warpgroups).Min(p => p.Value), $"{plan} takes {time:F1} µs, longer than mma.sync");
    }

    /// <summary>The model is within a quarter of every measurement, and within an eighth of most. It knows nothing of what an activation costs, so products with one are left out.</summary>
    [Fact]
    public void TheModelIsCloseToTheMeasurements()
    {
        List<double> ratios = [];
        foreach (object[] row in Measured.Concat(MeasuredWithoutTheChoice))
        {
            GemmProblem problem = Problem((int)row[0], (int)row[1], (int)row[2], (string)row[3]);
            if (problem.Activation != Activation.None)
            {
                continue;
            }

            foreach ((GemmPlan plan, double time) in Parse((string)row[4], problem.Precision))
            {
                double ratio = Microseconds(problem, plan) / time;

                // One cut took three times as long as those on either side of it; no model of waves says why.
                bool isStrange = problem is { M: 768, N: 768 } && plan is { Tile.N: 192, Parts: 5 };
                Assert.True(isStrange || ratio is > 0.75 and < 1.25, $"{problem.M} × {problem.N} × {problem.K}, {plan}: {Microseconds(problem, plan):F1} µs for {time:F1}");
                ratios.Add(ratio);
            }
        }

        Assert.InRange(ratios.Count(r => r is > 0.875 and < 1.125), ratios.Count * 4 / 5, ratios.Count);
    }

    private static GemmProblem Problem(int m, int n, int k, string form) => GemmProblem.Contiguous(m, n, k, form[0] == 'T', form[1] == 'T') with
    {
        Precision = PrecisionOf(form),
        Output = form[0] == 'T' || PrecisionOf(form) != GemmPrecision.BFloat16 ? DType.Float32 : DType.BFloat16,
        Accumulate = form[0] == 'T',
        Activation = form.EndsWith("gelu", StringComparison.Ordinal) ? Activation.GeluErf : Activation.None,
    };

    private static GemmPrecision PrecisionOf(string form) =>
        form.EndsWith("tf32", StringComparison.Ordinal) ? GemmPrecision.TensorFloat32 : form.EndsWith("two terms", StringComparison.Ordinal) ? GemmPrecision.TwoBFloat16 : GemmPrecision.BFloat16;

    private static double Microseconds(in GemmProblem problem, GemmPlan plan) => GemmPlan.Cycles(problem, s_limits, plan) / CyclesPerMicrosecond;

    private static Dictionary<GemmPlan, double> Parse(string times, GemmPrecision precision) =>
        times.Split(", ").Select(t => t.Split(' ')).ToDictionary(t => Plan(t[0], precision), t => double.Parse(t[1], CultureInfo.InvariantCulture));

    private static GemmPlan Plan(string name, GemmPrecision precision)
    {
        bool warpgroups = name[0] == 'w';
        int[] sizes = [.. name[(warpgroups ? 2 : 3)..].Split('x', '/').Select(s => int.Parse(s, CultureInfo.InvariantCulture))];
        IEnumerable<GemmTile> tiles = warpgroups ? GemmPlan.WarpgroupTiles : GemmPlan.Tiles(precision);
        return new GemmPlan(tiles.First(t => t.M == sizes[0] && t.N == sizes[1]), sizes[2]) { Warpgroups = warpgroups };
    }
}
