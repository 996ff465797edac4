using LinearCald.Models.GptNeoX;
using LinearCald.Models.Language;
using LinearCald.Models.Mamba;
using LinearCald.Nn;

namespace LinearCald.Models.Tests;

/// <summary>The starts of new parameters against the distributions that the reference draws from.</summary>
public sealed class MambaInitialTests
{
    private const int Width = 32;

    private static Dictionary<string, double[]> Values(LanguageModelConfig config, string prefix)
    {
        using LayeredLanguageModel model = LanguageModelFiles.Build(config, BuildContext.For(LanguageModels.Cpu, 17));
        return model.NamedParameters().Where(p => p.Name.StartsWith(prefix, StringComparison.Ordinal))
            .ToDictionary(p => p.Name[prefix.Length..], p => Array.ConvertAll(p.Parameter.Value.ToArray<float>(), v => (double)v));
    }

    private static GptNeoXConfig Student(MambaConfig mixer) => LanguageModels.Transformer with { HiddenSize = Width, Layers = 1, Mamba = mixer };

    /// <summary>Within the bound, of mean 0, of variance bound² / 3, and close to the bound somewhere.</summary>
    private static void UniformIn(double bound, double[] values)
    {
        double error = 6 * bound / Math.Sqrt(values.Length);
        Assert.All(values, v => Assert.InRange(v, -bound * 1.000001, bound * 1.000001));
        Assert.InRange(values.Average(), -error, error);
        Assert.InRange(values.Average(v => v * v) / (bound * bound / 3), 1 - (6 / Math.Sqrt(values.Length)), 1 + (6 / Math.Sqrt(values.Length)));
        Assert.True(values.Max(Math.Abs) > bound * (1 - (10.0 / values.Length)));
    }

    [Fact]
    public void AMixerStartsAsTheReference()
    {
        MambaConfig mixer = new(640, 25) { UseBias = true };
        Dictionary<string, double[]> values = Values(Student(mixer), "gpt_neox.layers.0.attention.mamba.");
        UniformIn(1 / Math.Sqrt(Width), values["in_proj.weight"]);
        UniformIn(1 / Math.Sqrt(Width), values["in_proj.bias"]);
        UniformIn(0.5, values["conv1d.weight"]);
        UniformIn(0.5, values["conv1d.bias"]);
        UniformIn(1 / Math.Sqrt(640), values["x_proj.weight"]);
        UniformIn(0.2, values["dt_proj.weight"]);
        UniformIn(1 / Math.Sqrt(640), values["out_proj.weight"]);
        Assert.All(values["D"], d => Assert.Equal(1, d));
        Assert.Equal(640 * 16, values["A_log"].Length);
        for (int i = 0; i < values["A_log"].Length; i++)
        {
            Assert.Equal(Math.Log(1 + (i % 16)), values["A_log"][i], 6);
        }
    }

    [Fact]
    public void TimeStepsStartLogUniform()
    {
        double[] bias = Values(Student(new MambaConfig(4000, 2)), "gpt_neox.layers.0.attention.mamba.")["dt_proj.bias"];
        double[] logs = [.. bias.Select(b => Math.Log(double.LogP1(Math.Exp(b))))]; // ln softplus
        Assert.All(logs, v => Assert.InRange(v, Math.Log(0.001) - 1e-3, Math.Log(0.1) + 1e-3));
        double span = Math.Log(0.1) - Math.Log(0.001);
        Assert.InRange(logs.Average(), Math.Log(0.01) - 0.1, Math.Log(0.01) + 0.1);
        Assert.InRange(logs.Average(v => Math.Pow(v - Math.Log(0.01), 2)) / (span * span / 12), 0.93, 1.07);
    }

    [Fact]
    public void TheFloorAndTheConstantSchemeCount()
    {
        MambaConfig mixer = new(300, 4) { TimeStepFloor = 0.01, TimeStepScale = 3, TimeStepStart = TimeStepStart.Constant };
        Dictionary<string, double[]> values = Values(Student(mixer), "gpt_neox.layers.0.attention.mamba.");
        Assert.All(values["dt_proj.weight"], v => Assert.Equal(1.5, v, 6));
        double[] deltas = [.. values["dt_proj.bias"].Select(b => double.LogP1(Math.Exp(b)))];
        Assert.Equal(0.01, deltas.Min(), 6);
        Assert.InRange(deltas.Count(d => d < 0.010001) / 300.0, 0.38, 0.62); // half of [0.001, 0.1] in logarithms lies below 0.01
    }

    [Fact]
    public void AWholeMambaStartsAsItsAuthors()
    {
        MambaModelConfig config = LanguageModels.Mamba with { HiddenSize = Width, Layers = 4, InitialiserRange = 0.1, Mixer = MambaConfig.For(Width) };
        Dictionary<string, double[]> values = Values(config, "backbone.");
        Assert.InRange(Math.Sqrt(values["embeddings.weight"].Average(v => v * v)), 0.09, 0.11);
        UniformIn(0.5 / Math.Sqrt(2 * Width), values["layers.3.mixer.out_proj.weight"]); // smaller by √4 layers
        Assert.All(values["norm_f.weight"].Concat(values["layers.0.norm.weight"]), w => Assert.Equal(1, w));
    }

    [Fact]
    public void AMamba2StartsAsItsAuthors()
    {
        Mamba2ModelConfig config = LanguageModels.Mamba2 with { HiddenSize = 128, Layers = 1, Mixer = new Mamba2Config(256, 1) { StateSize = 4 } };
        Dictionary<string, double[]> values = Values(config, "backbone.layers.0.mixer.");
        Assert.Equal(Enumerable.Range(1, 256).Select(i => (double)(float)Math.Log(i)), values["A_log"]);
        Assert.All(values["D"].Concat(values["norm.weight"]), w => Assert.Equal(1, w));
        double[] deltas = [.. values["dt_bias"].Select(b => double.LogP1(Math.Exp(b)))];
        Assert.All(deltas, d => Assert.InRange(d, 0.000999, 0.1001));
        Assert.InRange(deltas.Count(d => d < 0.01) / 256.0, 0.35, 0.65);
        UniformIn(1 / Math.Sqrt(128), values["in_proj.weight"]);
        UniformIn(0.5, values["conv1d.weight"]);
    }

    [Fact]
    public void ATransformerStartsNormal()
    {
        Dictionary<string, double[]> values = Values(LanguageModels.Transformer with { InitialiserRange = 0.03 }, "gpt_neox.layers.0.");
        foreach (string name in (string[])["attention.query_key_value.weight", "attention.dense.weight", "mlp.dense_h_to_4h.weight", "mlp.dense_4h_to_h.weight"])
        {
            double[] v = values[name];
            Assert.InRange(Math.Sqrt(v.Average(x => x * x)) / 0.03, 1 - (4 / Math.Sqrt(v.Length)), 1 + (4 / Math.Sqrt(v.Length)));
            Assert.True(v.Max() > 0.06);
        }

        Assert.All(values["attention.dense.bias"].Concat(values["mlp.dense_4h_to_h.bias"]), b => Assert.Equal(0, b));
    }
}
