using System.Text.Json;
using System.Text.Json.Nodes;

namespace LinearCald.Models.Mamba;

/// <summary>A Mamba-2 mixer (Dao and Gu 2024), with the field names of HuggingFace's Mamba2Config.</summary>
/// <param name="Heads">Heads H of the scan (<c>num_heads</c>).</param>
/// <param name="HeadSize">Channels P a head (<c>head_dim</c>).</param>
public sealed record Mamba2Config(int Heads, int HeadSize)
{
    private const int MaximumKernel = 8;

    /// <summary>Channels of the scan.</summary>
    public int InnerSize => checked(Heads * HeadSize);

    /// <summary>States N a channel (<c>state_size</c>).</summary>
    public int StateSize { get; init; } = 128;

    /// <summary>Groups G of heads that share B and C (<c>n_groups</c>).</summary>
    public int Groups { get; init; } = 1;

    /// <summary>Taps of the causal convolution (<c>conv_kernel</c>).</summary>
    public int ConvKernel { get; init; } = 4;

    /// <summary>Length of the chunks that the scan works in (<c>chunk_size</c>); of no influence on the result but rounding.</summary>
    public int Chunk { get; init; } = 256;

    /// <summary>The smallest Δ that the time steps' bias starts at.</summary>
    public double TimeStepMin { get; init; } = 0.001;

    /// <summary>The largest.</summary>
    public double TimeStepMax { get; init; } = 0.1;

    /// <summary>What a drawn Δ is raised to.</summary>
    public double TimeStepFloor { get; init; } = 1e-4;

    /// <summary>
    /// The range from which the decay rates −A start uniformly (<c>A_init_range</c> of the published implementation); null for 1, 2, … H, as HuggingFace has it.
    /// </summary>
    public (double Low, double High)? DecayStart { get; init; }

    /// <summary>What Δ is clamped to in every pass: the lower bound (<c>time_step_limit</c>).</summary>
    public double TimeStepLow { get; init; }

    /// <summary>The upper bound.</summary>
    public double TimeStepHigh { get; init; } = double.PositiveInfinity;

    /// <summary>Whether in_proj and out_proj have a bias.</summary>
    public bool UseBias { get; init; }

    /// <summary>Whether the convolution has one.</summary>
    public bool UseConvBias { get; init; } = true;

    /// <summary>Channels of the convolution: x, B and C.</summary>
    public int ConvolutionSize => checked(InnerSize + (2 * Groups * StateSize));

    /// <summary>The sizes of the paper: expand · d channels in heads of <paramref name="headSize"/>.</summary>
    public static Mamba2Config For(int width, int expand = 2, int headSize = 64)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(expand);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(headSize);
        int inner = checked(expand * width);
        return inner % headSize == 0
            ? new Mamba2Config(inner / headSize, headSize)
            : throw new CaldException($"a Mamba-2 mixer of {inner} channels does not divide into heads of {headSize}; choose another head size");
    }

    /// <param name="fields">Where the fields stand.</param>
    /// <param name="width">Width d of the hidden states.</param>
    /// <param name="expand">Inner size over d where the config does not say it.</param>
    internal static Mamba2Config Read(ConfigFields fields, int width, int expand = 2)
    {
        (double low, double high) = Limits(fields);
        Mamba2Config config = new(fields.Integer("num_heads", 128, 1, 65_536), fields.Integer("head_dim", 64, 1, 4096))
        {
            StateSize = fields.Integer("state_size", 128, 1, 4096),
            Groups = fields.Integer("n_groups", 8, 1, 65_536),
            ConvKernel = fields.Integer("conv_kernel", 4, 2, MaximumKernel),
            Chunk = fields.Integer("chunk_size", 256, 1, 1 << 20),
            TimeStepMin = fields.Number("time_step_min", 0.001, 1e-12, 1e6),
            TimeStepMax = fields.Number("time_step_max", 0.1, 1e-12, 1e6),
            TimeStepFloor = fields.Number("time_step_floor", 1e-4, 0, 1e6),
            DecayStart = Decay(fields),
            TimeStepLow = low,
            TimeStepHigh = high,
            UseBias = fields.Flag("use_bias", false),
            UseConvBias = fields.Flag("use_conv_bias", true),
        };
        MambaConfig.RequireSilu(fields);
        long inner = (long)fields.Integer("expand", expand, 1, 64) * width;
        if (inner != (long)config.Heads * config.HeadSize)
        {
            throw fields.Bad("num_heads", $"{config.Heads} times head_dim {config.HeadSize} is not expand times hidden_size, {inner}");
        }

        return config.Heads % config.Groups == 0
            ? config
            : throw fields.Bad("num_heads", $"{config.Heads} does not divide by n_groups {config.Groups}");
    }

    /// <summary>The fields of the mixer.</summary>
    internal JsonObject ToJson()
    {
        JsonObject json = Sizes();
        if (DecayStart is { } range)
        {
            json["A_init_range"] = new JsonArray(range.Low, range.High);
        }

        return json;
    }

    private JsonObject Sizes() => new()
    {
        ["chunk_size"] = Chunk,
        ["conv_kernel"] = ConvKernel,
        ["head_dim"] = HeadSize,
        ["hidden_act"] = "silu",
        ["n_groups"] = Groups,
        ["num_heads"] = Heads,
        ["state_size"] = StateSize,
        ["time_step_floor"] = TimeStepFloor,
        ["time_step_limit"] = new JsonArray(ToNode(TimeStepLow), ToNode(TimeStepHigh)),
        ["time_step_max"] = TimeStepMax,
        ["time_step_min"] = TimeStepMin,
        ["use_bias"] = UseBias,
        ["use_conv_bias"] = UseConvBias,
    };

    private static (double Low, double High) Limits(ConfigFields fields) => Pair(fields, "time_step_limit") ?? (0, double.PositiveInfinity);

    private static (double Low, double High)? Decay(ConfigFields fields) => Pair(fields, "A_init_range") switch
    {
        { Low: <= 0 } or { High: double.PositiveInfinity } => throw fields.Bad("A_init_range", "must be finite and above 0: it is the range of the decay rates' start"),
        { } range => range,
        null => null,
    };

    private static (double Low, double High)? Pair(ConfigFields fields, string field) => fields.Raw(field) switch
    {
        null => null,
        JsonArray { Count: 2 } pair when Limit(pair[0]) is { } low && Limit(pair[1]) is { } high && low >= 0 && low <= high => (low, high),
        { } node => throw fields.Bad(field, $"is {node.ToJsonString()}; expected two numbers, the lower and the upper bound"),
    };

    /// <summary>transformers writes what JSON has no number for as {"__float__": "Infinity"}.</summary>
    private static double? Limit(JsonNode? node) => node switch
    {
        JsonObject { Count: 1 } wrapped when wrapped["__float__"]?.ToString() == "Infinity" => double.PositiveInfinity,
        JsonValue value when value.GetValueKind() == JsonValueKind.Number => value.GetValue<double>(),
        _ => null,
    };

    private static JsonNode ToNode(double value) => double.IsPositiveInfinity(value) ? new JsonObject { ["__float__"] = "Infinity" } : JsonValue.Create(value);
}
