using System.Numerics;

namespace LinearCald.Data.Audio.Files.Flac;

/// <summary>
/// Decodes native FLAC streams, RFC 9639. Every frame's checksum and number are checked, and the digest of all samples when they were all decoded.
/// Damage is an error; nothing is left out silently.
/// </summary>
internal sealed class FlacDecoder : AudioDecoder
{
    private const int NearBytes = 1 << 16;
    private const int NearBlocks = 16;
    private const int PlausibleRatio = 64; // samples a byte, beyond which the claimed length is not taken on trust

    private readonly FlacStreamInfo _info;
    private readonly FlacBitReader _bits;
    private readonly FlacFrame _frame;
    private float[] _mono = [];
    private int _used; // of _mono
    private int _there; // in _mono
    private long _decoded; // the sample after the last frame
    private int _fixedBlock; // samples that a frame's number stands for; 0 before the first frame
    private long _origin; // number of the stream's first sample
    private FlacHash? _hash; // null when there is nothing to compare with, or not all is decoded

    public FlacDecoder(AudioSource source)
        : base(source)
    {
        _info = FlacStreamInfo.Read(source);
        _bits = new FlacBitReader(source);
        _frame = new FlacFrame(_info, _bits);
        _hash = _info.Checksum.AsSpan().ContainsAnyExcept((byte)0) ? new FlacHash(_info.Channels, _info.Bits) : null;
    }

    public override int SampleRate => _info.SampleRate;

    public override int Channels => _info.Channels;

    public override long? Frames => _info.Frames == 0 ? null : _info.Frames;

    public override bool FramesAreCertain => _info.Frames / PlausibleRatio <= Source.Length;

    public override string Format => $"FLAC, {_info.Bits} bit";

    public override int Read(Span<float> mono)
    {
        int done = 0;
        while (done < mono.Length && (_used < _there || Next()))
        {
            int count = Math.Min(mono.Length - done, _there - _used);
            _mono.AsSpan(_used, count).CopyTo(mono[done..]);
            _used += count;
            done += count;
        }

        return done;
    }

    public override long Skip(long frames)
    {
        long position = _decoded - _there + _used, target = frames > long.MaxValue - position ? long.MaxValue : position + frames;
        if (Source.CanSeek && target != long.MaxValue && target - _decoded > (long)NearBlocks * _info.LargestBlock && (_there > 0 || Next()))
        {
            Approach(target);
        }

        while (_decoded < target)
        {
            if (!Next())
            {
                return _decoded - position;
            }
        }

        _used = _there - (int)(_decoded - target);
        return frames;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _hash?.Dispose();
        }
        base.Dispose(disposing);
    }

    /// <summary>Decodes the next frame; false at the end.</summary>
    private bool Next()
    {
        (_used, _there) = (0, 0);
        if (_info.Frames > 0 && _decoded == _info.Frames)
        {
            return false; // what may follow (tags) is no audio
        }

        long start = _bits.Position;
        if (_bits.BeginFrame(1).Length == 0)
        {
            if (_info.Frames > 0)
            {
                throw Source.Error(start, $"the file ends after {_decoded} of {_info.Frames} sample frames; it is cut short, so copy or convert it again");
            }

            CheckHash();
            return false;
        }

        FlacFrameHeader header = _frame.Decode();
        if (_fixedBlock == 0)
        {
            _fixedBlock = _info.SmallestBlock == _info.LargestBlock ? _info.LargestBlock : header.BlockSize;
            _origin = First(header);
        }

        if (First(header) - _origin != _decoded)
        {
            throw Source.Error(start, $"a FLAC frame begins with sample {First(header) - _origin} where {_decoded} is due; frames are missing or out of order");
        }

        _decoded += header.BlockSize;
        if (_info.Frames > 0 && _decoded > _info.Frames)
        {
            throw Source.Error(start, $"the FLAC frames go on to sample frame {_decoded}, the header promises {_info.Frames}; it lies");
        }

        Mix();
        _hash?.Add(_frame);
        if (_decoded == _info.Frames)
        {
            CheckHash();
        }

        return true;
    }

    private long First(FlacFrameHeader header) => header.IsVariable ? header.Number : header.Number * _fixedBlock;

    private void Mix()
    {
        _there = _frame.BlockSize;
        if (_mono.Length < _there)
        {
            _mono = new float[_there];
        }

        float step = 1f / (1L << (_info.Bits - 1));
        if (_info.Channels == 1)
        {
            ReadOnlySpan<int> samples = _frame.Channel(0);
            Span<float> mono = _mono.AsSpan(0, samples.Length);
            int i = 0;
            for (; i <= samples.Length - Vector<int>.Count; i += Vector<int>.Count)
            {
                (Vector.ConvertToSingle(new Vector<int>(samples[i..])) * step).CopyTo(mono[i..]);
            }

            for (; i < samples.Length; i++)
            {
                mono[i] = samples[i] * step;
            }

            return;
        }

        for (int at = 0; at < _there; at++)
        {
            long sum = 0;
            for (int c = 0; c < _info.Channels; c++)
            {
                sum += _frame.Channel(c)[at];
            }

            _mono[at] = (float)((double)sum * step / _info.Channels);
        }
    }

    private void CheckHash()
    {
        if (_hash is not null && !_hash.Finish().AsSpan().SequenceEqual(_info.Checksum))
        {
            throw new CaldException($"{Name}: the decoded samples do not have the MD5 digest that the FLAC header states; the file is damaged, so copy or convert it again");
        }
    }

    /// <summary>
    /// Goes to a frame not far before a sample, by bisection over bytes: from any byte the next frame is found by its mark, checksums and number.
    /// Leaves the digest, which needs all samples.
    /// </summary>
    private void Approach(long target)
    {
        _hash?.Dispose();
        _hash = null;
        (_used, _there) = (0, 0);
        long low = _bits.Position, high = Source.Length!.Value, decoded = _decoded;
        while (high - low > NearBytes)
        {
            long middle = low + ((high - low) / 2);
            (long at, long first) = Find(middle, high);
            if (at >= 0 && first <= target)
            {
                (low, decoded) = (at, first);
            }
            else
            {
                high = middle;
            }
        }

        _bits.Seek(low);
        _decoded = decoded;
    }

    /// <summary>The first sound frame between two bytes, and its first sample; (−1, 0) where there is none.</summary>
    private (long At, long First) Find(long from, long to)
    {
        for (_bits.Seek(from); _bits.Position < to;)
        {
            ReadOnlySpan<byte> bytes = _bits.BeginFrame(FlacFrameHeader.LargestBytes);
            if (bytes.Length < FlacFrameHeader.LargestBytes)
            {
                break;
            }

            if (FlacFrameHeader.IsSync(bytes[0], bytes[1]) && FlacFrameHeader.Parse(bytes, _info, out FlacFrameHeader header) is null)
            {
                long at = _bits.Position;
                if (IsSound())
                {
                    return (at, First(header) - _origin);
                }

                _bits.Seek(at);
            }

            _bits.SkipBytes(1);
        }

        return (-1, 0);
    }

    private bool IsSound()
    {
        try
        {
            _frame.Decode();
            return true;
        }
        catch (CaldException)
        {
            return false; // bytes within a frame that look like the head of one
        }
    }
}
