using System.Runtime.InteropServices;
using LinearCald.Data.Language.Files;
using LinearCald.Nn.Files;

namespace LinearCald.Data.Language;

/// <summary>
/// Writes an indexed data set, byte for byte as Megatron's builder does. The files have temporary names until <see cref="Complete"/>, which
/// brings them to the disk and renames them, the index last: whoever finds both finds a complete pair. Not for several threads.
/// </summary>
public sealed class IndexedDatasetWriter : IDisposable
{
    private const int LargestShortVocabulary = 65_499;

    private readonly string _name;
    private readonly IndexedElementType _type;
    private readonly FileStream _data;
    private readonly LengthJournal _journal;
    private byte[] _bytes = [];
    private bool _keep; // the temporary files, when this is disposed of

    private IndexedDatasetWriter(string name, IndexedElementType type, FileStream data, LengthJournal journal)
    {
        _name = name;
        _type = type;
        _data = data;
        _journal = journal;
    }

    /// <summary>Ids written so far.</summary>
    public long TokenCount => _journal.Tokens;

    /// <summary>Documents ended so far.</summary>
    public long DocumentCount => _journal.Documents;

    /// <summary>How ids of a vocabulary are stored: in 16 bits where its size is below 65,500, else in 32.</summary>
    public static IndexedElementType TypeFor(int vocabulary) => vocabulary <= LargestShortVocabulary ? IndexedElementType.UInt16 : IndexedElementType.Int32;

    /// <summary>Begins a data set. What an earlier writer of that name left unfinished goes; a finished one stays until <see cref="Complete"/>.</summary>
    /// <param name="path"><c>NAME</c>, or either file; the folder is made if need be.</param>
    /// <param name="type">How ids are stored; <see cref="TypeFor"/>.</param>
    /// <exception cref="CaldException">The folder cannot be written.</exception>
    public static IndexedDatasetWriter Create(string path, IndexedElementType type) => Open(path, type, default);

    /// <summary>Goes on from a mark, after a crash too. What was written after it is cut off.</summary>
    /// <returns>Null when the unfinished files are no longer there, or shorter than at the mark.</returns>
    internal static IndexedDatasetWriter? Resume(string path, IndexedElementType type, WriterMark mark)
    {
        (string data, string journal) = Temporaries(IndexedDataset.Prefix(path));
        if (!File.Exists(data) || !File.Exists(journal)
            || new FileInfo(data).Length < mark.Tokens * IndexFile.Width(type) || new FileInfo(journal).Length < mark.Entries * sizeof(int))
        {
            return null;
        }

        IndexedDatasetWriter writer = Open(path, type, mark);
        if (writer.TokenCount == mark.Tokens)
            return writer;
        writer.Dispose();
        return null;
    }

    /// <summary>Appends a sequence.</summary>
    /// <exception cref="CaldException">An id does not fit the type, or the disk is full.</exception>
    public void AddSequence(ReadOnlySpan<int> ids)
    {
        int width = IndexFile.Width(_type), count = checked(ids.Length * width);
        if (_bytes.Length < count)
            _bytes = new byte[Math.Max(count, 2 * _bytes.Length)];
        Convert(ids, _bytes.AsSpan(0, count));
        Translate(() =>
        {
            _data.Write(_bytes, 0, count);
            return true;
        });
        int length = ids.Length;
        Translate(() =>
        {
            _journal.AddSequence(length);
            return true;
        });
    }

    /// <summary>Ends a document: the sequences since the last end are one.</summary>
    /// <exception cref="CaldException">The disk is full.</exception>
    public void EndDocument() => Translate(() =>
    {
        _journal.EndDocument();
        return true;
    });

    /// <summary>Brings everything so far to the disk. From now on the unfinished files stay when the writer is disposed of.</summary>
    internal WriterMark Mark() => Translate(() =>
    {
        _data.Flush(flushToDisk: true);
        _journal.Flush();
        _keep = true;
        return new WriterMark(_journal.Tokens, _journal.EntryCount);
    });

