using System.Text.Json.Nodes;
using LinearCald.Models.Mamba;

namespace LinearCald.Models.Wav2Vec2;

/// <summary>The mixer of a student: two Mamba-2, one a direction, in every layer. It is the section <c>bimamba2</c> of <c>config.json</c>.</summary>
/// <param name="Mixer">Sizes and starts of each.</param>
public sealed record BiMamba2Config(Mamba2Config Mixer)
{
    /// <summary>The section's name.</summary>
    internal const string Section = "bimamba2";

    /// <summary>Whether the mixer adds its input to what the two directions give. The published runs do so only without guidance.</summary>
    public bool ResidualInside { get; init; }

    /// <summary>ε of the gated norms.</summary>
    public double NormEpsilon { get; init; } = 1e-5;

    /// <summary>The published student: as many channels as the hidden states, heads of 64, 128 states, one group.</summary>
    /// <param name="width">Width d of the hidden states.</param>
    /// <param name="headSize">Channels a head, a divisor of d; null for 64, or what comes next below it where 64 does not divide d.</param>
    /// <param name="stateSize">States N a channel.</param>
    /// <exception cref="CaldException">The head size does not divide the width.</exception>
    public static BiMamba2Config For(int width, int? headSize = null, int stateSize = 128) =>
        new(Mamba2Config.For(width, expand: 1, headSize ?? DefaultHeadSize(width)) with { StateSize = stateSize, DecayStart = (1, 16) });

    internal static BiMamba2Config Read(ConfigFields fields, int width) => new(Mamba2Config.Read(fields, width, expand: 1))
    {
        ResidualInside = fields.Flag("residual_inside", false),
        NormEpsilon = fields.Number("layer_norm_epsilon", 1e-5, 0, 1),
    };

    internal JsonObject ToJson(int width)
    {
        JsonObject json = Mixer.ToJson();
        json["expand"] = Mixer.InnerSize / width;
        json["layer_norm_epsilon"] = NormEpsilon;
        json["residual_inside"] = ResidualInside;
        return json;
    }

    /// <summary>The largest divisor up to 64; kernels prefer multiples of 16.</summary>
    private static int DefaultHeadSize(int width)
    {
        int[] divisors = [.. Enumerable.Range(1, 64).Where(size => width % size == 0)];
        return divisors.LastOrDefault(size => size % 16 == 0, divisors[^1]);
    }
}
