namespace LinearCald.Data.Language.Files;

/// <summary>
/// The .idx half of an indexed data set, little-endian: the magic <c>MMIDIDX\0\0</c>; u64 version (1); u8 element type; u64 number n of
/// sequences; u64 number m of document entries; n × i32 lengths; n × i64 byte offsets in the .bin file; m × i64 document index (numbers of
/// the sequences that documents begin with, and the end). Multimodal writers append n bytes, which are passed over.
/// </summary>
internal sealed class IndexFile : IDisposable
{
    public const int HeaderBytes = 34;

    private const int ChunkEntries = 1 << 14;

    private readonly MappedFile _file;
    private readonly long _storedSequences;
    private readonly long _storedBoundaries;

    private IndexFile(MappedFile file, IndexedElementType type, long sequences, long boundaries)
    {
        _file = file;
        Type = type;
        _storedSequences = sequences;
        _storedBoundaries = boundaries;
    }

    public static ReadOnlySpan<byte> Magic => "MMIDIDX\0\0"u8;

    /// <summary>How ids are stored.</summary>
    public IndexedElementType Type { get; private set; }

    /// <summary>Sequences that the .bin file holds whole.</summary>
    public long Sequences { get; private set; }

    /// <summary>Sequences of the index that the .bin file does not hold whole.</summary>
    public long MissingSequences => _storedSequences - Sequences;

    /// <summary>Ids of all sequences that are there.</summary>
    public long Tokens { get; private set; }

    /// <summary>Documents of the sequences that are there; sequences behind the last entry of the document index are one more document.</summary>
    public long Documents { get; private set; }

    /// <summary>The length of all sequences, where there are two at least and it is the same.</summary>
    public int? CommonLength { get; private set; }

