using System.Text.Json;

namespace LinearCald.Nn.Files;

/// <summary>
/// The <c>model.safetensors.index.json</c> of weights in several files: which tensor is in which shard. Shards are plain names of
/// <c>.safetensors</c> files in the same folder; anything that could lead elsewhere is refused.
/// </summary>
internal static class WeightsIndex
{
    /// <summary>The index's file name.</summary>
    public const string FileName = "model.safetensors.index.json";

    /// <summary>Reads the map from tensor name to shard file name.</summary>
    /// <param name="json">The index.</param>
    /// <param name="file">Its name, for messages.</param>
    /// <exception cref="CaldException">Not an index, or one that names something other than files beside it.</exception>
    public static Dictionary<string, string> Parse(ReadOnlyMemory<byte> json, string file)
    {
        JsonElement root = JsonDocumentFile.ParseObject(json, file);
        if (!root.TryGetProperty("weight_map", out JsonElement map) || map.ValueKind != JsonValueKind.Object)
            throw new CaldException($"{file}: there is no object \"weight_map\" in it, so it says nothing about the shards: download it again.");

        Dictionary<string, string> shards = [];
        Dictionary<string, string> names = []; // one string a shard, not one a tensor
        try
        {
            foreach (JsonProperty property in map.EnumerateObject())
            {
                string tensor = property.Name;
                if (property.Value.ValueKind != JsonValueKind.String)
                    throw new CaldException($"{file}: tensor {Quoted.Of(tensor)} is mapped to a JSON {property.Value.ValueKind}, expected the name of a shard.");
                string shard = property.Value.GetString()!;
                if (!names.TryGetValue(shard, out string? known))
                {
                    CheckName(shard, tensor, file);
                    names.Add(shard, known = shard);
                }

                shards.Add(tensor, known); // the parser has refused repeated keys
            }
        }
        catch (InvalidOperationException e)
        {
            throw new CaldException($"{file}: it has a string with an invalid \\u escape: download it again.", e);
        }

        return shards;
    }

    private static void CheckName(string shard, string tensor, string file)
    {
        bool plain = shard.Length is > 0 and <= 255 && shard[0] != '.' && !shard.AsSpan().ContainsAny("/\\:\0");
        if (!plain || !shard.EndsWith(".safetensors", StringComparison.Ordinal))
        {
            string advice = ForeignFormat.IsPickleName(shard) ? ForeignFormat.PickleAdvice : "Do not use an index from a source that you do not trust.";
            throw new CaldException(
                $"{file}: tensor {Quoted.Of(tensor)} is mapped to {Quoted.Of(shard)}; a shard is the plain name of a .safetensors file in the same folder. {advice}");
        }
    }
}
