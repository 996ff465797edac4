using System.Buffers.Binary;

namespace LinearCald.Data.Audio.Files.Flac;

/// <summary>The cyclic redundancy checks of FLAC frames: most significant bit first, starting at 0.</summary>
internal static class FlacChecksums
{
    private const int Slices = 8;

    private static readonly byte[] s_header = HeaderTable();
    private static readonly ushort[][] s_frame = FrameTables();

    /// <summary>CRC-8 of a frame's header, polynomial x⁸ + x² + x + 1.</summary>
    public static byte Header(ReadOnlySpan<byte> bytes)
    {
        byte crc = 0;
        foreach (byte b in bytes)
        {
            crc = s_header[crc ^ b];
        }

        return crc;
    }

    /// <summary>CRC-16 of a frame, polynomial x¹⁶ + x¹⁵ + x² + 1. Eight bytes a step: table i holds the effect of a byte that i more follow.</summary>
    public static ushort Frame(ReadOnlySpan<byte> bytes)
    {
        uint crc = 0;
        ushort[] t0 = s_frame[0], t1 = s_frame[1], t2 = s_frame[2], t3 = s_frame[3], t4 = s_frame[4], t5 = s_frame[5], t6 = s_frame[6], t7 = s_frame[7];
        while (bytes.Length >= Slices)
        {
            ulong word = BinaryPrimitives.ReadUInt64BigEndian(bytes) ^ ((ulong)crc << 48);
            crc = (uint)(t7[(byte)(word >> 56)] ^ t6[(byte)(word >> 48)] ^ t5[(byte)(word >> 40)] ^ t4[(byte)(word >> 32)]
                ^ t3[(byte)(word >> 24)] ^ t2[(byte)(word >> 16)] ^ t1[(byte)(word >> 8)] ^ t0[(byte)word]);
            bytes = bytes[Slices..];
        }

        foreach (byte b in bytes)
        {
            crc = ((crc << 8) ^ t0[(byte)(crc >> 8) ^ b]) & 0xFFFF;
        }

        return (ushort)crc;
    }

    private static byte[] HeaderTable()
    {
        byte[] table = new byte[256];
        for (int i = 0; i < 256; i++)
        {
            int crc = i;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc << 1) ^ ((crc & 0x80) != 0 ? 0x107 : 0);
            }

            table[i] = (byte)crc;
        }

        return table;
    }

    private static ushort[][] FrameTables()
    {
        ushort[][] tables = [.. Enumerable.Range(0, Slices).Select(_ => new ushort[256])];
        for (int i = 0; i < 256; i++)
        {
            int crc = i << 8;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc << 1) ^ ((crc & 0x8000) != 0 ? 0x18005 : 0);
            }

            tables[0][i] = (ushort)crc;
        }

        for (int slice = 1; slice < Slices; slice++)
        {
            for (int i = 0; i < 256; i++)
            {
                ushort before = tables[slice - 1][i];
                tables[slice][i] = (ushort)((before << 8) ^ tables[0][before >> 8]);
            }
        }

        return tables;
    }
}
