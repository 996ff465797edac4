using System.Text.Json;
using System.Text.Json.Serialization;
using LinearCald.Nn.Files;

namespace LinearCald.Data.Language.Files;

/// <summary>The folder of a tokenised corpus. The manifest is written last and deleted first, so its presence says that the rest is complete.</summary>
internal sealed class CorpusCache(string folder, CorpusPlan plan, Action<TokenizingProgress> progress, CancellationToken cancellation)
{
    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    /// <summary>Unpacked bytes of text between two marks of a build.</summary>
    public long MarkDistance { get; init; } = 1 << 26;

    /// <summary>Time from one report of progress to the next.</summary>
    public TimeSpan ReportInterval { get; init; } = TimeSpan.FromMilliseconds(200);

    private string TokensName => Path.Combine(folder, "tokens");

    private string ManifestPath => Path.Combine(folder, "manifest.json");

    private string StatePath => Path.Combine(folder, "build.json");

    public TokenizedCorpus OpenOrBuild()
    {
        if (OpenValid() is { } corpus)
            return corpus;
        CreateFolder();
        using FileClaim claim = FileClaim.Take(Path.Combine(folder, ".lock"), () => progress(new TokenizingProgress(0, plan.TotalBytes, 0, 0, Waiting: true)), cancellation);
        if (OpenValid() is { } built)
            return built;
        Build();
        return OpenValid() is { } made ? new TokenizedCorpus(made.Tokens, made.Manifest, reused: false)
            : throw new CaldException($"{folder}: the corpus just made is not that of its text files; leave the files alone while they are tokenised, and run the command again");
    }

    /// <summary>The corpus if it is there, whole, and that of the plan.</summary>
    private TokenizedCorpus? OpenValid()
    {
        if (ReadJson<CorpusManifest>(ManifestPath) is not { } manifest || !Fits(manifest, out bool touched))
            return null;
        IndexedDataset tokens;
        try
        {
            tokens = IndexedDataset.Open(TokensName, new IndexedDatasetOptions { Vocabulary = manifest.Vocabulary });
        }
        catch (CaldException)
        {
            return null; // damaged from outside: made anew
        }

        if (tokens.TokenCount != manifest.Counts.StoredTokens || tokens.DocumentCount != manifest.Counts.Documents)
        {
            tokens.Dispose();
            return null;
        }

        if (touched)
            TryWriteManifest(plan.Manifest(manifest.Sources.Select(source => source.Sha256), manifest.Counts));
        return new TokenizedCorpus(tokens, manifest, reused: true);
    }

    /// <summary>Whether a manifest is of the plan. A file with a new time or place but the same size counts as the same if its hash is.</summary>
    private bool Fits(CorpusManifest manifest, out bool touched)
    {
        touched = false;
        CorpusManifest wanted = plan.Manifest(manifest.Sources.Select(source => source.Sha256), manifest.Counts);
        if (manifest.Sources.Count != plan.Files.Count || manifest with { Sources = wanted.Sources } != wanted)
            return false;
        for (int i = 0; i < plan.Files.Count; i++)
        {
            CorpusSource then = manifest.Sources[i], now = plan.Files[i];
            if (then with { Sha256 = "" } == now)
                continue;
            if (then.Bytes != now.Bytes)
                return false;
            using SourceStream stream = SourceStream.Open(now.Path);
            if (stream.Finish() != then.Sha256)
                return false;
            touched = true;
        }

        return true;
    }

    private void Build()
    {
        Translate(() => File.Delete(ManifestPath));
        IndexedElementType type = IndexedDatasetWriter.TypeFor(plan.Vocabulary);
        string key = plan.Key();
        BuildState? state = ReadJson<BuildState>(StatePath);
        IndexedDatasetWriter? writer = state?.Key == key && state.Hashes.Count <= plan.Files.Count ? IndexedDatasetWriter.Resume(TokensName, type, state.Written) : null;
        if (writer is null)
        {
            state = new BuildState(key, [], default, CorpusCounts.Zero, default);
            Translate(() => File.Delete(StatePath));
            IndexedDatasetWriter.Discard(TokensName);
            writer = IndexedDatasetWriter.Create(TokensName, type);
        }

        using (writer)
        {
            state = new CorpusBuilder(plan, writer, SaveState, progress, cancellation) { MarkDistance = MarkDistance, ReportInterval = ReportInterval }.Run(state!);
            writer.Complete();
        }

        AtomicFile.WriteText(ManifestPath, JsonSerializer.Serialize(plan.Manifest(state.Hashes, state.Counts), Json));
        Translate(() => File.Delete(StatePath));
    }

    private void SaveState(BuildState state) => AtomicFile.WriteText(StatePath, JsonSerializer.Serialize(state, Json));

    private void TryWriteManifest(CorpusManifest manifest)
    {
        try
        {
            AtomicFile.WriteText(ManifestPath, JsonSerializer.Serialize(manifest, Json));
        }
        catch (CaldException)
        {
            // A folder that may only be read: the files are hashed again next time.
        }
    }

    private void CreateFolder()
    {
        if (File.Exists(folder))
            throw new CaldException($"{folder} is a file; give a folder for the tokenised corpus");
        Translate(() => Directory.CreateDirectory(folder));
    }

    private void Translate(Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CaldException($"{folder} cannot be written: {e.Message} Choose another folder for the tokenised corpus.", e);
        }
    }

    /// <summary>Null where the file is missing or not what was written.</summary>
    private static T? ReadJson<T>(string path)
        where T : class
    {
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize<T>(File.ReadAllBytes(path), Json) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }
}
