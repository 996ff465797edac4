using LinearCald.Data.Language.Files;

namespace LinearCald.Data.Language;

/// <summary>
/// Token ids in the pair of files that Megatron's <c>MMapIndexedDataset</c> writes and the Pile is distributed in: <c>NAME.bin</c> holds the
/// ids of all sequences end to end, <c>NAME.idx</c> their lengths, offsets and documents. Both are memory-mapped: opening checks the whole
/// index, reading touches what is read. The files must not be cut while they are open.
/// </summary>
public sealed class IndexedDataset : TokenSource
{
    private readonly MappedFile _data;
    private readonly IndexFile _index;
    private readonly int? _vocabulary;

    private IndexedDataset(MappedFile data, IndexFile index, int? vocabulary)
    {
        _data = data;
        _index = index;
        _vocabulary = vocabulary;
    }

    /// <summary>The .bin file.</summary>
    public override string Name => _data.Path;

    /// <summary>How ids are stored.</summary>
    public IndexedElementType Type => _index.Type;

    /// <inheritdoc/>
    public override long TokenCount => _index.Tokens;

    /// <inheritdoc/>
    public override long DocumentCount => _index.Documents;

    /// <summary>Stored sequences; a document is one or more of them.</summary>
    public long SequenceCount => _index.Sequences;

    /// <summary>Sequences of the index that the .bin file does not hold whole; see <see cref="IndexedDatasetOptions.AllowPartial"/>.</summary>
    public long MissingSequences => _index.MissingSequences;

    /// <inheritdoc/>
    public override int? PackedLength => _index.CommonLength;

    /// <summary>Opens <c>NAME.idx</c> and <c>NAME.bin</c>.</summary>
    /// <param name="path"><c>NAME</c>, or either file.</param>
    /// <param name="options">Vocabulary and completeness.</param>
    /// <exception cref="CaldException">A file is missing or damaged, or the two disagree; the message says where.</exception>
    public static IndexedDataset Open(string path, IndexedDatasetOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        options ??= new IndexedDatasetOptions();
        string name = Prefix(path), indexPath = name + ".idx", dataPath = name + ".bin";
        (bool hasIndex, bool hasData) = (File.Exists(indexPath), File.Exists(dataPath));
        if (!hasIndex || !hasData)
            throw new CaldException((hasIndex, hasData) switch
            {
                (false, false) => $"{name}: there is neither {Path.GetFileName(indexPath)} nor {Path.GetFileName(dataPath)}; give the common name of the two files",
                (false, true) => $"{indexPath} is missing beside {dataPath}: the index must have the name of the .bin file",
                _ => $"{dataPath} is missing beside {indexPath}: rename the data file (or the first downloaded shard) to that name",
            });
        MappedFile data = MappedFile.Open(dataPath);
        try
        {
            return new IndexedDataset(data, IndexFile.Open(indexPath, dataPath, data.Length, options.AllowPartial), options.Vocabulary);
        }
        catch
        {
            data.Dispose();
            throw;
        }
    }

    /// <summary>Ids of a stored sequence.</summary>
    public int SequenceLength(long sequence) => _index.Length(sequence);

    /// <summary>Position of a stored sequence's first id; <see cref="TokenSource.TokenCount"/> for the number <see cref="SequenceCount"/>.</summary>
    public long SequenceStart(long sequence) => _index.Start(sequence);

    /// <inheritdoc/>
    public override long DocumentStart(long document) => _index.Start(_index.FirstSequence(document));

    /// <summary>The ids of a stored sequence.</summary>
    /// <exception cref="CaldException">An id is negative, no integer, or beyond the vocabulary.</exception>
    public int[] Sequence(long sequence)
    {
        int[] ids = new int[SequenceLength(sequence)];
        if (ids.Length > 0)
            Read(SequenceStart(sequence), ids);
        return ids;
    }

    /// <inheritdoc/>
    public override void Read(long position, Span<int> ids)
    {
        CheckSpan(position, ids.Length);
        const int ChunkBytes = 8192;
        Span<byte> raw = stackalloc byte[ChunkBytes];
        int width = IndexFile.Width(Type);
        for (int done = 0; done < ids.Length;)
        {
            int count = Math.Min(ids.Length - done, ChunkBytes / width);
            Span<byte> chunk = raw[..(count * width)];
            _data.Read((position + done) * width, chunk);
            Span<int> part = ids.Slice(done, count);
            int bad = IdConversion.ToIds(Type, chunk, part);
            if (bad < 0 && _vocabulary is { } vocabulary)
                bad = IdConversion.FirstBeyond(part, vocabulary);
            if (bad >= 0)
                throw BadId(position + done + bad, IdConversion.Text(Type, chunk.Slice(bad * width, width)));
            done += count;
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _index.Dispose();
            _data.Dispose();
        }
    }

    internal static string Prefix(string path) =>
        path.EndsWith(".idx", StringComparison.Ordinal) || path.EndsWith(".bin", StringComparison.Ordinal) ? path[..^4] : path;

    private CaldException BadId(long position, string value)
    {
        long sequence = _index.SequenceAt(position);
        string limit = _vocabulary is { } vocabulary ? $"ids of this model are 0 to {vocabulary - 1}" : "ids are integers from 0 on";
        return new CaldException(
            $"{_data.Path}: sequence {sequence}, position {position - _index.Start(sequence)}: id {value}; {limit}. " +
            "The data were made with another tokenizer, or are damaged");
    }
}
