using System.Runtime.InteropServices;
using System.Text.Json;

namespace LinearCald.Tensors.Tests.Cpu;

/// <summary>
/// One folder of golden values under tests/fixtures/seed0: inputs.safetensors and expected.safetensors together. A file is an 8-byte
/// little-endian length, that many bytes of JSON (name → dtype, shape, data_offsets), and the data.
/// </summary>
internal sealed class GoldenOps
{
    private readonly Dictionary<string, (string Type, byte[] Data)> _tensors = [];

    /// <param name="name">The folder, such as <c>ops</c>.</param>
    public static GoldenOps Load(string name)
    {
        string? root = AppContext.BaseDirectory;
        while (root is not null && !File.Exists(Path.Combine(root, "LinearCald.sln")))
        {
            root = Path.GetDirectoryName(root);
        }

        GoldenOps golden = new();
        foreach (string file in (string[])["inputs", "expected"])
        {
            golden.Add(File.ReadAllBytes(Path.Combine(root!, "tests", "fixtures", "seed0", name, file + ".safetensors")));
        }

        return golden;
    }

    public float[] Float(string name) => MemoryMarshal.Cast<byte, float>(Data(name, "F32")).ToArray();

    public double[] Double(string name) => Array.ConvertAll(Float(name), v => (double)v);

    public long[] Long(string name) => MemoryMarshal.Cast<byte, long>(Data(name, "I64")).ToArray();

    private byte[] Data(string name, string type)
    {
        (string Type, byte[] Data) tensor = _tensors[name];
        Assert.Equal(type, tensor.Type);
        return tensor.Data;
    }

    private void Add(byte[] file)
    {
        int header = checked((int)BitConverter.ToInt64(file));
        using JsonDocument json = JsonDocument.Parse(file.AsMemory(8, header));
        foreach (JsonProperty tensor in json.RootElement.EnumerateObject().Where(p => p.Name != "__metadata__"))
        {
            JsonElement offsets = tensor.Value.GetProperty("data_offsets");
            Range range = (8 + header + offsets[0].GetInt32())..(8 + header + offsets[1].GetInt32());
            _tensors.Add(tensor.Name, (tensor.Value.GetProperty("dtype").GetString()!, file[range]));
        }
    }
}
