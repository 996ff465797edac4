using System.Text.Json;
using LinearCald.Nn.Files;
using LinearCald.Tensors;
using LinearCald.Tensors.Ops;

namespace LinearCald.Distillation.Verification;

/// <summary>Reads the tensors of one golden case: <c>inputs.safetensors</c> and <c>expected.safetensors</c>.</summary>
internal sealed class Fixture : IDisposable
{
    private readonly SafetensorsFile? _inputs;

    public Fixture(string folder)
    {
        Folder = folder;
        Name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
        string inputs = Path.Combine(folder, "inputs.safetensors");
        _inputs = File.Exists(inputs) ? SafetensorsFile.Open(inputs) : null;
        Expected = SafetensorsFile.Open(Path.Combine(folder, "expected.safetensors"));
    }

    public string Folder { get; }

    public string Name { get; }

    public SafetensorsFile Expected { get; }

    public SafetensorsFile Inputs => _inputs ?? throw new CaldException($"{Folder} has no inputs.safetensors; the fixture is incomplete");

    public IEnumerable<string> InputNames => _inputs?.Entries.Select(e => e.Name) ?? [];

    public bool HasInput(string name) => _inputs?.Find(name) is not null;

    /// <summary>What <c>case.json</c> says, by a reader of its fields.</summary>
    /// <exception cref="CaldException">It is missing, not JSON, or lacks a field that the reader asks for.</exception>
    public T Settings<T>(Func<JsonElement, T> read)
    {
        string path = Path.Combine(Folder, "case.json");
        JsonElement settings = JsonDocumentFile.ReadObject(path);
        try
        {
            return read(settings);
        }
        catch (Exception e) when (e is InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new CaldException($"{path} does not describe this kind of case: {e.Message.TrimEnd('.')}; the fixture is damaged", e);
        }
    }

    public double[] ExpectedValues(string name) => Values(Expected, name);

    /// <summary>A floating-point input as float32 on a device.</summary>
    public Tensor Float(string name, Device device)
    {
        SafetensorsEntry entry = Inputs.Entry(name);
        float[] values = new float[entry.ElementCount];
        Inputs.Read(name, values);
        return Tensor.From(device, ShapeOf(entry), values);
    }

    /// <summary>An integer input.</summary>
    public int[] Integers(string name)
    {
        int[] values = new int[Inputs.Entry(name).ElementCount];
        Inputs.Read(name, values);
        return values;
    }

    /// <summary>An integer input as int32 on a device.</summary>
    public Tensor Integer(string name, Device device) => Tensor.From(device, ShapeOf(Inputs.Entry(name)), Integers(name));

    /// <summary>The ones of each row [B, L] of a mask: ones followed by zeros.</summary>
    /// <exception cref="CaldException">A row has ones after zeros.</exception>
    public int[] MaskLengths(string name)
    {
        int[] mask = Integers(name);
        int[] lengths = new int[(int)Inputs.Entry(name).Shape[0]];
        if (mask.Length == 0)
        {
            throw new CaldException($"{Folder}: {name} in inputs.safetensors is empty; the fixture is damaged");
        }

        int length = mask.Length / lengths.Length;
        for (int b = 0; b < lengths.Length; b++)
        {
            ReadOnlySpan<int> row = mask.AsSpan(b * length, length);
            int zeros = row.IndexOf(0);
            lengths[b] = zeros < 0 ? length : zeros;
            if (row[lengths[b]..].ContainsAnyExcept(0))
            {
                throw new CaldException($"{Folder}: sample {b} of {name} has ones after zeros; only padding on the right is supported");
            }
        }

        return lengths;
    }

    public static double[] Values(Tensor tensor) => tensor.Type == DType.Float64
        ? tensor.ToArray<double>()
        : Array.ConvertAll(tensor.Detach().To(DType.Float32).ToArray<float>(), v => (double)v);

    public void Dispose()
    {
        _inputs?.Dispose();
        Expected.Dispose();
    }

    private static double[] Values(SafetensorsFile file, string name)
    {
        double[] values = new double[file.Entry(name).ElementCount];
        file.Read(name, values);
        return values;
    }

    private static Shape ShapeOf(SafetensorsEntry entry) => new(Array.ConvertAll(entry.Shape, e => checked((int)e)));
}
