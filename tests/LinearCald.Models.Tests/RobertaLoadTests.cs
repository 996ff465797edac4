using System.Text.Json.Nodes;
using LinearCald.Models.Linformer;
using LinearCald.Models.Roberta;
using LinearCald.Nn;
using LinearCald.Nn.Files;
using LinearCald.Tensors;

namespace LinearCald.Models.Tests;

/// <summary>Model folders: published forms old and new, the student's own, and everything that may be wrong with one.</summary>
public sealed class RobertaLoadTests : IDisposable
{
    private static readonly Device Cpu = Device.Parse("cpu");
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static BuildContext Context(ulong seed = 0) => BuildContext.For(Cpu, seed);

    private string Copy(string fixture)
    {
        string target = Path.Combine(_folder.Path, fixture.Replace('/', '-'));
        Directory.CreateDirectory(target);
        foreach (string file in Directory.EnumerateFiles(FixtureFolder.PathOf(fixture)))
        {
            File.Copy(file, Path.Combine(target, Path.GetFileName(file)));
        }

        return target;
    }

    private static void EditConfig(string folder, Action<JsonObject> edit)
    {
        string path = Path.Combine(folder, "config.json");
        JsonObject config = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        edit(config);
        File.WriteAllText(path, config.ToJsonString());
    }

    [Theory]
    [InlineData("seed0/roberta-mlm")]
    [InlineData("legacy0/roberta-mlm")]
    public void OldAndNewFormsOfAMaskedLanguageModelLoad(string fixture)
    {
        using RobertaForMaskedLM model = RobertaFiles.LoadMaskedLM(FixtureFolder.PathOf(fixture), Context());
        Assert.Equal(3, model.Config.Layers);
        Assert.Contains(model.NamedParameters(), p => p.Name == "lm_head.layer_norm.weight");
    }

    [Theory]
    [InlineData("seed0/roberta-cls")]
    [InlineData("legacy0/roberta-cls")]
    public void OldAndNewFormsOfAClassifierLoad(string fixture)
    {
        using RobertaForSequenceClassification model = RobertaFiles.LoadClassifier(FixtureFolder.PathOf(fixture), Context());
        Assert.Equal(3, model.Config.Labels.Count);
    }

    [Fact]
    public void AMaskedLanguageModelBecomesAClassifierWithANewHead()
    {
        using RobertaForSequenceClassification model = RobertaFiles.LoadForTask(
            FixtureFolder.PathOf("seed0/roberta-mlm"), Context(), ["a", "b"], out LoadReport report);
        Assert.Equal(["classifier.dense.bias", "classifier.dense.weight", "classifier.out_proj.bias", "classifier.out_proj.weight"], report.New.Order());
        Assert.All(report.Ignored, name => Assert.StartsWith("lm_head.", name, StringComparison.Ordinal));
        Assert.Equal(["a", "b"], model.Config.Labels);
    }

    [Fact]
    public void ABodySavedAloneIsFoundUnderItsNames()
    {
        string folder = Copy("seed0/roberta-mlm");
        Dictionary<string, float[]> tensors = [];
        List<TensorPayload> payloads = [];
        using (WeightsReader reader = WeightsReader.Open(folder))
        {
            foreach (string name in reader.Names.Where(n => n.StartsWith("roberta.", StringComparison.Ordinal)))
            {
                float[] values = new float[reader.Entry(name).ElementCount];
                reader.Read(name, values);
                payloads.Add(TensorPayload.FromSingles(name["roberta.".Length..], reader.Entry(name).Shape, values));
            }
        }

        SafetensorsWriter.Write(Path.Combine(folder, "model.safetensors"), payloads);
        using RobertaForSequenceClassification model = RobertaFiles.LoadForTask(folder, Context(), ["a", "b"], out LoadReport report);
        Assert.Equal(4, report.New.Count);
        Assert.Empty(report.Ignored);
    }

