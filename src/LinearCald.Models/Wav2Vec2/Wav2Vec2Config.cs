using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using LinearCald.Tensors.Ops;

namespace LinearCald.Models.Wav2Vec2;

/// <summary>
/// What <c>config.json</c> says of a Wav2Vec2 (Baevski et al. 2020), as transformers 4 and 5 write it, or of a student made from one: the same, with a section
/// <c>bimamba2</c>. Defaults are HuggingFace's.
/// </summary>
public sealed record Wav2Vec2Config
{
    public const string ModelType = "wav2vec2";

    /// <summary>
    /// <c>model_type</c> of a converted student: not the transformer's, because HuggingFace's libraries would read that and give the student an attention with random weights.
    /// </summary>
    public const string StudentModelType = "cald_wav2vec2_bimamba2";

    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Outputs of the CTC head.</summary>
    public int VocabularySize { get; init; } = 32;

    /// <summary>Width d of the hidden states.</summary>
    public int HiddenSize { get; init; } = 768;

    public int Layers { get; init; } = 12;

    public int Heads { get; init; } = 12;

    /// <summary>Width of the feed-forward block.</summary>
    public int IntermediateSize { get; init; } = 3072;

    public Activation Activation { get; init; } = Activation.GeluErf;

    public double LayerNormEpsilon { get; init; } = 1e-5;

    /// <summary>Standard deviation of the normal start of linear maps.</summary>
    public double InitialiserRange { get; init; } = 0.02;

    /// <summary>Channels of the feature encoder's convolutions, first to last.</summary>
    public IReadOnlyList<int> ConvolutionChannels { get; init; } = [512, 512, 512, 512, 512, 512, 512];

    /// <summary>Their taps.</summary>
    public IReadOnlyList<int> ConvolutionKernels { get; init; } = [10, 3, 3, 3, 3, 2, 2];

    /// <summary>Their strides.</summary>
    public IReadOnlyList<int> ConvolutionStrides { get; init; } = [5, 2, 2, 2, 2, 2, 2];

    /// <summary>Whether they have a bias.</summary>
    public bool ConvolutionBias { get; init; }

    /// <summary>Whether a layer norm over the channels follows each of them (<c>feat_extract_norm</c> layer), or a group norm over time the first one alone (group).</summary>
    public bool LayerNormFeatures { get; init; }

    /// <summary>The activation of the feature encoder and of the positional convolution.</summary>
    public Activation FeatureActivation { get; init; } = Activation.GeluErf;

    /// <summary>Taps of the positional convolution.</summary>
    public int PositionKernel { get; init; } = 128;

    /// <summary>Its groups.</summary>
    public int PositionGroups { get; init; } = 16;

    /// <summary>Whether norms stand before mixer and feed-forward block, with one more at the end (<c>do_stable_layer_norm</c>), or after each.</summary>
    public bool StableLayerNorm { get; init; }

    public double FeatureProjectionDropout { get; init; }

    public double HiddenDropout { get; init; } = 0.1;

    /// <summary>Dropout inside the feed-forward block.</summary>
    public double ActivationDropout { get; init; } = 0.1;

    public double AttentionDropout { get; init; } = 0.1;

    /// <summary>Dropout before the CTC head.</summary>
    public double FinalDropout { get; init; } = 0.1;

    /// <summary>Probability that a layer is left out of a training pass (Fan et al. 2020).</summary>
    public double LayerDrop { get; init; } = 0.1;

    /// <summary>Whether training masks frames and features at all.</summary>
    public bool SpecAugment { get; init; } = true;

    /// <summary>Expected share of frames that a masked span starts at, times its length.</summary>
    public double TimeMaskProbability { get; init; } = 0.05;

    /// <summary>Frames of a masked span.</summary>
    public int TimeMaskLength { get; init; } = 10;

    /// <summary>Spans an utterance at least.</summary>
    public int TimeMaskMinimum { get; init; } = 2;

    /// <summary>The same for features.</summary>
    public double FeatureMaskProbability { get; init; }

    /// <summary>Features of a masked span.</summary>
    public int FeatureMaskLength { get; init; } = 10;

    /// <summary>Spans of features an utterance at least.</summary>
    public int FeatureMaskMinimum { get; init; }

    /// <summary>Whether the loss is the sum over utterances, or the mean of what each has a label.</summary>
    public Reduction CtcReduction { get; init; } = Reduction.Sum;

    /// <summary>Whether utterances whose labels do not fit their frames count as 0.</summary>
    public bool CtcZeroInfinity { get; init; }

    /// <summary>The blank of CTC.</summary>
    public int PaddingId { get; init; }

    public int? StartToken { get; init; }

    public int? EndToken { get; init; }

    /// <summary>Width of the classifier's hidden map; 0 for none, as the reference has it.</summary>
    public int ClassifierProjection { get; init; } = 256;

    /// <summary>What a classifier tells; empty for a recogniser.</summary>
    public IReadOnlyList<ClassificationTarget> Targets { get; init; } = [];

    /// <summary>The mixer of a student; null for a transformer.</summary>
    public BiMamba2Config? BiMamba2 { get; init; }

    /// <summary>What the model expects of its waves; kept in a file of its own.</summary>
    public AudioPreprocessor Preprocessor { get; init; } = new();

    /// <summary>Samples that one frame sees: 400 for the published kernels and strides.</summary>
    public int ReceptiveField => (int)Math.Min(int.MaxValue, SamplesOf(1));

