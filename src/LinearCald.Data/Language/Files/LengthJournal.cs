using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace LinearCald.Data.Language.Files;

/// <summary>
/// The lengths of sequences while a data set is being written, in a file, so that any number of them takes no memory and survives a crash:
/// i32 each, the length of a sequence or −1 for the end of a document.
/// </summary>
internal sealed class LengthJournal : IDisposable
{
    private const int EndOfDocument = -1;

    private readonly FileStream _stream;

    /// <param name="path">The file; made if need be.</param>
    /// <param name="entries">Entries to keep; what comes after them is cut off.</param>
    public LengthJournal(string path, long entries)
    {
        _stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1 << 16);
        if (_stream.Length < entries * sizeof(int))
        {
            _stream.Dispose();
            throw new InvalidDataException($"{path} is shorter than it was");
        }

        _stream.SetLength(entries * sizeof(int));
        _stream.Position = _stream.Length;
        foreach (int length in Entries())
            Count(length);
    }

    /// <summary>Entries so far.</summary>
    public long EntryCount => Sequences + Documents;

    public long Sequences { get; private set; }

    public long Documents { get; private set; }

    /// <summary>Ids of all sequences.</summary>
    public long Tokens { get; private set; }

    /// <summary>Whether sequences came after the last end of a document.</summary>
    public bool InDocument { get; private set; }

    public void AddSequence(int length) => Add(length);

    public void EndDocument() => Add(EndOfDocument);

    public void Flush() => _stream.Flush(flushToDisk: true);

    /// <summary>Writes the index of everything so far.</summary>
    public void WriteIndex(Stream target, IndexedElementType type)
    {
        BinaryWriter writer = new(target);
        writer.Write(IndexFile.Magic);
        writer.Write(1UL);
        writer.Write((byte)type);
        writer.Write(Sequences);
        writer.Write(Documents + 1);
        foreach (int length in Entries().Where(length => length >= 0))
            writer.Write(length);
        long offset = 0;
        foreach (int length in Entries().Where(length => length >= 0))
        {
            writer.Write(offset);
            offset += (long)length * IndexFile.Width(type);
        }

        writer.Write(0L);
        long sequence = 0;
        foreach (int length in Entries())
        {
            if (length == EndOfDocument)
                writer.Write(sequence);
            else
                sequence++;
        }

        writer.Flush();
    }

    public void Dispose() => _stream.Dispose();

    private void Add(int entry)
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, entry);
        _stream.Write(bytes);
        Count(entry);
    }

    private void Count(int entry)
    {
        InDocument = entry != EndOfDocument;
        if (InDocument)
        {
            Sequences++;
            Tokens += entry;
        }
        else
        {
            Documents++;
        }
    }

    private IEnumerable<int> Entries()
    {
        _stream.Flush();
        long end = _stream.Length;
        int[] chunk = new int[1 << 14];
        for (long at = 0; at < end;)
        {
            int count = (int)Math.Min(chunk.Length, (end - at) / sizeof(int));
            _stream.Position = at;
            _stream.ReadExactly(MemoryMarshal.AsBytes(chunk.AsSpan(0, count)));
            at += (long)count * sizeof(int);
            for (int i = 0; i < count; i++)
                yield return chunk[i];
        }

        _stream.Position = end;
    }
}
