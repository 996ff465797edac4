using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace LinearCald.Data.Audio.Files.Flac;

/// <summary>The MD5 of a FLAC stream's samples: channels side by side, little-endian, in as few whole bytes as they need. It guards against damage, not against people.</summary>
internal sealed class FlacHash(int channels, int bits) : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
    private readonly int _width = (bits + 7) / 8;
    private byte[] _bytes = [];

    /// <summary>Adds a frame.</summary>
    public void Add(FlacFrame frame)
    {
        int size = frame.BlockSize * channels * _width;
        if (_bytes.Length < size)
        {
            _bytes = new byte[size];
        }

        for (int c = 0; c < channels; c++)
        {
            if (_width == 2 && BitConverter.IsLittleEndian)
            {
                Place(frame.Channel(c), MemoryMarshal.Cast<byte, short>(_bytes.AsSpan(0, size)), c);
            }
            else
            {
                Place(frame.Channel(c), _bytes.AsSpan(0, size), c * _width);
            }
        }

        _hash.AppendData(_bytes, 0, size);
    }

    /// <summary>The digest of all frames.</summary>
    public byte[] Finish() => _hash.GetHashAndReset();

    public void Dispose() => _hash.Dispose();

    private void Place(ReadOnlySpan<int> samples, Span<short> target, int channel)
    {
        for (int i = 0, at = channel; i < samples.Length; i++, at += channels)
        {
            target[at] = (short)samples[i];
        }
    }

    private void Place(ReadOnlySpan<int> samples, Span<byte> target, int offset)
    {
        foreach (int sample in samples)
        {
            for (int b = 0; b < _width; b++)
            {
                target[offset + b] = (byte)(sample >> (8 * b));
            }

            offset += channels * _width;
        }
    }
}
