using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace LinearCald.Gpu;

/// <summary>What a <see cref="TensorMap"/> was made from: the 128 bytes themselves where no driver encodes them.</summary>
[StructLayout(LayoutKind.Sequential, Size = 128)]
internal unsafe struct TensorMapDescription
{
    public const int MaximumRank = 5;

    /// <summary>Tells a description from other bytes.</summary>
    private const ulong Marked = 0x70616D726F736E65;

    public fixed long Extents[MaximumRank];
    public fixed long Strides[MaximumRank - 1];
    public fixed int Box[MaximumRank];
    public readonly int Rank;
    public readonly nint Address;
    public readonly TensorElement Element;
    public readonly TensorSwizzle Swizzle;
    private readonly ulong _mark;

    public TensorMapDescription(nint address, TensorElement element, ReadOnlySpan<long> extents, ReadOnlySpan<long> strides, ReadOnlySpan<int> box, TensorSwizzle swizzle)
    {
        Rank = extents.Length;
        Address = address;
        Element = element;
        Swizzle = swizzle;
        _mark = Marked;
        for (int i = 0; i < Rank; i++)
        {
            Extents[i] = extents[i];
            Box[i] = box[i];
            if (i > 0)
            {
                Strides[i - 1] = strides[i - 1];
            }
        }
    }

    /// <summary>Bytes from the first element to the end of the last one.</summary>
    public readonly long Length
    {
        get
        {
            long length = Extents[0] * Element.Bytes();
            for (int i = 1; i < Rank; i++)
            {
                length += (Extents[i] - 1) * Strides[i - 1];
            }

            return length;
        }
    }

    /// <summary>Bytes that one copy moves.</summary>
    public readonly int BoxBytes
    {
        get
        {
            int bytes = Element.Bytes();
            for (int i = 0; i < Rank; i++)
            {
                bytes *= Box[i];
            }

            return bytes;
        }
    }

    public static TensorMapDescription Of(in TensorMap map)
    {
        TensorMapDescription description = Unsafe.As<TensorMap, TensorMapDescription>(ref Unsafe.AsRef(in map));
        return description._mark == Marked ? description : throw new CaldException("a tensor map was not made for this device: make it with TensorMap.Create");
    }

    /// <summary>As the kernel's parameter.</summary>
    public readonly TensorMap Pack() => Unsafe.BitCast<TensorMapDescription, TensorMap>(this);

    /// <summary>A box as it would arrive in shared memory; what lies outside of the tensor is zero.</summary>
    /// <param name="start">Its first element along each dimension, innermost first; any.</param>
    /// <param name="address">Where it goes.</param>
    public readonly byte[] Read(ReadOnlySpan<int> start, int address)
    {
        const int Chunk = 16;
        byte[] box = new byte[BoxBytes];
        int size = Element.Bytes();
        int row = Box[0] * size;
        for (int i = 0; i < box.Length / row; i++)
        {
            if (!TryRow(start, i, out long from))
            {
                continue;
            }

            for (int j = 0; j < row; j += size)
            {
                long column = start[0] + ((long)j / size);
                if (column >= 0 && column < Extents[0])
                {
                    int chunk = Swizzle.Place(address + (i * row) + (j & -Chunk)) - address;
                    Span<byte> target = box.AsSpan(chunk + (j & (Chunk - 1)), size);
                    new ReadOnlySpan<byte>((byte*)Address + from + (column * size), size).CopyTo(target);
                    if (Element == TensorElement.TensorFloat32)
                    {
                        MemoryMarshal.Write(target, Rounded(MemoryMarshal.Read<uint>(target)));
                    }
                }
            }
        }

        return box;
    }

    /// <summary>A float's bits with ten fraction bits left, halves to even; infinities and NaN as they are.</summary>
    private static uint Rounded(uint bits)
    {
        const int Dropped = 13;
        const uint Exponent = 0x7F800000;
        return (bits & Exponent) == Exponent ? bits : (bits + (1u << (Dropped - 1)) - 1 + ((bits >> Dropped) & 1)) & ~((1u << Dropped) - 1);
    }

    /// <summary>Offset in bytes of row <paramref name="row"/> of a box, counted through all its outer dimensions; false if it lies outside of the tensor.</summary>
    private readonly bool TryRow(ReadOnlySpan<int> start, int row, out long offset)
    {
        offset = 0;
        for (int d = 1; d < Rank; d++)
        {
            long index = start[d] + (long)(row % Box[d]);
            row /= Box[d];
            if (index < 0 || index >= Extents[d])
            {
                return false;
            }

            offset += index * Strides[d - 1];
        }

        return true;
    }
}
