namespace LinearCald.Data.Audio.Files.Flac;

/// <summary>Decodes frames: their subframes, the relation of two channels, the checksum.</summary>
internal sealed class FlacFrame
{
    private readonly FlacStreamInfo _info;
    private readonly FlacBitReader _bits;
    private readonly FlacSubframe<int> _subframe;
    private readonly int[][] _samples; // [channels][≥ block]
    private FlacSubframe<long>? _wideSubframe; // for the difference of 32-bit channels, which has 33 bits
    private long[] _wide = [];

    public FlacFrame(FlacStreamInfo info, FlacBitReader bits)
    {
        (_info, _bits, _subframe) = (info, bits, new FlacSubframe<int>(bits));
        _samples = [.. Enumerable.Range(0, info.Channels).Select(_ => Array.Empty<int>())];
    }

    /// <summary>Samples of a channel in the last frame.</summary>
    public int BlockSize { get; private set; }

    /// <summary>The samples of a channel of the last frame.</summary>
    public ReadOnlySpan<int> Channel(int index) => _samples[index].AsSpan(0, BlockSize);

    /// <summary>Decodes the frame that begins at the reader's position.</summary>
    /// <exception cref="CaldException">There is none, or it is damaged or cut short.</exception>
    public FlacFrameHeader Decode()
    {
        long start = _bits.Position;
        if (FlacFrameHeader.Parse(_bits.BeginFrame(FlacFrameHeader.LargestBytes), _info, out FlacFrameHeader header) is { } problem)
        {
            throw _bits.Error(problem);
        }

        _bits.SkipBytes(header.Bytes);
        BlockSize = header.BlockSize;
        for (int c = 0; c < _samples.Length; c++)
        {
            if (_samples[c].Length < BlockSize)
            {
                _samples[c] = new int[BlockSize];
            }

            bool isSide = (header.Stereo, c) is (FlacStereo.LeftSide or FlacStereo.MidSide, 1) or (FlacStereo.SideRight, 0);
            if (isSide && _info.Bits == 32)
            {
                DecodeWide();
            }
            else
            {
                _subframe.Decode(_samples[c].AsSpan(0, BlockSize), _info.Bits + (isSide ? 1 : 0));
            }
        }

        bool aligned = _bits.Align();
        ushort computed = FlacChecksums.Frame(_bits.FrameBytes);
        uint stored = _bits.ReadBits(16);
        _bits.CheckEnd();
        if (!aligned || computed != stored)
        {
            throw _bits.Error($"the checksum of the FLAC frame at byte {start} does not match; the file is damaged");
        }

        if (header.Stereo != FlacStereo.Independent)
        {
            if (_info.Bits == 32)
            {
                RestoreWide(header.Stereo, _samples[0].AsSpan(0, BlockSize), _samples[1].AsSpan(0, BlockSize), _wide);
            }
            else
            {
                Restore(header.Stereo, _samples[0].AsSpan(0, BlockSize), _samples[1].AsSpan(0, BlockSize));
            }
        }

        return header;
    }

    private void DecodeWide()
    {
        _wideSubframe ??= new FlacSubframe<long>(_bits);
        if (_wide.Length < BlockSize)
        {
            _wide = new long[BlockSize];
        }

        _wideSubframe.Decode(_wide.AsSpan(0, BlockSize), 33);
    }

    /// <summary>Side is left − right; mid is half their sum, whose lost bit is that of side.</summary>
    private static void Restore(FlacStereo stereo, Span<int> first, Span<int> second)
    {
        for (int i = 0; i < first.Length; i++)
        {
            switch (stereo)
            {
                case FlacStereo.LeftSide:
                    second[i] = first[i] - second[i];
                    break;
                case FlacStereo.SideRight:
                    first[i] += second[i];
                    break;
                default:
                    int side = second[i], sum = (first[i] << 1) | (side & 1);
                    (first[i], second[i]) = ((sum + side) >> 1, (sum - side) >> 1);
                    break;
            }
        }
    }

    private static void RestoreWide(FlacStereo stereo, Span<int> first, Span<int> second, ReadOnlySpan<long> side)
    {
        for (int i = 0; i < first.Length; i++)
        {
            switch (stereo)
            {
                case FlacStereo.LeftSide:
                    second[i] = (int)(first[i] - side[i]);
                    break;
                case FlacStereo.SideRight:
                    first[i] = (int)(second[i] + side[i]);
                    break;
                default:
                    long sum = ((long)first[i] << 1) | (side[i] & 1);
                    (first[i], second[i]) = ((int)((sum + side[i]) >> 1), (int)((sum - side[i]) >> 1));
                    break;
            }
        }
    }
}
