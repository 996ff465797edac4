using System.Text.Json;
using System.Text.Json.Nodes;
using LinearCald.Tensors.Ops;

namespace LinearCald.Models.Wav2Vec2;

/// <summary>Reads and checks the fields of a Wav2Vec2 <c>config.json</c>.</summary>
internal sealed class Wav2Vec2ConfigReader(ConfigFields fields)
{
    /// <summary>The classes of a model with several targets, or with names for them: a list of objects with <c>name</c> and <c>labels</c>.</summary>
    public const string TargetsField = "classification_targets";

    private const int MaximumWidth = 65_536;
    private const int MaximumKernel = 4096;
    private const double MaximumProbability = 0.999999;

    public Wav2Vec2Config Read()
    {
        ConfigFields? student = fields.StudentSection(Wav2Vec2Config.ModelType, Wav2Vec2Config.StudentModelType, BiMamba2Config.Section);
        RefuseUnsupported();
        Wav2Vec2Config d = new();
        int vocabulary = fields.Integer("vocab_size", d.VocabularySize, 1, 10_000_000);
        int width = fields.Integer("hidden_size", d.HiddenSize, 1, MaximumWidth);
        Wav2Vec2Config config = new()
        {
            VocabularySize = vocabulary,
            HiddenSize = width,
            Layers = fields.Integer("num_hidden_layers", d.Layers, 1, 1000),
            Heads = fields.Integer("num_attention_heads", d.Heads, 1, 4096),
            IntermediateSize = fields.Integer("intermediate_size", d.IntermediateSize, 1, 1_000_000),
            Activation = fields.Activation("hidden_act", "gelu"),
            LayerNormEpsilon = fields.Number("layer_norm_eps", d.LayerNormEpsilon, 0, 1),
            InitialiserRange = fields.Number("initializer_range", d.InitialiserRange, 0, 100),
            ConvolutionChannels = fields.Integers("conv_dim", d.ConvolutionChannels, 1, MaximumWidth),
            ConvolutionKernels = fields.Integers("conv_kernel", d.ConvolutionKernels, 1, MaximumKernel),
            ConvolutionStrides = fields.Integers("conv_stride", d.ConvolutionStrides, 1, MaximumKernel),
            ConvolutionBias = fields.Flag("conv_bias", d.ConvolutionBias),
            LayerNormFeatures = fields.Text("feat_extract_norm", "group") switch
            {
                "group" => false,
                "layer" => true,
                { } other => throw fields.Bad("feat_extract_norm", $"is '{other}'; expected group or layer"),
            },
            FeatureActivation = fields.Activation("feat_extract_activation", "gelu"),
            PositionKernel = fields.Integer("num_conv_pos_embeddings", d.PositionKernel, 1, MaximumKernel),
            PositionGroups = fields.Integer("num_conv_pos_embedding_groups", d.PositionGroups, 1, MaximumWidth),
            StableLayerNorm = fields.Flag("do_stable_layer_norm", d.StableLayerNorm),
            FeatureProjectionDropout = fields.Number("feat_proj_dropout", d.FeatureProjectionDropout, 0, MaximumProbability),
            HiddenDropout = fields.Number("hidden_dropout", d.HiddenDropout, 0, MaximumProbability),
            ActivationDropout = fields.Number("activation_dropout", d.ActivationDropout, 0, MaximumProbability),
            AttentionDropout = fields.Number("attention_dropout", d.AttentionDropout, 0, MaximumProbability),
            FinalDropout = fields.Number("final_dropout", d.FinalDropout, 0, MaximumProbability),
            LayerDrop = fields.Number("layerdrop", d.LayerDrop, 0, 1),
            SpecAugment = fields.Flag("apply_spec_augment", d.SpecAugment),
            TimeMaskProbability = fields.Number("mask_time_prob", d.TimeMaskProbability, 0, 1),
            TimeMaskLength = fields.Integer("mask_time_length", d.TimeMaskLength, 1, 1_000_000),
            TimeMaskMinimum = fields.Integer("mask_time_min_masks", d.TimeMaskMinimum, 0, 1_000_000),
            FeatureMaskProbability = fields.Number("mask_feature_prob", d.FeatureMaskProbability, 0, 1),
            FeatureMaskLength = fields.Integer("mask_feature_length", d.FeatureMaskLength, 1, 1_000_000),
            FeatureMaskMinimum = fields.Integer("mask_feature_min_masks", d.FeatureMaskMinimum, 0, 1_000_000),
            CtcReduction = fields.Text("ctc_loss_reduction", "sum") switch
            {
                "sum" => Reduction.Sum,
                "mean" => Reduction.Mean,
                { } other => throw fields.Bad("ctc_loss_reduction", $"is '{other}'; expected sum or mean"),
            },
            CtcZeroInfinity = fields.Flag("ctc_zero_infinity", d.CtcZeroInfinity),
            PaddingId = fields.Integer("pad_token_id", d.PaddingId, 0, vocabulary - 1),
            StartToken = fields.Token("bos_token_id"),
            EndToken = fields.Token("eos_token_id"),
            ClassifierProjection = fields.Integer("classifier_proj_size", d.ClassifierProjection, 0, MaximumWidth),
            Targets = ReadTargets(),
            BiMamba2 = student is { } mixer ? BiMamba2Config.Read(mixer, width) : null,
        };
        Check(config);
        return config;
    }

