namespace LinearCald.Data.Language.Files;

/// <summary>How far an interrupted build is; <c>build.json</c>.</summary>
/// <param name="Key">What it is a build of; <see cref="CorpusPlan.Key"/>.</param>
/// <param name="Hashes">Hashes of the files that are done.</param>
/// <param name="Place">Place in the next file.</param>
/// <param name="Counts">What is written.</param>
/// <param name="Written">Where the writer is.</param>
internal sealed record BuildState(string Key, IReadOnlyList<string> Hashes, SourcePlace Place, CorpusCounts Counts, WriterMark Written);

/// <summary>
/// Reads documents, has them tokenised by several threads, and writes them in their order; the calling thread reads and writes. Texts go
/// in batches, of which a few are under way at once, so memory does not grow with the files.
/// </summary>
internal sealed class CorpusBuilder(
    CorpusPlan plan, IndexedDatasetWriter writer, Action<BuildState> save, Action<TokenizingProgress> progress, CancellationToken cancellation)
{
    private const int BatchCharacters = 1 << 18;

    private readonly TaskScheduler _workers = new ConcurrentExclusiveSchedulerPair(TaskScheduler.Default, plan.Options.Threads).ConcurrentScheduler;
    private readonly Queue<(Task<TokenizedTexts> Work, SourcePlace End)> _underWay = new();
    private readonly List<string> _hashes = [];
    private CorpusCounts _counts = CorpusCounts.Zero;
    private string _key = "";
    private SourcePlace _marked;
    private long _filesBefore; // bytes of the files that are done
    private DateTime _reported;

    /// <summary>Unpacked bytes of text from one mark to the next; what is done again, at most, after a crash.</summary>
    public required long MarkDistance { get; init; }

    /// <summary>Time from one report of progress to the next.</summary>
    public required TimeSpan ReportInterval { get; init; }

    /// <summary>Goes on from <paramref name="state"/> to the end.</summary>
    public BuildState Run(BuildState state)
    {
        _key = state.Key;
        _counts = state.Counts;
        _hashes.AddRange(state.Hashes);
        _filesBefore = plan.Files.Take(_hashes.Count).Sum(file => file.Bytes);
        SourcePlace place = state.Place;
        try
        {
            while (_hashes.Count < plan.Files.Count)
            {
                Tokenise(plan.Files[_hashes.Count], place);
                place = default;
            }
        }
        finally
        {
            // Nobody may still be at work when the files are closed; failures were thrown already, or came after one.
            foreach ((Task<TokenizedTexts> work, _) in _underWay)
                work.ContinueWith(static done => _ = done.Exception, TaskScheduler.Default).Wait(CancellationToken.None);
        }

        if (_counts.Documents == 0)
            throw new CaldException($"{string.Join(", ", plan.Files.Take(3).Select(file => file.Path))}: no text in {(plan.Files.Count == 1 ? "this file" : $"these {plan.Files.Count} files")}");
        return new BuildState(_key, _hashes, default, _counts, default);
    }

    private void Tokenise(CorpusSource file, SourcePlace place)
    {
        using SourceStream stream = SourceStream.Open(file.Path);
        DocumentReader reader = new(stream, place, plan.Options);
        _marked = place;
        List<string> texts = [];
        int characters = 0;
        while (reader.Read() is { } text)
        {
            texts.Add(text);
            characters += Math.Min(text.Length, BatchCharacters) + 1;
            if (characters < BatchCharacters)
                continue;
            Submit(texts, reader.Next, stream);
            texts = [];
            characters = 0;
        }

        if (texts.Count > 0)
            Submit(texts, reader.Next, stream);
        while (_underWay.Count > 0)
            WriteOne(stream);
        _hashes.Add(stream.Finish());
        FileInfo after = new(file.Path);
        if (!after.Exists || after.Length != file.Bytes || after.LastWriteTimeUtc != file.Modified)
            throw new CaldException($"{file.Path} changed while it was tokenised; leave it alone and run the command again");
        _filesBefore += file.Bytes;
        Mark(default);
        Report(0, always: true);
    }

    private void Submit(List<string> texts, SourcePlace end, SourceStream stream)
    {
        _underWay.Enqueue((Task.Factory.StartNew(() => TokenizedTexts.Of(texts, plan.Tokenizer, plan.EndOfText), CancellationToken.None, TaskCreationOptions.DenyChildAttach, _workers), end));
        if (_underWay.Count > 2 * plan.Options.Threads)
            WriteOne(stream);
    }

    private void WriteOne(SourceStream stream)
    {
        cancellation.ThrowIfCancellationRequested();
        (Task<TokenizedTexts> work, SourcePlace end) = _underWay.Dequeue();
        TokenizedTexts tokenized = work.GetAwaiter().GetResult();
        foreach (int[] document in tokenized.Documents)
        {
            writer.AddSequence(document);
            writer.EndDocument();
        }

        _counts = _counts.Plus(tokenized.Counts);
        if (end.Offset - _marked.Offset >= MarkDistance)
            Mark(end);
        Report(stream.FileBytesRead, always: false);
    }

    private void Mark(SourcePlace place)
    {
        if (_counts.Documents == 0)
            return; // nothing to keep
        save(new BuildState(_key, [.. _hashes], place, _counts, writer.Mark()));
        _marked = place;
    }

    private void Report(long fileBytes, bool always)
    {
        DateTime now = DateTime.UtcNow;
        if (!always && now - _reported < ReportInterval)
            return;
        _reported = now;
        progress(new TokenizingProgress(_filesBefore + fileBytes, plan.TotalBytes, _counts.Documents, _counts.Tokens));
    }
}
