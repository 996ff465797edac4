using FsCheck;
using FsCheck.Fluent;
using LinearCald.Nn.Files;
using LinearCald.Tensors;

namespace LinearCald.Nn.Tests.Files;

public class WeightsReportTests
{
    [Fact]
    public void Figures_agree_with_the_definition()
    {
        using TemporaryFolder folder = new();
        Gen<float[]> values = Gen.Choose(0, 3).SelectMany(scale => Gen.Frequency(
            (40, Gen.Choose(-1000, 1000).Select(i => i * MathF.Pow(10, scale - 2))),
            (1, Gen.Elements(float.NaN, float.PositiveInfinity, float.NegativeInfinity))).ArrayOf());
        Prop.ForAll(values.ToArbitrary(), v =>
        {
            SafetensorsWriter.Write(folder["x.safetensors"], [TensorPayload.FromSingles("w", [v.Length], v)]);
            TensorReport report = Assert.Single(WeightsReport.Of(folder["x.safetensors"]).Tensors);
            AssertFigures([.. v.Select(x => (double)x)], report);
        }).Holds();
    }

    [Fact]
    public void Large_tensors_are_measured_over_all_their_pieces_with_the_same_bits_each_time()
    {
        using TemporaryFolder folder = new();
        Random random = new(3);
        float[] v = [.. Enumerable.Range(0, 400_003).Select(_ => (float)((random.NextDouble() * 2) + 1000))];
        v[399_999] = float.NaN;
        WeightsWriter.Write(folder.Path,
        [
            TensorPayload.FromSingles("w", [v.Length], v), TensorPayload.FromBytes("ids", DType.Int64, [2], new byte[16]),
            TensorPayload.FromBytes("none", DType.Float32, [0, 3], default),
        ], maxShardBytes: 16);
        WeightsReport report = WeightsReport.Of(folder.Path);
        Assert.Equal(["ids", "none", "w"], report.Tensors.Select(t => t.Entry.Name));
        AssertFigures([.. v.Select(x => (double)x)], report.Tensors[2]);
        Assert.Equal((0.0, 0.0, 0.0), (report.Tensors[0].Min, report.Tensors[0].Max, report.Tensors[0].Deviation));
        Assert.Null(report.Tensors[1].Mean);
        Assert.False(report.IsFinite);
        Assert.Equal((400_005L, (400_003L * 4) + 16), (report.Elements, report.Bytes));
        Assert.Equal(report.Tensors[2] with { Entry = null! }, WeightsReport.Of(folder.Path).Tensors[2] with { Entry = null! });
    }

    [Fact]
    public void Types_we_cannot_compute_with_are_listed_without_figures()
    {
        using TemporaryFolder folder = new();
        string path = folder.Write("x.safetensors", HeaderBytes.File("{\"q\":{\"dtype\":\"I16\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4));
        TensorReport report = Assert.Single(WeightsReport.Of(path).Tensors);
        Assert.Equal(("I16", null), (report.Entry.TypeName, report.Mean));
    }

    private static void AssertFigures(double[] values, TensorReport report)
    {
        double[] finite = [.. values.Where(double.IsFinite)];
        Assert.Equal(values.Count(double.IsNaN), report.NaNs);
        Assert.Equal(values.Count(double.IsInfinity), report.Infinities);
        if (finite.Length == 0)
        {
            Assert.Equal((null, null, null, null), (report.Min, report.Max, report.Mean, report.Deviation));
            return;
        }

        double mean = finite.Average();
        double deviation = Math.Sqrt(finite.Average(x => (x - mean) * (x - mean)));
        Assert.Equal((finite.Min(), finite.Max()), (report.Min, report.Max));
        Assert.Equal(mean, report.Mean!.Value, 1e-10 * (1 + Math.Abs(mean)));
        Assert.Equal(deviation, report.Deviation!.Value, 1e-9 * (1 + deviation));
    }
}