    [Fact]
    public void AllMisfitsAreListedAtOnceWithExpectedAndFoundShapes()
    {
        string folder = Copy("seed0/roberta-cls");
        EditConfig(folder, c =>
        {
            c["intermediate_size"] = 100;
            c["num_hidden_layers"] = 4;
        });
        CaldException error = Assert.Throws<CaldException>(() => RobertaFiles.LoadClassifier(folder, Context()));
        Assert.Contains("misshapen   roberta.encoder.layer.0.intermediate.dense.weight: expected [100, 48], found [96, 48]", error.Message, StringComparison.Ordinal);
        Assert.Contains("missing     roberta.encoder.layer.3.attention.self.query.weight: expected [48, 48]", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnUnknownTensorIsAnError()
    {
        string folder = Copy("seed0/roberta-cls");
        EditConfig(folder, c => c["num_hidden_layers"] = 2);
        CaldException error = Assert.Throws<CaldException>(() => RobertaFiles.LoadClassifier(folder, Context()));
        Assert.Contains("unknown     roberta.encoder.layer.2.", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("model_type", "\"bert\"", "model_type is 'bert'")]
    [InlineData("hidden_act", "\"mish\"", "hidden_act is 'mish'")]
    [InlineData("hidden_size", "\"big\"", "hidden_size is \"big\"")]
    [InlineData("num_attention_heads", "5", "does not divide")]
    [InlineData("position_embedding_type", "\"relative_key\"", "only 'absolute'")]
    [InlineData("hidden_dropout_prob", "1.5", "hidden_dropout_prob is 1.5")]
    public void ABadConfigIsNamed(string field, string value, string expected)
    {
        string folder = Copy("seed0/roberta-cls");
        EditConfig(folder, c => c[field] = JsonNode.Parse(value));
        CaldException error = Assert.Throws<CaldException>(() => RobertaFiles.LoadClassifier(folder, Context()));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ProjectionSharing.None, 6)]
    [InlineData(ProjectionSharing.Kv, 3)]
    [InlineData(ProjectionSharing.Layer, 1)]
    public void AConversionCopiesEverythingAndAddsTheProjections(ProjectionSharing sharing, int projections)
    {
        using RobertaForSequenceClassification teacher = RobertaFiles.LoadClassifier(FixtureFolder.PathOf("seed0/roberta-cls"), Context());
        using RobertaForSequenceClassification student = RobertaFiles.Convert(teacher, new LinformerConfig(8, sharing, 70), Context(5));
        Assert.Equal(teacher.ParameterCount() + (projections * 70 * 8), student.ParameterCount());
        Dictionary<string, Parameter> source = teacher.NamedParameters().ToDictionary(p => p.Name, p => p.Parameter);
        int added = 0;
        foreach ((string name, Parameter parameter) in student.NamedParameters())
        {
            if (RobertaFiles.IsProjection(name))
            {
                added++;
                float[] values = parameter.Value.ToArray<float>();
                Assert.InRange(Math.Sqrt(values.Average(v => v * v)), 0.8, 1.2); // N(0, 1)
            }
            else
            {
                Assert.Equal(source[name].Value.ToArray<float>(), parameter.Value.ToArray<float>());
            }
        }

        Assert.Equal(projections, added);
    }

    [Fact]
    public void AStudentIsReadBackBitForBit()
    {
        using RobertaForSequenceClassification teacher = RobertaFiles.LoadClassifier(FixtureFolder.PathOf("seed0/roberta-cls"), Context());
        using RobertaForSequenceClassification student = RobertaFiles.Convert(teacher, new LinformerConfig(8, ProjectionSharing.Kv, 70), Context(5));
        string folder = Path.Combine(_folder.Path, "student");
        RobertaFiles.Save(student, folder);
        using RobertaForSequenceClassification again = RobertaFiles.LoadClassifier(folder, Context(9));
        Assert.Equal(student.Config.Linformer!.Rank, again.Config.Linformer!.Rank);
        foreach (((string name, Parameter a), (string other, Parameter b)) in student.NamedParameters().Zip(again.NamedParameters()))
        {
            Assert.Equal(name, other);
            Assert.Equal(a.Value.ToArray<float>(), b.Value.ToArray<float>());
        }

        Assert.Contains("\"model_type\": \"cald_roberta_linformer\"", File.ReadAllText(Path.Combine(folder, "config.json")), StringComparison.Ordinal);
        Assert.Throws<CaldException>(() => RobertaFiles.Convert(again, new LinformerConfig(8, ProjectionSharing.Kv, 70), Context()));
    }

    [Fact]
    public void APooledStartAveragesNeighbours()
    {
        using RobertaForSequenceClassification teacher = RobertaFiles.LoadClassifier(FixtureFolder.PathOf("seed0/roberta-cls"), Context());
        LinformerConfig pooled = new(4, ProjectionSharing.Layer, 70) { Start = ProjectionStart.Pool, Noise = 0, StartLength = 16 };
        using RobertaForSequenceClassification student = RobertaFiles.Convert(teacher, pooled, Context());
        float[] e = student.NamedParameters().Single(p => RobertaFiles.IsProjection(p.Name)).Parameter.Value.ToArray<float>();
        for (int p = 0; p < 16; p++)
        {
            for (int slot = 0; slot < 4; slot++)
            {
                Assert.Equal(slot == p / 4 ? 1f : 0f, e[(p * 4) + slot], 5); // √16 / 4 = 1, and the mixer divides by √16
            }
        }
    }
}
