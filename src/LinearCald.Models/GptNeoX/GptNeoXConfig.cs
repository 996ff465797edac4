using System.Text.Json.Nodes;
using LinearCald.Models.Language;
using LinearCald.Models.Mamba;
using LinearCald.Tensors.Ops;

namespace LinearCald.Models.GptNeoX;

/// <summary>
/// What <c>config.json</c> says of a GPT-NeoX (Black et al. 2022; Pythia: Biderman et al. 2023), as transformers 5 and the older versions of published
/// checkpoints write it, or of a student made from one: the same, with a section <c>mamba</c>.
/// </summary>
public sealed record GptNeoXConfig : LanguageModelConfig
{
    public const string ModelType = "gpt_neox";

    /// <summary>
    /// <c>model_type</c> of a converted student: not the transformer's, because HuggingFace's libraries would read that and give the student an attention with random weights.
    /// </summary>
    public const string StudentModelType = "cald_gpt_neox_mamba";

    public required int Heads { get; init; }

    /// <summary>Width of the feed-forward block.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>The longest text of a transformer; of no meaning for a student.</summary>
    public required int MaximumPositions { get; init; }

    /// <summary>Share of each head's features that is rotated.</summary>
    public double RotaryFraction { get; init; } = 0.25;

    /// <summary>Base of the rotary frequencies.</summary>
    public double RotaryTheta { get; init; } = 10000;

    /// <summary>Whether mixer and feed-forward block read the same input (x + a + m) or the second the result of the first.</summary>
    public bool ParallelResidual { get; init; } = true;

    /// <summary>Whether the attention's linear maps have a bias.</summary>
    public bool AttentionBias { get; init; } = true;

    public double LayerNormEpsilon { get; init; } = 1e-5;

    public Activation Activation { get; init; } = Activation.GeluErf;

    public double HiddenDropout { get; init; }

    public double AttentionDropout { get; init; }

    /// <summary>The mixer of a student; null for a transformer.</summary>
    public MambaConfig? Mamba { get; init; }

    /// <inheritdoc/>
    public override string Architecture => "GPTNeoXForCausalLM";

    /// <summary>Features of a head that are rotated: the share, raised to an even number.</summary>
    public int RotaryDimensions => RotaryShare + (RotaryShare % 2);

    /// <summary>
    /// The base whose frequencies base^(−2i / <see cref="RotaryDimensions"/>) are the model's, θ^(−2i / share): θ itself when the share is even. transformers
    /// divides by the share as it is, odd or not.
    /// </summary>
    public double RotaryBase => RotaryShare % 2 == 0 ? RotaryTheta : Math.Pow(RotaryTheta, (double)RotaryDimensions / RotaryShare);

    private int RotaryShare => (int)(HiddenSize / Heads * RotaryFraction);

    /// <summary>Reads the <c>config.json</c> of a model folder.</summary>
    /// <exception cref="CaldException">No such file, not JSON, another model type, or a field is missing, out of range or not supported.</exception>
    public static GptNeoXConfig Read(string folder) => Read(ConfigFields.Of(folder));

    internal static GptNeoXConfig Read(ConfigFields fields)
    {
        ConfigFields? mamba = fields.StudentSection(ModelType, StudentModelType, "mamba");
        GptNeoXRotary rotary = GptNeoXRotary.Read(fields);
        GptNeoXConfig config = new()
        {
            VocabularySize = fields.Integer("vocab_size", null, 1, MaximumVocabulary),
            HiddenSize = fields.Integer("hidden_size", null, 1, MaximumWidth),
            Layers = fields.Integer("num_hidden_layers", null, 1, MaximumLayers),
            Heads = fields.Integer("num_attention_heads", null, 1, 4096),
            IntermediateSize = fields.Integer("intermediate_size", null, 1, 10 * MaximumWidth),
            MaximumPositions = fields.Integer("max_position_embeddings", 2048, 1, 100_000_000),
            RotaryFraction = rotary.Fraction,
            RotaryTheta = rotary.Theta,
            ParallelResidual = fields.Flag("use_parallel_residual", true),
            AttentionBias = fields.Flag("attention_bias", true),
            TieWordEmbeddings = fields.Flag("tie_word_embeddings", false),
            LayerNormEpsilon = fields.Number("layer_norm_eps", 1e-5, 0, 1),
            InitialiserRange = fields.Number("initializer_range", 0.02, 0, 100),
            Activation = fields.Activation("hidden_act", "gelu"),
            HiddenDropout = fields.Number("hidden_dropout", 0, 0, 0.999999),
            AttentionDropout = fields.Number("attention_dropout", 0, 0, 0.999999),
            StartToken = fields.Token("bos_token_id"),
            EndToken = fields.Token("eos_token_id"),
            Mamba = mamba is null ? null : MambaConfig.Read(mamba, null),
        };
        if (config.HiddenSize % config.Heads != 0)
        {
            throw fields.Bad("hidden_size", $"{config.HiddenSize} does not divide by num_attention_heads {config.Heads}");
        }

        return config.RotaryDimensions <= config.HiddenSize / config.Heads
            ? config
            : throw fields.Bad("partial_rotary_factor (rotary_pct)", $"of {config.RotaryFraction} rotates {config.RotaryDimensions} features, but a head has only {config.HiddenSize / config.Heads}");
    }

    private protected override void Write(JsonObject json)
    {
        json["attention_bias"] = AttentionBias;
        json["attention_dropout"] = AttentionDropout;
        json["hidden_act"] = ConfigFields.NameOf(Activation);
        json["hidden_dropout"] = HiddenDropout;
        json["intermediate_size"] = IntermediateSize;
        json["layer_norm_eps"] = LayerNormEpsilon;
        json["max_position_embeddings"] = MaximumPositions;
        json["model_type"] = Mamba is null ? ModelType : StudentModelType;
        json["num_attention_heads"] = Heads;
        new GptNeoXRotary(RotaryFraction, RotaryTheta).Write(json);
        json["use_parallel_residual"] = ParallelResidual;
        if (Mamba is { } mamba)
        {
            json["mamba"] = mamba.ToJson();
        }
    }
}