    /// <summary>Ends the last document if that is open and gives the files their names. The writer is of no use afterwards.</summary>
    /// <exception cref="CaldException">There is nothing in it, or the disk is full.</exception>
    public void Complete()
    {
        if (_journal.Tokens == 0)
            throw new CaldException($"{_name}: no tokens to write; an empty data set is of no use");
        if (_journal.InDocument)
            EndDocument();
        Translate(() =>
        {
            _data.Flush(flushToDisk: true);
            _data.Dispose();
            File.Delete(_name + ".idx"); // an index without data, or with those of another, must never be found
            File.Move(Temporaries(_name).Data, _name + ".bin", overwrite: true);
            return true;
        });
        AtomicFile.Write(_name + ".idx", 0, stream => _journal.WriteIndex(stream, _type));
        _keep = false;
    }

    /// <summary>Closes the files; unfinished ones are deleted unless there is a mark to go on from.</summary>
    public void Dispose()
    {
        _data.Dispose();
        _journal.Dispose();
        if (!_keep)
            Delete(_name);
    }

    /// <summary>Deletes what a writer of that name left unfinished.</summary>
    internal static void Discard(string path) => Delete(IndexedDataset.Prefix(path));

    private static (string Data, string Journal) Temporaries(string name) =>
        (name + ".bin" + AtomicFile.TemporarySuffix, name + ".lengths" + AtomicFile.TemporarySuffix);

    private static IndexedDatasetWriter Open(string path, IndexedElementType type, WriterMark mark)
    {
        string name = IndexedDataset.Prefix(path);
        (string dataPath, string journalPath) = Temporaries(name);
        return Translate(name, () =>
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(name))!);
            FileStream data = new(dataPath, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, 1 << 16);
            try
            {
                data.SetLength(mark.Tokens * IndexFile.Width(type));
                data.Position = data.Length;
                return new IndexedDatasetWriter(name, type, data, new LengthJournal(journalPath, mark.Entries));
            }
            catch
            {
                data.Dispose();
                throw;
            }
        });
    }

    private static void Delete(string name)
    {
        (string data, string journal) = Temporaries(name);
        try
        {
            File.Delete(data);
            File.Delete(journal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // They cost only space; the next writer of that name overwrites them.
        }
    }

    private void Convert(ReadOnlySpan<int> ids, Span<byte> bytes)
    {
        for (int i = 0; i < ids.Length; i++)
        {
            int id = ids[i];
            bool fits = id >= 0 && id <= (_type switch
            {
                IndexedElementType.UInt8 => byte.MaxValue,
                IndexedElementType.Int8 => sbyte.MaxValue,
                IndexedElementType.Int16 => short.MaxValue,
                IndexedElementType.UInt16 => ushort.MaxValue,
                IndexedElementType.Float32 => 1 << 24,
                _ => int.MaxValue,
            });
            if (!fits)
                throw new CaldException($"{_name}: id {id} at position {i} of a sequence cannot be stored as {_type}; choose a larger type");
        }

        switch (_type)
        {
            case IndexedElementType.UInt8 or IndexedElementType.Int8:
                Fill<byte>(ids, bytes, static id => (byte)id);
                break;
            case IndexedElementType.Int16 or IndexedElementType.UInt16:
                Fill<ushort>(ids, bytes, static id => (ushort)id);
                break;
            case IndexedElementType.Int32:
                Fill<int>(ids, bytes, static id => id);
                break;
            case IndexedElementType.Int64:
                Fill<long>(ids, bytes, static id => id);
                break;
            case IndexedElementType.Float32:
                Fill<float>(ids, bytes, static id => id);
                break;
            default:
                Fill<double>(ids, bytes, static id => id);
                break;
        }
    }

    private static void Fill<T>(ReadOnlySpan<int> ids, Span<byte> bytes, Func<int, T> convert)
        where T : unmanaged
    {
        Span<T> values = MemoryMarshal.Cast<byte, T>(bytes);
        for (int i = 0; i < ids.Length; i++)
            values[i] = convert(ids[i]);
    }

    private T Translate<T>(Func<T> write) => Translate(_name, write);

    private static T Translate<T>(string name, Func<T> write)
    {
        try
        {
            return write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new CaldException($"{name}: the data set cannot be written: {e.Message}. Free some space, or choose a folder that may be written", e);
        }
    }
}

/// <summary>A place to go on from.</summary>
/// <param name="Tokens">Ids written.</param>
/// <param name="Entries">Entries of the journal of lengths.</param>
internal readonly record struct WriterMark(long Tokens, long Entries);
