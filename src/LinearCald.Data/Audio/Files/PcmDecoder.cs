namespace LinearCald.Data.Audio.Files;

/// <summary>Uncompressed (or companded) samples that lie in a file one frame after the other. The source stands at the first of them.</summary>
internal sealed class PcmDecoder : AudioDecoder
{
    private const int ChunkBytes = 1 << 15;

    private readonly PcmLayout _layout;
    private readonly byte[] _raw;
    private long _next; // sample frame

    public PcmDecoder(AudioSource source, PcmLayout layout)
        : base(source)
    {
        _layout = layout;
        long bytes = Math.Min(layout.DataBytes ?? ChunkBytes, ChunkBytes);
        _raw = new byte[Math.Max(1, (bytes + layout.FrameBytes - 1) / layout.FrameBytes) * layout.FrameBytes];
    }

    public override int SampleRate => _layout.SampleRate;

    public override int Channels => _layout.Channels;

    public override long? Frames => _layout.DataBytes / _layout.FrameBytes;

    public override bool FramesAreCertain => Source.CanSeek;

    public override string Format => $"{_layout.Container}, {_layout.Encoding.Describe()}";

    public override bool MayBeUnsound => _layout.Encoding.IsFloat();

    public override int Read(Span<float> mono)
    {
        int done = 0, width = _layout.FrameBytes;
        while (done < mono.Length)
        {
            long wanted = Math.Min(mono.Length - done, _raw.Length / width);
            if (Frames is { } frames)
            {
                wanted = Math.Min(wanted, frames - _next);
            }

            if (wanted == 0)
            {
                break;
            }

            Span<byte> raw = _raw.AsSpan(0, (int)wanted * width);
            int got = Source.Read(raw);
            if (got < raw.Length && (_layout.DataBytes is not null || !IsPadded(raw[..got])))
            {
                throw Source.Truncated($"sample frame {_next + (got / width)}" + (Frames is { } promised ? $" of {promised}" : ""));
            }

            int count = got / width;
            SampleCodes.Mix(_layout.Encoding, raw[..(count * width)], _layout.Channels, mono.Slice(done, count));
            _next += count;
            done += count;
            if (got < raw.Length)
            {
                break;
            }
        }

        return done;
    }

    public override long Skip(long frames)
    {
        if (!Source.CanSeek || Frames is not { } all)
        {
            return base.Skip(frames);
        }

        long count = Math.Min(frames, all - _next);
        Source.Skip(count * _layout.FrameBytes, "the samples");
        _next += count;
        return count;
    }

    protected override long? ByteOf(long frame) => _layout.DataStart + (frame * _layout.FrameBytes);

    /// <summary>Whether the last bytes of a stream without a size are whole frames, or whole frames and the zero that pads an odd chunk.</summary>
    private bool IsPadded(ReadOnlySpan<byte> last)
    {
        int rest = last.Length % _layout.FrameBytes;
        return rest == 0 || (rest == 1 && last[^1] == 0 && _layout.FrameBytes % 2 == 1);
    }
}