    /// <summary>Samples from one frame to the next: 320.</summary>
    public int Stride => ConvolutionStrides.Aggregate(1, (product, stride) => checked(product * stride));

    /// <summary>Whether the model has an embedding for masked frames, as HuggingFace decides it.</summary>
    public bool HasMaskEmbedding => TimeMaskProbability > 0 || FeatureMaskProbability > 0;

    internal AttentionSizes Attention => new(HiddenSize, Heads, AttentionDropout, InitialiserRange);

    /// <summary>Frames of a wave; 0 when it is shorter than <see cref="ReceptiveField"/>.</summary>
    public int Frames(long samples)
    {
        for (int i = 0; i < ConvolutionKernels.Count; i++)
        {
            samples = samples < ConvolutionKernels[i] ? 0 : ((samples - ConvolutionKernels[i]) / ConvolutionStrides[i]) + 1;
        }

        return checked((int)samples);
    }

    /// <summary>The samples that a number of frames sees.</summary>
    public long SamplesOf(long frames)
    {
        for (int i = ConvolutionKernels.Count - 1; i >= 0; i--)
        {
            frames = checked(((frames - 1) * ConvolutionStrides[i]) + ConvolutionKernels[i]);
        }

        return frames;
    }

    /// <summary>Reads the <c>config.json</c> of a model folder, and its <see cref="AudioPreprocessor"/>.</summary>
    /// <exception cref="CaldException">No such file, not JSON, another model type, or a field is missing, out of range or not supported.</exception>
    public static Wav2Vec2Config Read(string folder)
    {
        Wav2Vec2Config config = new Wav2Vec2ConfigReader(ConfigFields.Of(folder)).Read();
        return config with { Preprocessor = AudioPreprocessor.Read(folder, masked: config.LayerNormFeatures) };
    }

    /// <summary>The config as <c>config.json</c> of a saved model.</summary>
    /// <param name="architecture">HuggingFace's class name, such as <c>Wav2Vec2ForCTC</c>.</param>
    public string ToJson(string architecture)
    {
        JsonObject json = Fields(architecture);
        switch (Targets)
        {
            case []:
                break;
            case [{ Name: ClassificationTarget.Unnamed, Labels: var labels }]:
                ConfigFields.WriteLabels(json, labels);
                break;
            default:
                json[Wav2Vec2ConfigReader.TargetsField] = new JsonArray([.. Targets.Select(target => new JsonObject
                {
                    ["name"] = target.Name,
                    ["labels"] = new JsonArray([.. target.Labels.Select(label => JsonValue.Create(label))]),
                })]);
                if (Targets is [{ Labels: var only }])
                {
                    ConfigFields.WriteLabels(json, only);
                }

                break;
        }

        if (BiMamba2 is { } mixer)
        {
            json[BiMamba2Config.Section] = mixer.ToJson(HiddenSize);
        }

        return json.ToJsonString(s_indented) + "\n";
    }

    private JsonObject Fields(string architecture) => new()
    {
        ["activation_dropout"] = ActivationDropout,
        ["apply_spec_augment"] = SpecAugment,
        ["architectures"] = new JsonArray(architecture),
        ["attention_dropout"] = AttentionDropout,
        ["bos_token_id"] = StartToken,
        ["classifier_proj_size"] = ClassifierProjection,
        ["conv_bias"] = ConvolutionBias,
        ["conv_dim"] = List(ConvolutionChannels),
        ["conv_kernel"] = List(ConvolutionKernels),
        ["conv_stride"] = List(ConvolutionStrides),
        ["ctc_loss_reduction"] = CtcReduction == Reduction.Mean ? "mean" : "sum",
        ["ctc_zero_infinity"] = CtcZeroInfinity,
        ["do_stable_layer_norm"] = StableLayerNorm,
        ["dtype"] = "float32",
        ["eos_token_id"] = EndToken,
        ["feat_extract_activation"] = ConfigFields.NameOf(FeatureActivation),
        ["feat_extract_norm"] = LayerNormFeatures ? "layer" : "group",
        ["feat_proj_dropout"] = FeatureProjectionDropout,
        ["final_dropout"] = FinalDropout,
        ["hidden_act"] = ConfigFields.NameOf(Activation),
        ["hidden_dropout"] = HiddenDropout,
        ["hidden_size"] = HiddenSize,
        ["initializer_range"] = InitialiserRange,
        ["intermediate_size"] = IntermediateSize,
        ["layer_norm_eps"] = LayerNormEpsilon,
        ["layerdrop"] = LayerDrop,
        ["mask_feature_length"] = FeatureMaskLength,
        ["mask_feature_min_masks"] = FeatureMaskMinimum,
        ["mask_feature_prob"] = FeatureMaskProbability,
        ["mask_time_length"] = TimeMaskLength,
        ["mask_time_min_masks"] = TimeMaskMinimum,
        ["mask_time_prob"] = TimeMaskProbability,
        ["model_type"] = BiMamba2 is null ? ModelType : StudentModelType,
        ["num_attention_heads"] = Heads,
        ["num_conv_pos_embedding_groups"] = PositionGroups,
        ["num_conv_pos_embeddings"] = PositionKernel,
        ["num_feat_extract_layers"] = ConvolutionChannels.Count,
        ["num_hidden_layers"] = Layers,
        ["pad_token_id"] = PaddingId,
        ["vocab_size"] = VocabularySize,
    };

    private static JsonArray List(IReadOnlyList<int> values) => new([.. values.Select(value => JsonValue.Create(value))]);
}
