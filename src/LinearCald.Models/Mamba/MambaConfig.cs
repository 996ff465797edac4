using System.Text.Json.Nodes;

namespace LinearCald.Models.Mamba;

/// <summary>How the weight of dt_proj starts.</summary>
public enum TimeStepStart
{
    /// <summary>Uniform in ± scale / √rank.</summary>
    Random,

    /// <summary>scale / √rank everywhere.</summary>
    Constant,
}

/// <summary>A Mamba mixer (Gu and Dao 2023), with the field names of HuggingFace's MambaConfig.</summary>
/// <param name="InnerSize">Channels of convolution and scan (<c>intermediate_size</c>).</param>
/// <param name="TimeStepRank">Rank of the map that makes Δ (<c>time_step_rank</c>).</param>
public sealed record MambaConfig(int InnerSize, int TimeStepRank)
{
    private const int MaximumKernel = 8;

    /// <summary>
    /// The reference's mixer at every width: it takes the config of the published Mamba-2.8B and overrides the hidden size, but neither inner size nor rank.
    /// </summary>
    public static MambaConfig Reference { get; } = new(5120, 160);

    /// <summary>States a channel (<c>state_size</c>).</summary>
    public int StateSize { get; init; } = 16;

    /// <summary>Taps of the causal convolution (<c>conv_kernel</c>).</summary>
    public int ConvKernel { get; init; } = 4;

    /// <summary>The smallest Δ that the time steps' bias starts at.</summary>
    public double TimeStepMin { get; init; } = 0.001;

    /// <summary>The largest.</summary>
    public double TimeStepMax { get; init; } = 0.1;

    /// <summary>What a drawn Δ is raised to.</summary>
    public double TimeStepFloor { get; init; } = 1e-4;

    /// <summary>Factor on the start of dt_proj's weight.</summary>
    public double TimeStepScale { get; init; } = 1;

    public TimeStepStart TimeStepStart { get; init; } = TimeStepStart.Random;

    /// <summary>Whether in_proj and out_proj have a bias.</summary>
    public bool UseBias { get; init; }

    /// <summary>Whether the convolution has one.</summary>
    public bool UseConvBias { get; init; } = true;

    /// <summary>The sizes of the paper: inner size expand · d and rank ⌈d / 16⌉.</summary>
    /// <param name="width">Width d of the hidden states.</param>
    /// <param name="expand">Inner size over d.</param>
    public static MambaConfig For(int width, int expand = 2)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(expand);
        return new MambaConfig(checked(expand * width), (width + 15) / 16);
    }

    /// <param name="fields">Where the fields stand.</param>
    /// <param name="width">Gives sizes that the config leaves out ("auto" or missing) as HuggingFace does; null where they must be there.</param>
    internal static MambaConfig Read(ConfigFields fields, int? width)
    {
        int? inner = width is { } d ? checked(fields.Integer("expand", 2, 1, 64) * d) : null;
        int? rank = width is { } w ? (w + 15) / 16 : null;
        bool automatic = width is not null && fields.Raw("time_step_rank")?.ToString() == "auto";
        MambaConfig config = new(
            fields.Integer("intermediate_size", inner, 1, 1_000_000),
            automatic ? rank!.Value : fields.Integer("time_step_rank", rank, 1, 1_000_000))
        {
            StateSize = fields.Integer("state_size", 16, 1, 1024),
            ConvKernel = fields.Integer("conv_kernel", 4, 2, MaximumKernel),
            TimeStepMin = fields.Number("time_step_min", 0.001, 1e-12, 1e6),
            TimeStepMax = fields.Number("time_step_max", 0.1, 1e-12, 1e6),
            TimeStepFloor = fields.Number("time_step_floor", 1e-4, 0, 1e6),
            TimeStepScale = fields.Number("time_step_scale", 1, 0, 1e6),
            TimeStepStart = fields.Text("time_step_init_scheme", "random") switch
            {
                "random" => TimeStepStart.Random,
                "constant" => TimeStepStart.Constant,
                { } other => throw fields.Bad("time_step_init_scheme", $"is '{other}'; expected random or constant"),
            },
            UseBias = fields.Flag("use_bias", false),
            UseConvBias = fields.Flag("use_conv_bias", true),
        };
        RequireSilu(fields);
        return config;
    }

    /// <summary>Gates and convolutions of Mamba are fused with SiLU.</summary>
    internal static void RequireSilu(ConfigFields fields)
    {
        string activation = fields.Text("hidden_act", "silu");
        if (activation is not ("silu" or "swish"))
        {
            throw fields.Bad("hidden_act", $"is '{activation}'; a Mamba mixer supports only silu");
        }
    }

    /// <summary>The fields of the mixer.</summary>
    internal JsonObject ToJson() => new()
    {
        ["conv_kernel"] = ConvKernel,
        ["hidden_act"] = "silu",
        ["intermediate_size"] = InnerSize,
        ["state_size"] = StateSize,
        ["time_step_floor"] = TimeStepFloor,
        ["time_step_init_scheme"] = TimeStepStart == TimeStepStart.Random ? "random" : "constant",
        ["time_step_max"] = TimeStepMax,
        ["time_step_min"] = TimeStepMin,
        ["time_step_rank"] = TimeStepRank,
        ["time_step_scale"] = TimeStepScale,
        ["use_bias"] = UseBias,
        ["use_conv_bias"] = UseConvBias,
    };
}
