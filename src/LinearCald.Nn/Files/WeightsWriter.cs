using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace LinearCald.Nn.Files;

/// <summary>
/// Writes a model's weights into a folder as HuggingFace libraries expect them: <c>model.safetensors</c>, or shards
/// <c>model-00001-of-00003.safetensors</c> with an index when a limit asks for several files.
/// </summary>
public static class WeightsWriter
{
    /// <summary>The shard size that HuggingFace libraries use by default, in bytes of tensors.</summary>
    public const long DefaultMaxShardBytes = 5_000_000_000;

    /// <summary>
    /// Writes the weights. Files of an earlier model in the folder that are not part of this one are removed last; to replace a whole folder
    /// in one step write into the folder that <see cref="AtomicDirectory"/> gives.
    /// </summary>
    /// <param name="folder">Where to; created when missing.</param>
    /// <param name="tensors">In any order; names unique.</param>
    /// <param name="maxShardBytes">No file holds more bytes of tensors than this, unless one tensor alone does.</param>
    /// <param name="metadata">For each file's header; <see cref="SafetensorsWriter.PyTorchMetadata"/> when null.</param>
    /// <returns>The names of the files written, the index last.</returns>
    public static IReadOnlyList<string> Write(
        string folder,
        IReadOnlyCollection<TensorPayload> tensors,
        long maxShardBytes = DefaultMaxShardBytes,
        IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxShardBytes);
        List<List<TensorPayload>> shards = Cut(tensors, maxShardBytes);
        List<string> files = [];
        if (shards.Count <= 1)
        {
            SafetensorsWriter.Write(Path.Combine(folder, ModelFolder.WeightsName), tensors, metadata);
            files.Add(ModelFolder.WeightsName);
        }
        else
        {
            for (int i = 0; i < shards.Count; i++)
            {
                files.Add(string.Create(CultureInfo.InvariantCulture, $"model-{i + 1:D5}-of-{shards.Count:D5}.safetensors"));
                SafetensorsWriter.Write(Path.Combine(folder, files[i]), shards[i], metadata);
            }

            byte[] index = Index(shards, files);
            AtomicFile.Write(Path.Combine(folder, WeightsIndex.FileName), index.Length, stream => stream.Write(index));
            files.Add(WeightsIndex.FileName);
        }

        RemoveOthers(folder, files);
        return files;
    }

    private static List<List<TensorPayload>> Cut(IReadOnlyCollection<TensorPayload> tensors, long maxShardBytes)
    {
        List<List<TensorPayload>> shards = [];
        long used = 0;
        foreach (TensorPayload tensor in tensors.OrderBy(t => t.Name, StringComparer.Ordinal))
        {
            if (shards.Count == 0 || (used > 0 && used + tensor.ByteLength > maxShardBytes))
            {
                shards.Add([]);
                used = 0;
            }

            shards[^1].Add(tensor);
            used += tensor.ByteLength;
        }

        return shards;
    }

    private static byte[] Index(List<List<TensorPayload>> shards, List<string> files)
    {
        using MemoryStream stream = new();
        JsonWriterOptions options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, Indented = true, NewLine = "\n" };
        using (Utf8JsonWriter json = new(stream, options))
        {
            json.WriteStartObject();
            json.WriteStartObject("metadata");
            json.WriteNumber("total_parameters", shards.Sum(s => s.Sum(t => t.ElementCount)));
            json.WriteNumber("total_size", shards.Sum(s => s.Sum(t => t.ByteLength)));
            json.WriteEndObject();
            json.WriteStartObject("weight_map");
            for (int i = 0; i < shards.Count; i++)
            {
                foreach (TensorPayload tensor in shards[i])
                    json.WriteString(tensor.Name, files[i]);
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        stream.WriteByte((byte)'\n');
        return stream.ToArray();
    }

    private static void RemoveOthers(string folder, List<string> written)
    {
        IEnumerable<string> shards = Directory.EnumerateFiles(folder, "model-*-of-*.safetensors").Select(p => Path.GetFileName(p));
        string[] all = [.. shards, ModelFolder.WeightsName, WeightsIndex.FileName];
        foreach (string name in all.Except(written, StringComparer.Ordinal))
            File.Delete(Path.Combine(folder, name));
    }
}
