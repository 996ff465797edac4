using System.Text.Json.Nodes;
using LinearCald.Models.Wav2Vec2;
using LinearCald.Nn;
using LinearCald.Nn.Files;
using LinearCald.Tensors.Ops;

namespace LinearCald.Models.Tests.Wav2Vec2;

/// <summary>Model folders: published forms old and new, the student's own, and everything that may be wrong with one.</summary>
public sealed class Wav2Vec2LoadTests : IDisposable
{
    private const string NewDirection = "wav2vec2.encoder.pos_conv_embed.conv.parametrizations.weight.original1";
    private static readonly string[] s_attention = ["q_proj", "k_proj", "v_proj", "out_proj"];
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static BuildContext Context(ulong seed = 0) => BuildContext.For(SpeechModels.Cpu, seed);

    private string Copy(string fixture)
    {
        string target = Path.Combine(_folder.Path, fixture.Replace('/', '-'));
        Directory.CreateDirectory(target);
        foreach (string file in (string[])["config.json", "model.safetensors"])
        {
            File.Copy(Path.Combine(FixtureFolder.PathOf(fixture), file), Path.Combine(target, file));
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

    /// <summary>Writes a folder's weights again, under other names (null: left out), with more of them.</summary>
    private static void EditWeights(string folder, Func<string, string?> rename, params (string Name, int Count)[] more)
    {
        List<TensorPayload> payloads = [];
        using (WeightsReader reader = WeightsReader.Open(folder))
        {
            foreach (string name in reader.Names)
            {
                float[] values = new float[reader.Entry(name).ElementCount];
                reader.Read(name, values);
                if (rename(name) is { } other)
                {
                    payloads.Add(TensorPayload.FromSingles(other, reader.Entry(name).Shape, values));
                }
            }
        }

        payloads.AddRange(more.Select(m => TensorPayload.FromSingles(m.Name, [m.Count], new float[m.Count])));
        SafetensorsWriter.Write(Path.Combine(folder, "model.safetensors"), payloads);
    }

    private static float[] Value(Module model, string name) => model.NamedParameters().Single(p => p.Name == name).Parameter.Value.ToArray<float>();

    [Theory]
    [InlineData("base")]
    [InlineData("large")]
    public void OldAndNewFormsOfARecogniserHoldTheSame(string variant)
    {
        using Wav2Vec2ForCTC today = Wav2Vec2Files.LoadCtc(FixtureFolder.PathOf($"seed0/wav2vec2-{variant}-ctc"), Context());
        using Wav2Vec2ForCTC old = Wav2Vec2Files.LoadCtc(FixtureFolder.PathOf($"legacy0/wav2vec2-{variant}-ctc"), Context(1));
        Assert.Equal(Value(today, NewDirection), Value(old, NewDirection));
        Assert.Equal(variant == "large", today.Config.StableLayerNorm);
        Assert.Equal(variant == "large", today.Config.LayerNormFeatures);
        Assert.Equal(32, today.Config.VocabularySize);
        Assert.Equal((Reduction.Mean, true), (today.Config.CtcReduction, today.Config.CtcZeroInfinity));
        Assert.False(today.Config.HasMaskEmbedding);
    }

    [Fact]
    public void AClassifierOfTwoUnnamedClassesIsWhatTransformersLeavesOut()
    {
        string folder = Copy("seed0/wav2vec2-base-cls");
        EditConfig(folder, c =>
        {
            c.Remove("id2label");
            c.Remove("label2id");
        });
        Assert.Equal(["LABEL_0", "LABEL_1"], Wav2Vec2Config.Read(folder).Targets.Single().Labels);
    }

    [Fact]
    public void ARecogniserBecomesAClassifierWithANewHead()
    {
        ClassificationTarget[] targets = [new("scenario", ["a", "b"]), new("action", ["c", "d", "e"])];
        using Wav2Vec2ForSequenceClassification model = Wav2Vec2Files.LoadForClassification(
            FixtureFolder.PathOf("seed0/wav2vec2-large-ctc"), Context(), targets, out LoadReport report, c => c with { ClassifierProjection = 0, TimeMaskProbability = 0.1 });
        Assert.Equal(
            ["classifier.0.bias", "classifier.0.weight", "classifier.1.bias", "classifier.1.weight", "wav2vec2.masked_spec_embed"], report.New.Order(StringComparer.Ordinal));
        Assert.Equal(["lm_head.bias", "lm_head.weight"], report.Ignored.Order(StringComparer.Ordinal));
        float[] start = Value(model, "classifier.1.weight");
        Assert.All(start, w => Assert.InRange(Math.Abs(w), 0, 1 / Math.Sqrt(48)));
        Assert.True(start.Max() > 0.8 / Math.Sqrt(48));
    }

    [Fact]
    public void ARecogniserKeepsItsHeadOrGetsANewOne()
    {
        string folder = FixtureFolder.PathOf("seed0/wav2vec2-base-ctc");
        using Wav2Vec2ForCTC kept = Wav2Vec2Files.LoadForCtc(folder, Context(), null, out LoadReport report);
        Assert.Empty(report.New);
        using Wav2Vec2ForCTC fresh = Wav2Vec2Files.LoadForCtc(folder, Context(), 32, out report, c => c with { HiddenDropout = 0.3 });
        Assert.Equal(["lm_head.bias", "lm_head.weight"], report.New.Order(StringComparer.Ordinal));
        Assert.Equal(0.3, fresh.Config.HiddenDropout);
        Assert.NotEqual(Value(kept, "lm_head.weight"), Value(fresh, "lm_head.weight"));
        Assert.Equal(Value(kept, NewDirection), Value(fresh, NewDirection));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void APretrainedModelIsFoundWithoutPrefixAndWithWhatPretrainingLeaves(bool bare)
    {
        string folder = Copy("seed0/wav2vec2-large-ctc");
        EditWeights(
            folder,
            name => name.StartsWith("lm_head.", StringComparison.Ordinal) ? null : bare ? name["wav2vec2.".Length..] : name,
            ("quantizer.codevectors", 6),
            ("project_hid.weight", 4),
            ("project_q.bias", 4),
            (bare ? "masked_spec_embed" : "wav2vec2.masked_spec_embed", 48));
        using Wav2Vec2ForCTC model = Wav2Vec2Files.LoadForCtc(folder, Context(), 11, out LoadReport report);
        Assert.Equal(2, report.New.Count);
        Assert.Equal(4, report.Ignored.Count); // the embedding of masked frames too: this config masks nothing
        CaldException error = Assert.Throws<CaldException>(() => Wav2Vec2Files.LoadCtc(folder, Context()));
        Assert.Contains("is no recogniser", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AConversionCopiesEverythingOutsideTheAttention()
    {
        using Wav2Vec2ForSequenceClassification teacher = Wav2Vec2Files.LoadClassifier(FixtureFolder.PathOf("seed0/wav2vec2-base-cls"), Context());
        BiMamba2Config mixer = BiMamba2Config.For(48, stateSize: 8) with { ResidualInside = true };
        Assert.Equal(48, mixer.Mixer.HeadSize);
        using Wav2Vec2ForSequenceClassification student = Wav2Vec2Files.Convert(teacher, mixer, Context(5), out LoadReport report);
        Assert.All(report.New, name => Assert.True(Wav2Vec2Files.IsMixer(name)));
        Assert.All(report.Loaded, name => Assert.Equal(Value(teacher, name), Value(student, name)));
        Assert.All(report.Ignored, name => Assert.Contains(name.Split('.')[^2], s_attention));
        Assert.Equal(3 * 2 * 8, report.New.Count);
        Assert.Equal(3 * 4 * 2, report.Ignored.Count);
        Assert.Equal(
            ["A_log", "D", "conv1d.bias", "conv1d.weight", "dt_bias", "in_proj.weight", "norm.weight", "out_proj.weight"],
            report.New.Where(n => n.Contains("layers.1.attention.bw_mamba", StringComparison.Ordinal)).Select(n => n.Split("bw_mamba.")[1]).Order(StringComparer.Ordinal));
        Assert.Throws<CaldException>(() => Wav2Vec2Files.Convert(student, mixer, Context()));
    }

    [Fact]
    public void MixersStartAsTheReferences()
    {
        using BiMamba2Mixer mixer = new(Context(3), 256, BiMamba2Config.For(256, headSize: 1));
        Assert.Equal((256 * 2) + (2 * 128) + 256, mixer.NamedParameters().Single(p => p.Name == "fw_mamba.in_proj.weight").Parameter.Value.Shape[0]);
        double[] rates = [.. Value(mixer, "bw_mamba.A_log").Select(v => Math.Exp(v))];
        Assert.All(rates, a => Assert.InRange(a, 0.9999, 16.0001));
        Assert.InRange(rates.Average(), 8.5 - 1.2, 8.5 + 1.2); // 4.4 standard deviations of 256 values uniform in [1, 16]
        Assert.NotEqual(Value(mixer, "fw_mamba.A_log"), Value(mixer, "bw_mamba.A_log"));
        Assert.All(Value(mixer, "fw_mamba.D").Concat(Value(mixer, "fw_mamba.norm.weight")), v => Assert.Equal(1, v));
        Assert.InRange(Value(mixer, "fw_mamba.conv1d.weight").Max(), 0.49, 0.5);
        Assert.InRange(Value(mixer, "fw_mamba.out_proj.weight").Max(), 0.99 / 16, 1.0 / 16);
    }

    [Fact]
    public void ThePublishedStudentHasTheReferencesSizes()
    {
        BiMamba2Config published = BiMamba2Config.For(1024);
        Assert.Equal((16, 64, 128, 1, 4), (published.Mixer.Heads, published.Mixer.HeadSize, published.Mixer.StateSize, published.Mixer.Groups, published.Mixer.ConvKernel));
        using BiMamba2Mixer mixer = new(Context(), 1024, published);
        Assert.Equal(6_863_456, mixer.ParameterCount());
        Assert.Equal(64, BiMamba2Config.For(128).Mixer.HeadSize);
        Assert.Equal(48, BiMamba2Config.For(96).Mixer.HeadSize);
        Assert.Equal(50, BiMamba2Config.For(100).Mixer.HeadSize);
        Assert.Contains("choose another head size", Assert.Throws<CaldException>(() => BiMamba2Config.For(100, 64)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("base student")]
    [InlineData("large student with biases")]
    public void AStudentIsReadBackBitForBit(string kind)
    {
        string folder = Path.Combine(_folder.Path, "student");
        AudioPreprocessor preprocessor = new() { Normalise = false, SamplingRate = 8000, Masked = kind != "base student" };
        Wav2Vec2Config config = SpeechModels.Config(kind) with
        {
            Preprocessor = preprocessor,
            Targets = [new("tone", ["low", "high"]), new("speaker", ["é", "\"b\"", "c"])],
        };
        using Wav2Vec2ForSequenceClassification student = new(Context(5), config);
        Wav2Vec2Files.Save(student, folder, written => File.WriteAllText(Path.Combine(written, "README.md"), "a card"));
        using Wav2Vec2ForSequenceClassification again = Wav2Vec2Files.LoadClassifier(folder, Context(9));
        Assert.Equal(student.NamedParameters().Select(p => p.Name), again.NamedParameters().Select(p => p.Name));
        Assert.All(student.NamedParameters(), p => Assert.Equal(p.Parameter.Value.ToArray<float>(), Value(again, p.Name)));
        Assert.Equal(config.BiMamba2, again.Config.BiMamba2);
        Assert.Equal(preprocessor, again.Config.Preprocessor);
        Assert.Equal(config.Targets.Select(t => t.Name), again.Config.Targets.Select(t => t.Name));
        Assert.Equal(config.Targets.SelectMany(t => t.Labels), again.Config.Targets.SelectMany(t => t.Labels));
        Assert.Equal(config.ToJson("x"), again.Config.ToJson("x"));
        Assert.True(File.Exists(Path.Combine(folder, "README.md")));
    }

    [Fact]
    public void APublishedConfigOfAnOlderVersionIsRead()
    {
        // The fields of facebook/wav2vec2-base (transformers 4.4), which says no vocabulary and has names that later versions dropped.
        File.WriteAllText(Path.Combine(_folder.Path, "config.json"), """
            {"activation_dropout": 0.0, "apply_spec_augment": true, "architectures": ["Wav2Vec2ForPreTraining"], "attention_dropout": 0.1, "bos_token_id": 1,
             "codevector_dim": 256, "contrastive_logits_temperature": 0.1, "conv_bias": false, "conv_dim": [512, 512, 512, 512, 512, 512, 512],
             "conv_kernel": [10, 3, 3, 3, 3, 2, 2], "conv_stride": [5, 2, 2, 2, 2, 2, 2], "ctc_loss_reduction": "sum", "ctc_zero_infinity": false,
             "diversity_loss_weight": 0.1, "do_stable_layer_norm": false, "eos_token_id": 2, "feat_extract_activation": "gelu", "feat_extract_norm": "group",
             "feat_proj_dropout": 0.1, "feat_quantizer_dropout": 0.0, "final_dropout": 0.0, "freeze_feat_extract_train": true, "gradient_checkpointing": true,
             "hidden_act": "gelu", "hidden_dropout": 0.1, "hidden_size": 768, "initializer_range": 0.02, "intermediate_size": 3072, "layer_norm_eps": 1e-05,
             "layerdrop": 0.05, "mask_channel_length": 10, "mask_channel_min_space": 1, "mask_channel_other": 0.0, "mask_channel_prob": 0.0,
             "mask_channel_selection": "static", "mask_feature_length": 10, "mask_feature_prob": 0.0, "mask_time_length": 10, "mask_time_min_space": 1,
             "mask_time_other": 0.0, "mask_time_prob": 0.05, "mask_time_selection": "static", "model_type": "wav2vec2", "no_mask_channel_overlap": false,
             "num_attention_heads": 12, "num_codevector_groups": 2, "num_codevectors_per_group": 320, "num_conv_pos_embedding_groups": 16,
             "num_conv_pos_embeddings": 128, "num_feat_extract_layers": 7, "num_hidden_layers": 12, "num_negatives": 100, "pad_token_id": 0,
             "proj_codevector_dim": 256, "transformers_version": "4.7.0.dev0", "vocab_size": null}
            """);
        Wav2Vec2Config config = Wav2Vec2Config.Read(_folder.Path);
        Assert.Equal((768, 12, 12, 32), (config.HiddenSize, config.Layers, config.Heads, config.VocabularySize));
        Assert.Equal((0.05, 0.1, 0.0), (config.LayerDrop, config.FeatureProjectionDropout, config.FinalDropout));
        Assert.Equal((400, 320), (config.ReceptiveField, config.Stride));
        Assert.True(config.HasMaskEmbedding);
        Assert.Empty(config.Targets);
        Assert.Equal(new AudioPreprocessor { Masked = false }, config.Preprocessor); // group norm, and no file that says otherwise
    }

    [Fact]
    public void ThePreprocessorIsReadWhereverItStands()
    {
        string folder = Copy("seed0/wav2vec2-large-ctc");
        Assert.True(Wav2Vec2Config.Read(folder).Preprocessor.Masked);
        File.WriteAllText(Path.Combine(folder, "processor_config.json"), """{"feature_extractor": {"sampling_rate": 22050, "do_normalize": false}, "processor_class": "Wav2Vec2Processor"}""");
        Assert.Equal(new AudioPreprocessor { SamplingRate = 22_050, Normalise = false }, Wav2Vec2Config.Read(folder).Preprocessor);
        string own = Path.Combine(folder, "preprocessor_config.json");
        File.WriteAllText(own, """{"do_normalize": true, "feature_size": 1, "padding_value": 0.0, "return_attention_mask": false, "sampling_rate": 16000}""");
        Assert.Equal(new AudioPreprocessor { Masked = false }, Wav2Vec2Config.Read(folder).Preprocessor);
        foreach ((string text, string expected) in ((string, string)[])[("""{"sampling_rate": 0}""", "sampling_rate is 0"), ("""{"feature_size": 80}""", "feature_size is 80"), ("""{"padding_value": 1}""", "padding_value is 1")])
        {
            File.WriteAllText(own, text);
            Assert.Contains(expected, Assert.Throws<CaldException>(() => Wav2Vec2Config.Read(folder)).Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("model_type", "\"hubert\"", "model_type is 'hubert'")]
    [InlineData("hidden_act", "\"mish\"", "hidden_act is 'mish'")]
    [InlineData("feat_extract_norm", "\"batch\"", "feat_extract_norm is 'batch'")]
    [InlineData("num_attention_heads", "5", "does not divide by num_attention_heads 5")]
    [InlineData("num_conv_pos_embedding_groups", "7", "does not divide by num_conv_pos_embedding_groups 7")]
    [InlineData("conv_dim", "[32, 32]", "conv_kernel 7")]
    [InlineData("conv_kernel", "[10, 3, \"3\"]", "conv_kernel is [10,3,\"3\"]")]
    [InlineData("conv_stride", "[0]", "expected a list of whole numbers from 1")]
    [InlineData("conv_stride", "[4096, 4096, 2, 2, 2, 2, 2]", "1,000,000 samples")]
    [InlineData("num_feat_extract_layers", "6", "num_feat_extract_layers is 6, but conv_dim has 7")]
    [InlineData("layerdrop", "1.5", "layerdrop is 1.5")]
    [InlineData("ctc_loss_reduction", "\"none\"", "ctc_loss_reduction is 'none'")]
    [InlineData("pad_token_id", "32", "pad_token_id is 32")]
    [InlineData("add_adapter", "true", "add_adapter is true")]
    [InlineData("adapter_attn_dim", "16", "adapter_attn_dim is 16")]
    [InlineData("use_weighted_layer_sum", "true", "use_weighted_layer_sum is true")]
    [InlineData("classification_targets", "[{\"name\": \"a\"}]", "classification_targets is")]
    [InlineData("bimamba2", "{\"num_heads\": 3, \"head_dim\": 10}", "bimamba2.num_heads 3 times head_dim 10 is not expand times hidden_size, 48")]
    [InlineData("bimamba2", "{\"num_heads\": 3, \"head_dim\": 16, \"n_groups\": 1, \"A_init_range\": [0, 16]}", "bimamba2.A_init_range")]
    [InlineData("bimamba2", "{\"num_heads\": 3, \"head_dim\": 16, \"n_groups\": 1, \"residual_inside\": 1}", "bimamba2.residual_inside is 1")]
    public void ABadConfigIsNamed(string field, string value, string expected)
    {
        string folder = Copy("seed0/wav2vec2-large-ctc");
        EditConfig(folder, c => c[field] = JsonNode.Parse(value));
        CaldException error = Assert.Throws<CaldException>(() => Wav2Vec2Files.LoadCtc(folder, Context()));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AllMisfitsAreListedAtOnce()
    {
        string folder = Copy("seed0/wav2vec2-base-ctc");
        EditWeights(folder, name => name.EndsWith("layers.2.layer_norm.bias", StringComparison.Ordinal) ? null : name, ("wav2vec2.adapter.proj", 3));
        EditConfig(folder, c => c["intermediate_size"] = 100);
        CaldException error = Assert.Throws<CaldException>(() => Wav2Vec2Files.LoadCtc(folder, Context()));
        Assert.Contains("misshapen   wav2vec2.encoder.layers.0.feed_forward.intermediate_dense.weight: expected [100, 48], found [96, 48]", error.Message, StringComparison.Ordinal);
        Assert.Contains("missing     wav2vec2.encoder.layers.2.layer_norm.bias: expected [48]", error.Message, StringComparison.Ordinal);
        Assert.Contains("unknown     wav2vec2.adapter.proj", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("wav2vec2.encoder.layers.0.attention.fw_mamba.in_proj.weight", true)]
    [InlineData("wav2vec2.encoder.layers.0.attention.fw_mamba.A_log", false)]
    [InlineData("wav2vec2.encoder.layers.0.attention.fw_mamba.dt_bias", false)]
    [InlineData("wav2vec2.encoder.layers.0.attention.fw_mamba.D", false)]
    [InlineData("wav2vec2.encoder.layers.0.attention.bw_mamba.norm.weight", false)]
    [InlineData("wav2vec2.encoder.layers.0.attention.bw_mamba.conv1d.bias", false)]
    [InlineData("wav2vec2.encoder.layers.0.final_layer_norm.weight", false)]
    [InlineData("wav2vec2.encoder.layers.0.layer_norm.weight", false)]
    [InlineData("wav2vec2.encoder.pos_conv_embed.conv.parametrizations.weight.original0", false)]
    [InlineData("wav2vec2.encoder.pos_conv_embed.conv.parametrizations.weight.original1", true)]
    [InlineData("wav2vec2.masked_spec_embed", false)]
    [InlineData("lm_head.weight", true)]
    public void DecayIsForTheWeightsOfMaps(string name, bool decayed) => Assert.Equal(decayed, Wav2Vec2Files.IsDecayed(name));
}
