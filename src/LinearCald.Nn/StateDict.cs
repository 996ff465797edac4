using System.Globalization;
using System.Runtime.InteropServices;
using LinearCald.Nn.Files;
using LinearCald.Tensors;

namespace LinearCald.Nn;

/// <summary>What a loader may do about names that do not match.</summary>
public sealed class LoadRules
{
    /// <summary>The parameter's name for a name in the file; null when the file's tensor is known to be of no use here (a buffer, another head).</summary>
    public Func<string, string?> NameOf { get; init; } = name => name;

    /// <summary>Whether a parameter may keep its start when the file does not have it.</summary>
    public Predicate<string> MayBeNew { get; init; } = _ => false;
}

/// <summary>What became of every tensor.</summary>
/// <param name="Loaded">Parameters that the file gave.</param>
/// <param name="New">Parameters that kept their start.</param>
/// <param name="Ignored">Tensors of the file that are of no use here.</param>
public sealed record LoadReport(IReadOnlyList<string> Loaded, IReadOnlyList<string> New, IReadOnlyList<string> Ignored);

/// <summary>Parameters to and from files.</summary>
public static class StateDict
{
    /// <summary>How many problems an error lists before it only counts the rest.</summary>
    private const int MaximumProblems = 40;

    /// <summary>Sets the module's parameters from a file; nothing is changed when anything does not fit.</summary>
    /// <exception cref="CaldException">Lists at once every parameter that is missing, misshapen or unknown, with expected and found shapes.</exception>
    public static LoadReport Load(Module module, WeightsReader reader, LoadRules rules)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(reader);
        ArgumentNullException.ThrowIfNull(rules);
        Dictionary<string, Parameter> parameters = module.NamedParameters().ToDictionary(p => p.Name, p => p.Parameter);
        Dictionary<string, string> sources = [];
        List<string> ignored = [];
        List<string> problems = [];
        foreach (string name in reader.Names)
        {
            if (rules.NameOf(name) is not { } target)
            {
                ignored.Add(name);
            }
            else if (!parameters.TryGetValue(target, out Parameter? parameter))
            {
                problems.Add($"unknown     {name} {reader.Entry(name).Description}: the model has no such parameter");
            }
            else if (!sources.TryAdd(target, name))
            {
                problems.Add($"twice       {target}: as {sources[target]} and as {name}");
            }
            else
            {
                CheckEntry(reader.Entry(name), parameter.Value, problems);
            }
        }

        List<string> fresh = [];
        foreach ((string name, Parameter parameter) in parameters)
        {
            if (!sources.ContainsKey(name))
            {
                (rules.MayBeNew(name) ? fresh : problems).Add(rules.MayBeNew(name) ? name : $"missing     {name}: expected {parameter.Value.Shape}");
            }
        }

        if (problems.Count > 0)
        {
            IEnumerable<string> shown = problems.Order(StringComparer.Ordinal).Take(MaximumProblems).Select(p => "  " + p);
            string more = problems.Count > MaximumProblems ? string.Create(CultureInfo.InvariantCulture, $"\n  … and {problems.Count - MaximumProblems} more") : "";
            throw new CaldException(
                $"{reader.Path}: {problems.Count} of the model's tensors do not fit its config; take weights and config.json from the same model\n{string.Join('\n', shown)}{more}");
        }

        foreach ((string target, string source) in sources)
        {
            Read(reader, source, parameters[target].Value);
        }

        return new LoadReport([.. sources.Keys], fresh, ignored);
    }

    /// <summary>Sets one tensor of float32 or float64 from the file's tensor of the same shape, converting the type.</summary>
    public static void Read(WeightsReader reader, string name, Tensor target)
    {
        ArgumentNullException.ThrowIfNull(reader);
        ArgumentNullException.ThrowIfNull(target);
        if (target.Type == DType.Float64)
        {
            double[] values = new double[target.Count];
            reader.Read(name, values);
            target.Set<double>(values);
        }
        else
        {
            float[] values = new float[target.Count];
            reader.Read(name, values);
            target.Set<float>(values);
        }
    }

    /// <summary>The parameters as they go into a file, in float32 unless told; read only while the file is written.</summary>
    public static IReadOnlyCollection<TensorPayload> Payloads(IEnumerable<(string Name, Tensor Value)> tensors, DType? storeAs = null)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        return [.. tensors.Select(t => Payload(t.Name, t.Value, storeAs ?? t.Value.Type))];
    }

    private static TensorPayload Payload(string name, Tensor value, DType storeAs)
    {
        long[] shape = Array.ConvertAll(value.Shape.ToArray(), extent => (long)extent);
        float[]? singles = null;
        if (value.Type == DType.Float32)
        {
            return TensorPayload.FromSingles(
                name,
                shape,
                (first, destination) => (singles ??= value.ToArray<float>()).AsSpan((int)first, destination.Length).CopyTo(destination),
                storeAs);
        }

        if (value.Type == DType.Float64 && storeAs == DType.Float64)
        {
            double[]? doubles = null;
            return new TensorPayload(
                name,
                DType.Float64,
                shape,
                (first, destination) => MemoryMarshal.AsBytes((doubles ??= value.ToArray<double>()).AsSpan())
                    .Slice((int)(first * sizeof(double)), destination.Length).CopyTo(destination));
        }

        throw new CaldException($"cannot save {name}: {value.Type} as {storeAs}; convert it to Float32 first");
    }

    private static void CheckEntry(SafetensorsEntry entry, Tensor parameter, List<string> problems)
    {
        bool same = entry.Shape.Length == parameter.Shape.Rank;
        for (int i = 0; same && i < entry.Shape.Length; i++)
        {
            same = entry.Shape[i] == parameter.Shape[i];
        }

        if (!same)
        {
            problems.Add($"misshapen   {entry.Name}: expected {parameter.Shape}, found [{string.Join(", ", entry.Shape)}]");
        }
        else if (entry.Type is not { } type || !type.IsFloat())
        {
            problems.Add($"not numbers {entry.Name}: expected a floating-point tensor, found {entry.TypeName}");
        }
    }
}
