namespace LinearCald.Gpu.Driver;

/// <summary>
/// Page-locked memory through which host copies go. Uploads are packed into a ring of chunks, so that a copy returns when the source has been read and
/// the device may still be busy; a chunk is written again when the event behind its last copy has passed. Downloads go through two chunks in turn,
/// one being read while the other is filled.
/// </summary>
internal sealed unsafe class HostStaging : IDisposable
{
    private const int Alignment = 256;
    private readonly CudaStream _stream;
    private readonly Chunk[] _uploads;
    private readonly Chunk[] _downloads;
    private readonly int _chunkBytes;
    private int _current;
    private int _filled;

    /// <param name="stream">In whose order copies are made.</param>
    /// <param name="chunkBytes">Size of a chunk.</param>
    /// <param name="chunks">Chunks for uploads, at least 2.</param>
    public HostStaging(CudaStream stream, int chunkBytes = 4 << 20, int chunks = 4)
    {
        _stream = stream;
        _chunkBytes = chunkBytes;
        _uploads = new Chunk[chunks];
        _downloads = new Chunk[2];
    }

    public void Upload(ReadOnlySpan<byte> source, nint destination)
    {
        while (source.Length > 0)
        {
            if (_filled >= _chunkBytes)
            {
                // The event marks the end of this chunk's copies; the next chunk is free once its own has passed.
                _stream.Check(_stream.Driver.RecordEvent(_uploads[_current].Event, _stream.Handle), "copying to the device");
                _current = (_current + 1) % _uploads.Length;
                _filled = 0;
                if (_uploads[_current].Address != 0)
                {
                    _stream.Check(_stream.Driver.WaitForEvent(_uploads[_current].Event), "copying to the device");
                }
            }

            nint chunk = Open(ref _uploads[_current]) + _filled;
            int count = Math.Min(source.Length, _chunkBytes - _filled);
            source[..count].CopyTo(new Span<byte>((void*)chunk, count));
            _stream.Check(_stream.Driver.CopyToDevice(destination, chunk, (nuint)count, _stream.Handle), "copying to the device");
            _filled += (count + Alignment - 1) / Alignment * Alignment;
            source = source[count..];
            destination += count;
        }
    }

    public void Download(nint source, Span<byte> destination)
    {
        int parts = (destination.Length + _chunkBytes - 1) / _chunkBytes;
        for (int i = 0; i <= parts; i++)
        {
            if (i < parts)
            {
                ref Chunk chunk = ref _downloads[i & 1];
                nint address = Open(ref chunk);
                long start = (long)i * _chunkBytes;
                long count = Math.Min(_chunkBytes, destination.Length - start);
                _stream.Check(_stream.Driver.CopyToHost(address, source + (nint)start, (nuint)count, _stream.Handle), "copying to the host");
                _stream.Check(_stream.Driver.RecordEvent(chunk.Event, _stream.Handle), "copying to the host");
            }

            if (i > 0)
            {
                ref Chunk chunk = ref _downloads[(i - 1) & 1];
                _stream.Check(_stream.Driver.WaitForEvent(chunk.Event), "copying to the host");
                Span<byte> part = destination[((i - 1) * _chunkBytes)..];
                part = part[..Math.Min(_chunkBytes, part.Length)];
                new ReadOnlySpan<byte>((void*)chunk.Address, part.Length).CopyTo(part);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Chunk chunk in _uploads.Concat(_downloads).Where(c => c.Address != 0))
        {
            _stream.Driver.DestroyEvent(chunk.Event);
            _stream.Driver.FreeHost(chunk.Address);
        }
    }

    private nint Open(ref Chunk chunk)
    {
        if (chunk.Address == 0)
        {
            _stream.Check(_stream.Driver.CreateEvent(timed: false, out chunk.Event), "making an event");
            _stream.Check(_stream.Driver.AllocateHost((nuint)_chunkBytes, out chunk.Address), "allocating page-locked host memory");
        }

        return chunk.Address;
    }

    private struct Chunk
    {
        public nint Address;
        public nint Event;
    }
}
