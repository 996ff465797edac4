using System.Text.Json;
using System.Text.Json.Nodes;

namespace LinearCald.Models.Linformer;

/// <summary>Which projections are one tensor (Wang et al. 2020, section 4, "parameter sharing"; the heads of a layer always share).</summary>
public enum ProjectionSharing
{
    /// <summary>Each layer has a projection for keys, <c>proj_k</c>, and one for values, <c>proj_v</c>.</summary>
    None,

    /// <summary>Each layer has one, <c>proj_k</c>, for keys and values.</summary>
    Kv,

    /// <summary>One, <c>encoder.proj</c>, serves keys and values of all layers.</summary>
    Layer,
}

/// <summary>How projections start.</summary>
public enum ProjectionStart
{
    /// <summary>N(0, 1), as the reference.</summary>
    Normal,

    /// <summary>Each slot averages a run of neighbouring positions, with a little noise. Not in the paper.</summary>
    Pool,
}

/// <summary>The Linformer mixer of a student.</summary>
/// <param name="Rank">Slots k that keys and values are projected to.</param>
/// <param name="Sharing">Which projections are one tensor.</param>
/// <param name="Positions">Rows of a projection: the longest text it can take.</param>
public sealed record LinformerConfig(int Rank, ProjectionSharing Sharing, int Positions)
{
    /// <summary>How new projections start; of no meaning once weights are loaded.</summary>
    public ProjectionStart Start { get; init; } = ProjectionStart.Normal;

    /// <summary>Standard deviation of the noise on a pooled start, relative to its entries.</summary>
    public double Noise { get; init; } = 0.02;

    /// <summary>The length of text that a pooled start spreads its slots over; 0: all positions.</summary>
    public int StartLength { get; init; }

    internal static LinformerConfig FromJson(JsonObject json, string path)
    {
        int rank = Integer(json, "rank", path);
        int positions = Integer(json, "positions", path);
        string sharing = json["share_mode"] is { } node && node.GetValueKind() == JsonValueKind.String ? node.GetValue<string>() : "";
        return sharing switch
        {
            "none" => new LinformerConfig(rank, ProjectionSharing.None, positions),
            "kv" => new LinformerConfig(rank, ProjectionSharing.Kv, positions),
            "layer" => new LinformerConfig(rank, ProjectionSharing.Layer, positions),
            _ => throw new CaldException($"{path}: linformer.share_mode is '{sharing}'; expected none, kv or layer"),
        };
    }

    internal JsonObject ToJson() => new()
    {
        ["rank"] = Rank,
        ["share_mode"] = Sharing switch { ProjectionSharing.None => "none", ProjectionSharing.Kv => "kv", _ => "layer" },
        ["positions"] = Positions,
    };

    private static int Integer(JsonObject json, string field, string path) =>
        json[field] is { } node && node.GetValueKind() == JsonValueKind.Number && node.AsValue().TryGetValue(out int value) && value is > 0 and <= 100_000_000
            ? value
            : throw new CaldException($"{path}: linformer.{field} is {json[field]?.ToJsonString() ?? "missing"}; expected a whole number above 0");
}
