using System.Runtime.InteropServices;

namespace LinearCald.Data.Audio.Files.Library;

/// <summary>Decodes what libsndfile reads. The library pulls bytes from our source, so that a stream is read like a file; one that cannot seek is taken into memory.</summary>
internal sealed unsafe class SndFileDecoder : AudioDecoder
{
    private const int ChunkSamples = 1 << 14;
    private const int FromHere = 1; // SEEK_CUR

    private readonly SourceCallbacks _callbacks;
    private readonly LibSndFile.StreamInfo _info;
    private readonly float[] _interleaved;
    private nint _handle;
    private long _next; // sample frame

    /// <param name="source">The file, read from its start.</param>
    /// <param name="kind">What it seems to be, for messages; null: unknown.</param>
    public SndFileDecoder(AudioSource source, string? kind)
        : base(source)
    {
        _callbacks = new SourceCallbacks(source);
        try
        {
            LibSndFile.VirtualFile file = SourceCallbacks.Table;
            LibSndFile.StreamInfo info = default;
            _handle = LibSndFile.Open(&file, LibSndFile.ReadMode, &info, _callbacks.Address);
            _callbacks.Rethrow();
            if (_handle == 0)
            {
                throw source.Error(0, kind is null
                    ? $"this is no audio file that is known here: WAV, FLAC and SPHERE are not recognised, and libsndfile says: {ErrorText()}"
                    : $"this seems to be {kind}, but libsndfile says: {ErrorText()}");
            }

            AudioLimits.Check(source, 0, info.SampleRate, info.Channels);
            _info = info;
            _interleaved = new float[Math.Max(1, ChunkSamples / info.Channels) * info.Channels];
            Format = $"{FormatName(LibSndFile.ContainerMask)}, {FormatName(LibSndFile.EncodingMask)}, by libsndfile";
        }
        catch
        {
            Dispose(true);
            throw;
        }
    }

    public override int SampleRate => _info.SampleRate;

    public override int Channels => _info.Channels;

    public override long? Frames => _info.Frames is > 0 and < long.MaxValue ? _info.Frames : null;

    public override bool FramesAreCertain => false;

    public override string Format { get; }

    public override bool MayBeUnsound => true;

    public override int Read(Span<float> mono)
    {
        int wanted = Math.Min(mono.Length, _interleaved.Length / Channels);
        long got;
        fixed (float* first = _interleaved)
        {
            got = LibSndFile.Read(_handle, first, wanted);
        }

        _callbacks.Rethrow();
        if (LibSndFile.Error(_handle) != 0)
        {
            throw new CaldException($"{Name}: libsndfile cannot decode it from sample frame {_next} on: {ErrorText()}");
        }

        for (int i = 0; i < got; i++)
        {
            double sum = 0;
            foreach (float sample in _interleaved.AsSpan(i * Channels, Channels))
            {
                sum += sample;
            }

            mono[i] = (float)(sum / Channels);
        }

        _next += got;
        return (int)got;
    }

    public override long Skip(long frames)
    {
        if (_info.Seekable == 0 || Frames is not { } all)
        {
            return base.Skip(frames);
        }

        long count = Math.Min(frames, all - _next), there = LibSndFile.Seek(_handle, count, FromHere);
        _callbacks.Rethrow();
        if (there != _next + count)
        {
            throw new CaldException($"{Name}: libsndfile cannot go to sample frame {_next + count}: {ErrorText()}");
        }

        _next = there;
        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (_handle != 0)
        {
            _ = LibSndFile.Close(_handle); // only read from: nothing can be lost
            _handle = 0;
        }

        _callbacks.Dispose();
        base.Dispose(disposing);
    }

    private string ErrorText() => (Marshal.PtrToStringUTF8((nint)LibSndFile.ErrorText(_handle)) ?? "unknown error").TrimEnd('.');

    private string FormatName(int mask)
    {
        LibSndFile.FormatInfo format = new() { Format = _info.Format & mask };
        return LibSndFile.Command(_handle, LibSndFile.GetFormatInfo, &format, sizeof(LibSndFile.FormatInfo)) == 0 && format.Name != null
            ? Marshal.PtrToStringUTF8((nint)format.Name)!
            : "unknown";
    }
}