    /// <summary>Parts of some published models that the fields here would silently leave out.</summary>
    private void RefuseUnsupported()
    {
        if (fields.Flag("add_adapter", false))
        {
            throw fields.Bad("add_adapter", "is true; convolutional adapters behind the encoder are not supported");
        }

        if (fields.Has("adapter_attn_dim"))
        {
            throw fields.Bad("adapter_attn_dim", $"is {fields.Raw("adapter_attn_dim")}; models with attention adapters for languages are not supported");
        }

        if (fields.Flag("use_weighted_layer_sum", false))
        {
            throw fields.Bad("use_weighted_layer_sum", "is true; classifiers on a weighted sum of layers are not supported");
        }
    }

    private void Check(Wav2Vec2Config config)
    {
        int convolutions = config.ConvolutionChannels.Count;
        if (config.ConvolutionKernels.Count != convolutions || config.ConvolutionStrides.Count != convolutions)
        {
            throw fields.Bad("conv_dim", $"has {convolutions} entries, conv_kernel {config.ConvolutionKernels.Count}, conv_stride {config.ConvolutionStrides.Count}; each convolution needs one of each");
        }

        if (fields.Integer("num_feat_extract_layers", convolutions, 1, int.MaxValue) != convolutions)
        {
            throw fields.Bad("num_feat_extract_layers", $"is {fields.Raw("num_feat_extract_layers")}, but conv_dim has {convolutions} entries");
        }

        // Frames of convolutions that stride over samples without reading them would be of no use, and their receptive field must stay a number.
        if (config.ConvolutionStrides.Aggregate(1L, (product, stride) => Math.Min(product * stride, int.MaxValue)) > 1_000_000)
        {
            throw fields.Bad("conv_stride", "multiplies to more than 1,000,000 samples a frame");
        }

        if (config.HiddenSize % config.Heads != 0)
        {
            throw fields.Bad("hidden_size", $"{config.HiddenSize} does not divide by num_attention_heads {config.Heads}");
        }

        if (config.HiddenSize % config.PositionGroups != 0)
        {
            throw fields.Bad("hidden_size", $"{config.HiddenSize} does not divide by num_conv_pos_embedding_groups {config.PositionGroups}");
        }
    }

    private IReadOnlyList<ClassificationTarget> ReadTargets()
    {
        if (fields.Raw(TargetsField) is { } node)
        {
            ClassificationTarget[] targets = node is JsonArray list ? [.. list.Select(Target).OfType<ClassificationTarget>()] : [];
            return targets.Length > 0 && targets.Length == ((JsonArray)node).Count
                ? targets
                : throw fields.Bad(TargetsField, $"is {node.ToJsonString()}; expected a list of objects with a name and a list of labels");
        }

        string[] labels = fields.Labels();
        if (labels.Length == 0 && IsClassifier())
        {
            labels = ConfigFields.Numbered(2); // transformers leaves its default of two classes out
        }

        return labels.Length == 0 ? [] : [new ClassificationTarget(ClassificationTarget.Unnamed, labels)];
    }

    private bool IsClassifier() => fields.Raw("architectures") is JsonArray { Count: > 0 } names && names[0]?.ToString() == Wav2Vec2ForSequenceClassification.ArchitectureName;

    private static ClassificationTarget? Target(JsonNode? node)
    {
        if (node is not JsonObject target || Text(target["name"]) is not { } name || target["labels"] is not JsonArray list)
        {
            return null;
        }

        string[] labels = [.. list.Select(Text).OfType<string>()];
        return labels.Length > 0 && labels.Length == list.Count ? new ClassificationTarget(name, labels) : null;
    }

    private static string? Text(JsonNode? node) => node?.GetValueKind() == JsonValueKind.String ? node.GetValue<string>() : null;
}
