namespace LinearCald.Nn.Files;

/// <summary>
/// The weights of a model by tensor name, whether they lie in one safetensors file or in shards with an index. Shards are opened when a
/// tensor of theirs is first asked for. Safe from several threads, but not while disposing.
/// </summary>
public sealed class WeightsReader : IDisposable
{
    private readonly string _folder;
    private readonly Dictionary<string, string>? _shardOf; // null: one file
    private readonly Dictionary<string, SafetensorsFile> _open = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();

    private WeightsReader(string path, string folder, Dictionary<string, string>? shardOf)
    {
        Path = path;
        _folder = folder;
        _shardOf = shardOf;
    }

    /// <summary>The file or the index that was opened.</summary>
    public string Path { get; }

    /// <summary>The names of all tensors, in ordinal order.</summary>
    public IReadOnlyList<string> Names { get; private init; } = [];

    /// <summary>Opens the weights of a model folder, a safetensors file, or an index file.</summary>
    /// <exception cref="CaldException">
    /// Missing, pickled, damaged; or an index that names a missing file or one outside its folder. Damage inside a shard is reported when it is first used.
    /// </exception>
    public static WeightsReader Open(string path)
    {
        string file = Directory.Exists(path) ? ModelFolder.FindWeights(path) : path;
        if (!File.Exists(file))
            throw new CaldException($"There is no file or folder {path}: check the path.");
        if (file.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
            return OpenIndex(file);
        if (ForeignFormat.IsPickleName(file))
            throw new CaldException($"{file} holds pickled weights. {ForeignFormat.PickleAdvice}");
        SafetensorsFile single = SafetensorsFile.Open(file);
        return new WeightsReader(file, "", null)
        {
            Names = [.. single.Entries.Select(e => e.Name).Order(StringComparer.Ordinal)],
            _open = { [""] = single },
        };
    }

    /// <summary>Whether there is a tensor of that name.</summary>
    public bool Contains(string name) => _shardOf is null ? _open[""].Find(name) is not null : _shardOf.ContainsKey(name);

    /// <summary>Type and shape of a tensor.</summary>
    /// <exception cref="CaldException">No such tensor, or its shard is damaged.</exception>
    public SafetensorsEntry Entry(string name) => FileOf(name).Entry(name);

    /// <summary>The file that holds a tensor, opened. It belongs to this reader: do not dispose it.</summary>
    /// <exception cref="CaldException">No such tensor, or its shard is damaged or lacks it.</exception>
    public SafetensorsFile FileOf(string name)
    {
        if (_shardOf is null)
            return _open[""];
        if (!_shardOf.TryGetValue(name, out string? shard))
            throw new CaldException($"{Path}: there is no tensor {Quoted.Of(name)} among its {_shardOf.Count}; 'cald inspect' lists them.");
        SafetensorsFile? file;
        lock (_gate)
        {
            if (!_open.TryGetValue(shard, out file))
                _open.Add(shard, file = SafetensorsFile.Open(System.IO.Path.Combine(_folder, shard)));
        }

        return file.Find(name) is not null
            ? file
            : throw new CaldException(
                $"{Path} says that tensor {Quoted.Of(name)} is in {shard}, but that file does not hold it: " +
                "index and shards are of different models or revisions. Download the folder again.");
    }

    /// <inheritdoc cref="SafetensorsFile.Bytes"/>
    public ReadOnlySpan<byte> Bytes(string name) => FileOf(name).Bytes(name);

    /// <inheritdoc cref="SafetensorsFile.Read(string, Span{float})"/>
    public void Read(string name, Span<float> destination) => FileOf(name).Read(name, destination);

    /// <inheritdoc cref="SafetensorsFile.Read(string, Span{double})"/>
    public void Read(string name, Span<double> destination) => FileOf(name).Read(name, destination);

    /// <inheritdoc cref="SafetensorsFile.Read(string, Span{long})"/>
    public void Read(string name, Span<long> destination) => FileOf(name).Read(name, destination);

    /// <inheritdoc cref="SafetensorsFile.Read(string, Span{int})"/>
    public void Read(string name, Span<int> destination) => FileOf(name).Read(name, destination);

    /// <summary>Unmaps every file that was opened.</summary>
    public void Dispose()
    {
        foreach (SafetensorsFile file in _open.Values)
            file.Dispose();
    }

    private static WeightsReader OpenIndex(string file)
    {
        string folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(file))!;
        Dictionary<string, string> shardOf = WeightsIndex.Parse(JsonDocumentFile.ReadBytes(file), file);
        IEnumerable<string> shards = shardOf.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);
        string[] missing = [.. shards.Where(s => !File.Exists(System.IO.Path.Combine(folder, s)))];
        if (missing.Length > 0)
        {
            string first = string.Join(", ", missing.Take(5)) + (missing.Length > 5 ? ", …" : "");
            throw new CaldException($"{file} names {missing.Length} shard(s) that are not in {folder}: {first}. Download them into it.");
        }

        return new WeightsReader(file, folder, shardOf) { Names = [.. shardOf.Keys.Order(StringComparer.Ordinal)] };
    }
}
