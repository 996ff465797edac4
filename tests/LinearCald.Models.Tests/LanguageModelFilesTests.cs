using System.Text.Json.Nodes;
using LinearCald.Models.GptNeoX;
using LinearCald.Models.Language;
using LinearCald.Models.Mamba;
using LinearCald.Nn;

namespace LinearCald.Models.Tests;

/// <summary>Model folders of language models: published forms old and new, our own, and everything that may be wrong with one.</summary>
public sealed class LanguageModelFilesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Kinds => LanguageModelForwardTests.Kinds;

    public void Dispose() => _folder.Dispose();

    private static BuildContext Context(ulong seed = 0) => BuildContext.For(LanguageModels.Cpu, seed);

    private string Copy(string fixture, Action<JsonObject>? edit = null)
    {
        string target = Path.Combine(_folder.Path, fixture.Replace('/', '-'));
        Directory.CreateDirectory(target);
        foreach (string file in Directory.EnumerateFiles(FixtureFolder.PathOf(fixture)))
        {
            File.Copy(file, Path.Combine(target, Path.GetFileName(file)));
        }

        string path = Path.Combine(target, "config.json");
        JsonObject config = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        edit?.Invoke(config);
        File.WriteAllText(path, config.ToJsonString());
        return target;
    }

    private static string Refused(Action action) => Assert.Throws<CaldException>(action).Message;

    private static void Same(LayeredLanguageModel a, LayeredLanguageModel b)
    {
        Assert.Equal(a.Configuration, b.Configuration);
        Assert.Equal(a.NamedParameters().Select(p => p.Name), b.NamedParameters().Select(p => p.Name));
        foreach ((Parameter x, Parameter y) in a.NamedParameters().Select(p => p.Parameter).Zip(b.NamedParameters().Select(p => p.Parameter)))
        {
            Assert.Equal(x.Value.ToArray<float>(), y.Value.ToArray<float>());
        }
    }

    [Fact]
    public void AFolderThatIsNoModelIsNamed()
    {
        string folder = Copy("seed0/mamba", c => c.Remove("model_type"));
        Assert.Contains("model_type is ''", Refused(() => LanguageModelFiles.Load(folder, Context())), StringComparison.Ordinal);
        File.Delete(Path.Combine(folder, "config.json"));
        Assert.Contains("has no config.json", Refused(() => LanguageModelFiles.Load(folder, Context())), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void AModelIsReadBackBitForBit(string kind)
    {
        using LayeredLanguageModel model = LanguageModels.Build(kind, 3);
        string folder = Path.Combine(_folder.Path, "model");
        LanguageModelFiles.Save(model, folder, f => File.WriteAllText(Path.Combine(f, "note.txt"), "beside"));
        using LayeredLanguageModel again = LanguageModelFiles.Load(folder, Context(9), out LoadReport report);
        Same(model, again);
        Assert.Equal(model.NamedParameters().Count(), report.Loaded.Count);
        Assert.Empty(report.New);
        Assert.Empty(report.Ignored);
        Assert.True(File.Exists(Path.Combine(folder, "note.txt")));
    }

    [Fact]
    public void AStudentsConfigIsGptNeoXWithASectionAndATypeOfItsOwn()
    {
        string json = LanguageModels.Config("student").ToJson();
        JsonObject config = JsonNode.Parse(json)!.AsObject();
        Assert.Equal("cald_gpt_neox_mamba", config["model_type"]!.GetValue<string>());
        Assert.Equal("gpt_neox", JsonNode.Parse(LanguageModels.Config("parallel").ToJson())!["model_type"]!.GetValue<string>());
        Assert.Equal("GPTNeoXForCausalLM", config["architectures"]![0]!.GetValue<string>());
        Assert.Equal(20, config["mamba"]!["intermediate_size"]!.GetValue<int>());
        Assert.Equal(0.25, config["rope_parameters"]!["partial_rotary_factor"]!.GetValue<double>());
        Assert.Equal(0.25, config["rotary_pct"]!.GetValue<double>());
    }

    [Fact]
    public void AStudentOfATransformersTypeIsStillReadAndOneWithoutItsSectionIsNot()
    {
        JsonObject config = JsonNode.Parse(LanguageModels.Config("student").ToJson())!.AsObject();
        config["model_type"] = "gpt_neox";
        File.WriteAllText(Path.Combine(_folder.Path, "config.json"), config.ToJsonString());
        Assert.NotNull(GptNeoXConfig.Read(_folder.Path).Mamba);

        config["model_type"] = "cald_gpt_neox_mamba";
        config.Remove("mamba");
        File.WriteAllText(Path.Combine(_folder.Path, "config.json"), config.ToJsonString());
        Assert.Contains("mamba is missing, and a 'cald_gpt_neox_mamba' is nothing without it", Assert.Throws<CaldException>(() => GptNeoXConfig.Read(_folder.Path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gptneox-parallel")]
    [InlineData("gptneox-sequential")]
    public void OldAndNewFormsAreTheSameModel(string name)
    {
        using LayeredLanguageModel current = LanguageModelFiles.Load(FixtureFolder.PathOf("seed0/" + name), Context(), out LoadReport report);
        using LayeredLanguageModel legacy = LanguageModelFiles.Load(FixtureFolder.PathOf("legacy0/" + name), Context(), out LoadReport old);
        Same(current, legacy);
        Assert.Empty(report.Ignored);
        Assert.Equal(9, old.Ignored.Count); // three buffers a layer
    }

    [Fact]
    public void OnlyKnownBuffersAreIgnored()
    {
        string folder = Copy("legacy0/gptneox-parallel", c => c["num_hidden_layers"] = 2);
        string message = Refused(() => LanguageModelFiles.Load(folder, Context()));
        Assert.Contains("unknown     gpt_neox.layers.2.attention.dense.bias", message, StringComparison.Ordinal);
        Assert.DoesNotContain("masked_bias", message, StringComparison.Ordinal);
    }

    [Fact]
    public void AllMisfitsAreListedAtOnceWithExpectedAndFoundShapes()
    {
        string folder = Copy("seed0/gptneox-parallel", c =>
        {
            c["intermediate_size"] = 100;
            c["num_hidden_layers"] = 4;
        });
        string message = Refused(() => LanguageModelFiles.Load(folder, Context()));
        Assert.Contains("misshapen   gpt_neox.layers.0.mlp.dense_h_to_4h.weight: expected [100, 48], found [192, 48]", message, StringComparison.Ordinal);
        Assert.Contains("missing     gpt_neox.layers.3.attention.query_key_value.weight: expected [144, 48]", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("model_type", "\"llama\"", "model_type is 'llama'")]
    [InlineData("hidden_act", "\"mish\"", "hidden_act is 'mish'")]
    [InlineData("hidden_size", "\"big\"", "hidden_size is \"big\"")]
    [InlineData("num_attention_heads", "5", "does not divide")]
    [InlineData("rope_parameters", """{"rope_type": "yarn", "factor": 4}""", "rope_parameters.rope_type is 'yarn'")]
    [InlineData("rope_scaling", """{"type": "linear", "factor": 2}""", "rope_scaling.type is 'linear'")]
    [InlineData("rope_parameters", """{"rope_type": "default", "partial_rotary_factor": 1.5}""", "partial_rotary_factor is 1.5")]
    [InlineData("use_parallel_residual", "3", "expected true or false")]
    [InlineData("vocab_size", "null", "vocab_size is missing")]
    [InlineData("eos_token_id", "\"end\"", "expected a token id")]
    [InlineData("mamba", "7", "mamba is 7; expected an object")]
    [InlineData("mamba", """{"intermediate_size": 8}""", "mamba.time_step_rank is missing")]
    [InlineData("mamba", """{"intermediate_size": 8, "time_step_rank": 1, "conv_kernel": 9}""", "mamba.conv_kernel is 9")]
    [InlineData("mamba", """{"intermediate_size": 8, "time_step_rank": 1, "hidden_act": "gelu"}""", "supports only silu")]
    [InlineData("mamba", """{"intermediate_size": 8, "time_step_rank": 1, "time_step_init_scheme": "fixed"}""", "expected random or constant")]
    public void ABadConfigIsNamed(string field, string value, string expected)
    {
        string folder = Copy("seed0/gptneox-parallel", c => c[field] = JsonNode.Parse(value));
        Assert.Contains(expected, Refused(() => LanguageModelFiles.Load(folder, Context())), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mamba", "time_step_rank", "0", "time_step_rank is 0")]
    [InlineData("mamba", "hidden_act", "\"relu\"", "supports only silu")]
    [InlineData("mamba2", "num_heads", "5", "5 times head_dim 16 is not expand times hidden_size, 96")]
    [InlineData("mamba2", "n_groups", "4", "6 does not divide by n_groups 4")]
    [InlineData("mamba2", "time_step_limit", "[0.1]", "time_step_limit is [0.1]")]
    [InlineData("mamba2", "time_step_limit", "[0.5, 0.1]", "expected two numbers")]
    [InlineData("mamba2", "tie_word_embeddings", "true", "")] // ties: the file's lm_head is not needed then
    public void ABadConfigOfAMambaIsNamed(string model, string field, string value, string expected)
    {
        string folder = Copy("seed0/" + model, c => c[field] = JsonNode.Parse(value));
        if (expected.Length > 0)
        {
            Assert.Contains(expected, Refused(() => LanguageModelFiles.Load(folder, Context())), StringComparison.Ordinal);
            return;
        }

        using LayeredLanguageModel tied = LanguageModelFiles.Load(folder, Context(), out LoadReport report);
        Assert.Equal(["lm_head.weight"], report.Ignored);
        Assert.Same(tied.NamedParameters().Single(p => p.Name == "backbone.embeddings.weight").Parameter, tied.OutputWeight);
    }

    [Theory]
    [InlineData("""{"__float__": "Infinity"}""")]
    [InlineData("Infinity")]
    [InlineData("1e9")]
    public void EveryFormOfAnOpenTimeStepLimitIsRead(string form)
    {
        string folder = Copy("seed0/mamba2");
        string path = Path.Combine(folder, "config.json");
        File.WriteAllText(path, File.ReadAllText(path).Replace("""{"__float__":"Infinity"}""", form, StringComparison.Ordinal));
        Mamba2Config mixer = Mamba2ModelConfig.Read(folder).Mixer;
        Assert.Equal(0, mixer.TimeStepLow);
        Assert.Equal(form == "1e9" ? 1e9 : double.PositiveInfinity, mixer.TimeStepHigh);
    }

    [Fact]
    public void SizesThatAMambaConfigLeavesOutAreHuggingFaces()
    {
        string folder = Copy("seed0/mamba", c =>
        {
            c.Remove("intermediate_size");
            c["time_step_rank"] = "auto";
            c["expand"] = 3;
        });
        Assert.Equal(new MambaConfig(144, 3), MambaModelConfig.Read(folder).Mixer);
        Assert.Equal(new Mamba2Config(24, 64), Mamba2Config.For(768));
        Assert.Contains("does not divide into heads of 64", Refused(() => Mamba2Config.For(40)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("seed0/gptneox-parallel")]
    [InlineData("seed0/gptneox-sequential")]
    public void AConversionCopiesEverythingButTheAttention(string fixture)
    {
        using GptNeoXForCausalLM teacher = LanguageModelFiles.LoadGptNeoX(FixtureFolder.PathOf(fixture), Context());
        using GptNeoXForCausalLM student = MambaConversion.Convert(teacher, MambaConfig.For(48), Context(5), c => c with { HiddenDropout = 0.1 });
        Dictionary<string, Parameter> source = teacher.NamedParameters().ToDictionary(p => p.Name, p => p.Parameter);
        List<string> copied = [];
        List<string> mixers = [];
        foreach ((string name, Parameter parameter) in student.NamedParameters())
        {
            if (MambaConversion.IsMixer(name))
            {
                mixers.Add(name);
            }
            else
            {
                copied.Add(name);
                Assert.Equal(source[name].Value.ToArray<float>(), parameter.Value.ToArray<float>());
            }
        }

        Assert.Equal(source.Keys.Where(n => !n.Contains(".attention.", StringComparison.Ordinal)).Order(), copied.Order());
        string[] parts = ["A_log", "D", "conv1d.bias", "conv1d.weight", "dt_proj.bias", "dt_proj.weight", "in_proj.weight", "out_proj.weight", "x_proj.weight"];
        Assert.Equal(parts.Select(p => "gpt_neox.layers.1.attention.mamba." + p).Order(), mixers.Where(n => n.Contains(".1.", StringComparison.Ordinal)).Order());
        Assert.Equal(3 * parts.Length, mixers.Count);
        Assert.Equal(0.1, student.Config.HiddenDropout);
        Assert.Equal(teacher.Config.ParallelResidual, student.Config.ParallelResidual);
        Assert.Contains("already a Mamba student", Refused(() => MambaConversion.Convert(student, MambaConfig.Reference, Context())), StringComparison.Ordinal);
    }

    [Fact]
    public void TheTwoSizeRulesGiveTheCountsOfTheReference()
    {
        // Pythia-1B: d = 2048. Parameters of one mixer as the reference builds it and as the paper sizes it.
        static long Count(MambaConfig c) => (2L * c.InnerSize * 2048) + (c.InnerSize * (c.ConvKernel + 1L)) + ((c.TimeStepRank + (2L * c.StateSize)) * c.InnerSize)
            + ((c.TimeStepRank + 1L) * c.InnerSize) + (c.InnerSize * (c.StateSize + 1L)) + (2048L * c.InnerSize);
        Assert.Equal(33_377_280, Count(MambaConfig.Reference));
        Assert.Equal(26_439_680, Count(MambaConfig.For(2048)));
        Assert.Equal(new MambaConfig(96, 3), MambaConfig.For(48));
        Assert.Equal(7, MambaConfig.For(97).TimeStepRank);
    }

    [Fact]
    public void RatesNormsAndBiasesAreNotDecayed()
    {
        using LayeredLanguageModel student = LanguageModels.Build("student");
        IEnumerable<string> names = student.NamedParameters().Select(p => p.Name).Where(n => !n.Contains(".1.", StringComparison.Ordinal));
        const string Mixer = "gpt_neox.layers.0.attention.mamba.";
        string[] maps = [.. ((string[])["conv1d.weight", "dt_proj.weight", "in_proj.weight", "out_proj.weight", "x_proj.weight"]).Select(n => Mixer + n)];
        string[] others = ["embed_out.weight", "gpt_neox.embed_in.weight", "gpt_neox.layers.0.mlp.dense_4h_to_h.weight", "gpt_neox.layers.0.mlp.dense_h_to_4h.weight"];
        Assert.Equal(maps.Concat(others).Order(), names.Where(MambaConversion.IsDecayed).Order());
    }
}
