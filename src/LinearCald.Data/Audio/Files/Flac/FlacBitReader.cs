using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace LinearCald.Data.Audio.Files.Flac;

/// <summary>
/// The bits of FLAC frames, most significant first. Keeps all bytes from the last <see cref="BeginFrame"/> on, for the checksum. Reads may run up to
/// eight bytes past the end of the file before that is noticed, at the latest by <see cref="CheckEnd"/>.
/// </summary>
internal sealed class FlacBitReader
{
    private const int Window = 1 << 18;
    private const int LargestFrame = 1 << 24; // 65,535 samples of 8 channels and 33 bits take 2.2 MB
    private const int Slack = 16; // so that eight bytes can be loaded anywhere up to the end
    private const int ReliableBits = 57; // of a load, whatever the position in the first byte

    private readonly AudioSource _source;
    private byte[] _buffer;
    private long _bufferPosition; // of _buffer[0] in the file
    private int _end; // of the bytes that are there
    private int _frame; // where the frame begins
    private long _bit; // the next one, from _buffer[0]
    private bool _ended;

    public FlacBitReader(AudioSource source)
    {
        _source = source;
        _bufferPosition = source.Position;
        _buffer = new byte[Math.Min(Window, (source.Length ?? Window) - source.Position + 1) + Slack]; // one more: then the end shows at the first read
    }

    /// <summary>The byte that the next bit is in.</summary>
    public long Position => _bufferPosition + (_bit >> 3);

    /// <summary>The bytes of the frame up to the next bit, which must begin a byte.</summary>
    public ReadOnlySpan<byte> FrameBytes => _buffer.AsSpan(_frame, (int)(_bit >> 3) - _frame);

    /// <summary>Goes to a byte of the file.</summary>
    public void Seek(long position)
    {
        _source.Seek(position);
        (_bufferPosition, _end, _frame, _bit, _ended) = (position, 0, 0, 0, false);
    }

    /// <summary>A frame begins at the next bit, which must begin a byte. Returns up to <paramref name="count"/> bytes of it.</summary>
    public ReadOnlySpan<byte> BeginFrame(int count)
    {
        _frame = (int)(_bit >> 3);
        while (_end - _frame < count && !_ended)
        {
            More();
        }

        return _buffer.AsSpan(_frame, Math.Clamp(_end - _frame, 0, count));
    }

    /// <summary>Goes on by whole bytes.</summary>
    public void SkipBytes(int count) => _bit += 8L * count;

    /// <summary>Goes to the next byte; the bits left out must be zeros.</summary>
    public bool Align()
    {
        int rest = (int)(-_bit & 7);
        return ReadBits(rest) == 0;
    }

    /// <summary>An unsigned number of 0–32 bits.</summary>
    public uint ReadBits(int count)
    {
        Need();
        uint value = (uint)(Load(_buffer, _bit) >> 1 >> (63 - count));
        _bit += count;
        return value;
    }

    /// <summary>A two's complement number of 0–33 bits.</summary>
    public long ReadSigned(int count)
    {
        Need();
        long value = count == 0 ? 0 : (long)Load(_buffer, _bit) >> (64 - count);
        _bit += count;
        return value;
    }

    /// <summary>The number of zeros before the next one.</summary>
    /// <param name="largest">More are an error.</param>
    public uint ReadUnary(uint largest)
    {
        ulong zeros = 0;
        while (true)
        {
            Need();
            int there = 64 - (int)(_bit & 7);
            int run = BitOperations.LeadingZeroCount(Load(_buffer, _bit));
            zeros += (uint)Math.Min(run, there);
            if (zeros > largest)
            {
                throw Error("a run of zeros is longer than any number needs; the file is damaged");
            }

            if (run < there)
            {
                _bit += run + 1;
                return (uint)zeros;
            }

            _bit += there;
        }
    }

    /// <summary>Rice-coded numbers: the quotient by 2ᵏ in unary, k bits of remainder; even codes are 0, 1, 2, …, odd ones −1, −2, ….</summary>
    public void ReadRice(Span<int> values, int k)
    {
        byte[] buffer = _buffer;
        long bit = _bit;
        int limit = _end - 8;
        for (int i = 0; i < values.Length; i++)
        {
            if (bit >> 3 > limit)
            {
                _bit = bit;
                More();
                (buffer, bit, limit) = (_buffer, _bit, _end - 8);
            }

            ulong word = Load(buffer, bit);
            int quotient = BitOperations.LeadingZeroCount(word), used = quotient + 1 + k;
            if (used <= ReliableBits && k <= 25) // the quotient has at most 6 bits here: the code fits into 32
            {
                uint code = ((uint)quotient << k) | (uint)(word << quotient << 1 >> 1 >> (63 - k));
                bit += used;
                values[i] = (int)(code >> 1) ^ -(int)(code & 1);
                continue;
            }

            _bit = bit;
            values[i] = ReadLongRice(k);
            (buffer, bit, limit) = (_buffer, _bit, _end - 8);
        }

        _bit = bit;
    }

    /// <summary>Throws when bits past the end of the file were read.</summary>
    public void CheckEnd()
    {
        if (_bit > 8L * _end)
        {
            throw _source.Error(_bufferPosition + _end, "the file ends within a FLAC frame; it is cut short, so copy or convert it again");
        }
    }

    /// <summary>The error for damage at the next bit.</summary>
    public CaldException Error(string problem) => _source.Error(Position, problem);

    private int ReadLongRice(int k)
    {
        uint quotient = ReadUnary(uint.MaxValue >> k);
        uint code = (quotient << k) | ReadBits(k);
        return (int)(code >> 1) ^ -(int)(code & 1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Load(byte[] buffer, long bit)
    {
        ref byte at = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(buffer), (nint)(bit >> 3));
        ulong word = Unsafe.ReadUnaligned<ulong>(ref at);
        return (BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(word) : word) << (int)(bit & 7);
    }

    /// <summary>After this, a load at the next bit lies in the buffer.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Need()
    {
        if (_bit >> 3 > _end - 8)
        {
            More();
        }
    }

    /// <summary>Takes more bytes from the file; at its end, checks that it was not passed.</summary>
    private void More()
    {
        if (_ended)
        {
            CheckEnd();
            return;
        }

        int kept = _end - _frame;
        if (_frame > 0)
        {
            _buffer.AsSpan(_frame, kept).CopyTo(_buffer);
            _bufferPosition += _frame;
            _bit -= 8L * _frame;
            (_frame, _end) = (0, kept);
        }

        if (_end == _buffer.Length - Slack)
        {
            if (_end >= LargestFrame)
            {
                throw Error($"a FLAC frame has more than {LargestFrame} bytes; the file is damaged");
            }

            Array.Resize(ref _buffer, (2 * Math.Max(_end, 64)) + Slack);
        }

        int wanted = _buffer.Length - Slack - _end, got = _source.Read(_buffer.AsSpan(_end, wanted));
        _end += got;
        _ended = got < wanted;
        if (_ended)
        {
            CheckEnd();
        }
    }
}