    /// <summary>Opens an index and checks it against its .bin file.</summary>
    /// <exception cref="CaldException">Not an index, or one that contradicts itself or the .bin file.</exception>
    public static IndexFile Open(string path, string dataPath, long dataBytes, bool allowPartial)
    {
        MappedFile file = MappedFile.Open(path);
        try
        {
            IndexFile index = ReadHeader(file);
            index.CheckLayout(dataPath, dataBytes, allowPartial);
            index.CheckDocuments();
            return index;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public static int Width(IndexedElementType type) => type switch
    {
        IndexedElementType.UInt8 or IndexedElementType.Int8 => 1,
        IndexedElementType.Int16 or IndexedElementType.UInt16 => 2,
        IndexedElementType.Int32 or IndexedElementType.Float32 => 4,
        _ => 8,
    };

    /// <summary>Ids of a sequence.</summary>
    public int Length(long sequence) => _file.Read<int>(LengthsAt + 4 * Within(sequence, Sequences));

    /// <summary>Position of a sequence's first id among all; <see cref="Tokens"/> for the number <see cref="Sequences"/>.</summary>
    public long Start(long sequence) =>
        sequence == Sequences ? Tokens : _file.Read<long>(OffsetsAt + 8 * Within(sequence, Sequences)) / Width(Type);

    /// <summary>The first sequence of a document; <see cref="Sequences"/> for the number <see cref="Documents"/>.</summary>
    public long FirstSequence(long document) =>
        document == Documents ? Sequences : Math.Min(Sequences, _file.Read<long>(DocumentsAt + 8 * Within(document, Documents)));

    /// <summary>The sequence that holds the id at <paramref name="position"/>; among empty ones that begin there, the one that is not.</summary>
    public long SequenceAt(long position)
    {
        long low = 0, high = Sequences;
        while (high - low > 1)
        {
            long middle = low + (high - low) / 2;
            if (Start(middle) <= position)
                low = middle;
            else
                high = middle;
        }

        return low;
    }

    public void Dispose() => _file.Dispose();

    private static long LengthsAt => HeaderBytes;

    private long OffsetsAt => LengthsAt + 4 * _storedSequences;

    private long DocumentsAt => OffsetsAt + 8 * _storedSequences;

    private static IndexFile ReadHeader(MappedFile file)
    {
        byte[] start = new byte[Math.Min(file.Length, HeaderBytes)];
        file.Read(0, start.AsSpan());
        if (!start.AsSpan().StartsWith(Magic))
            throw new CaldException($"{file.Path} is not the index of an indexed data set (.idx, MMIDIDX): it looks like {FileLook.Describe(start)}");
        if (start.Length < HeaderBytes)
            throw new CaldException($"{file.Path}: the index ends after {start.Length} bytes, within its header of {HeaderBytes}; fetch it again");
        ulong version = file.Read<ulong>(9), sequences = file.Read<ulong>(18), boundaries = file.Read<ulong>(26);
        if (version != 1)
            throw new CaldException($"{file.Path}: version {version} of the index format, of which version 1 is known; write the data again with a writer of version 1");
        IndexedElementType type = (IndexedElementType)start[17];
        if (!Enum.IsDefined(type))
            throw new CaldException($"{file.Path}: element type {start[17]} is unknown; the codes are 1 (u8), 2 (i8), 3 (i16), 4 (i32), 5 (i64), 6 (f32), 7 (f64) and 8 (u16)");
        UInt128 expected = HeaderBytes + (UInt128)sequences * 12 + (UInt128)boundaries * 8;
        if (expected != (ulong)file.Length && expected + sequences != (ulong)file.Length)
            throw new CaldException(
                $"{file.Path}: {sequences} sequences and {boundaries} document entries take {expected} bytes, the file has {file.Length}; it is damaged or cut off: fetch it again");
        return new IndexFile(file, type, (long)sequences, (long)boundaries);
    }

    /// <summary>Sequences must lie end to end from the start of the .bin file, which is how every writer puts them.</summary>
    private void CheckLayout(string dataPath, long dataBytes, bool allowPartial)
    {
        SettleFloatWidth(dataBytes);
        int width = Width(Type);
        long end = 0;
        int? common = null;
        bool uniform = true, complete = true;
        int[] lengths = new int[ChunkEntries];
        long[] offsets = new long[ChunkEntries];
        for (long first = 0; first < _storedSequences && complete; first += ChunkEntries)
        {
            int count = (int)Math.Min(ChunkEntries, _storedSequences - first);
            _file.Read(LengthsAt + 4 * first, lengths.AsSpan(0, count));
            _file.Read(OffsetsAt + 8 * first, offsets.AsSpan(0, count));
            for (int i = 0; i < count; i++)
            {
                if (lengths[i] < 0)
                    throw new CaldException($"{_file.Path}: sequence {first + i} has a length of {lengths[i]}; the index is damaged: fetch it again");
                if (offsets[i] != end)
                    throw new CaldException(
                        $"{_file.Path}: sequence {first + i} begins at byte {offsets[i]}, but the lengths before it put it at byte {end} ({Type}, {width} bytes an id); " +
                        "the index is damaged: fetch it again");
                long bytes = (long)lengths[i] * width;
                if (bytes > dataBytes - end)
                {
                    complete = false;
                    break;
                }

                common ??= lengths[i];
                uniform &= common == lengths[i];
                end += bytes;
                Sequences = first + i + 1;
            }
        }

        if (!complete && !allowPartial)
            throw new CaldException(
                $"{dataPath}: {dataBytes} bytes, which end within sequence {Sequences} of the {_storedSequences} in {_file.Path}; the file is incomplete: fetch the rest, " +
                "or allow partial data to use the sequences that are there");
        if (complete && end != dataBytes)
            throw new CaldException($"{dataPath}: {dataBytes} bytes where the index {_file.Path} describes {end}; the two files do not belong together");
        Tokens = end / width;
        if (Tokens == 0)
            throw new CaldException($"{dataPath}: an empty data set: {(MissingSequences > 0 ? "not one sequence of its index is there whole" : "it holds no tokens")}");
        CommonLength = uniform && Sequences > 1 ? common : null;
    }

    /// <summary>Some writers use code 6 for float64 and 7 for float32. The bytes from one offset to the next decide.</summary>
    private void SettleFloatWidth(long dataBytes)
    {
        if (Type is not (IndexedElementType.Float32 or IndexedElementType.Float64))
            return;
        for (long i = 0; i < Math.Min(_storedSequences, ChunkEntries); i++)
        {
            int length = _file.Read<int>(LengthsAt + 4 * i);
            if (length <= 0)
                continue;
            long end = i + 1 < _storedSequences ? _file.Read<long>(OffsetsAt + 8 * (i + 1)) : dataBytes;
            UInt128 bytes = end < 0 ? 0 : (UInt128)end - (UInt128)Math.Max(0, _file.Read<long>(OffsetsAt + 8 * i));
            Type = bytes == 4 * (UInt128)length ? IndexedElementType.Float32 : bytes == 8 * (UInt128)length ? IndexedElementType.Float64 : Type;
            return;
        }
    }

    private void CheckDocuments()
    {
        long before = 0;
        long[] entries = new long[ChunkEntries];
        for (long first = 0; first < _storedBoundaries; first += ChunkEntries)
        {
            int count = (int)Math.Min(ChunkEntries, _storedBoundaries - first);
            _file.Read(DocumentsAt + 8 * first, entries.AsSpan(0, count));
            for (int i = 0; i < count; i++)
            {
                if (entries[i] < before || entries[i] > _storedSequences || (first + i == 0 && entries[i] != 0))
                    throw new CaldException(
                        $"{_file.Path}: entry {first + i} of the document index is {entries[i]}; entries begin with 0, do not fall, and are at most the {_storedSequences} sequences: " +
                        "the index is damaged, fetch it again");
                before = entries[i];
                if (entries[i] < Sequences)
                    Documents = first + i + 1; // the last entry below the end begins the last document
            }

            if (before >= Sequences)
                break;
        }

        if (_storedBoundaries == 0)
            throw new CaldException($"{_file.Path}: the document index is empty; it needs the entry 0 at least: write the data again");
    }

    private static long Within(long index, long count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, count);
        return index;
    }
}
