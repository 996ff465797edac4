using System.Runtime.InteropServices;
using LinearCald.Tensors;

namespace LinearCald.Nn.Files;

/// <summary>Gives a part of a tensor's contents, little endian and row-major.</summary>
/// <param name="firstElement">Index of the first element wanted.</param>
/// <param name="destination">To be filled completely; always whole elements.</param>
public delegate void PayloadBytes(long firstElement, Span<byte> destination);

/// <summary>Gives a part of a tensor's float32 contents, row-major.</summary>
/// <param name="firstElement">Index of the first element wanted.</param>
/// <param name="destination">To be filled completely.</param>
public delegate void PayloadSingles(long firstElement, Span<float> destination);

/// <summary>
/// A tensor on its way into a file. Its contents are asked for piece by piece while the file is written, so that nothing needs to be copied
/// beforehand and a tensor may live on any device.
/// </summary>
public sealed class TensorPayload
{
    private readonly PayloadBytes _fill;

    /// <param name="name">Name in the file; unique there.</param>
    /// <param name="type">Element type in the file.</param>
    /// <param name="shape">Extents, outermost first; empty for a scalar.</param>
    /// <param name="fill">Gives the contents, already of that type.</param>
    public TensorPayload(string name, DType type, ReadOnlySpan<long> shape, PayloadBytes fill)
    {
        Name = name;
        Type = type;
        Shape = shape.ToArray();
        _fill = fill;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(shape.Length, SafetensorsHeader.MaxRank, nameof(shape));
        ElementCount = 1;
        foreach (long extent in shape)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(extent, nameof(shape));
            ElementCount = checked(ElementCount * extent);
        }

        ByteLength = checked(ElementCount * type.Size());
    }

    /// <summary>Name in the file.</summary>
    public string Name { get; }

    /// <summary>Element type in the file.</summary>
    public DType Type { get; }

    /// <summary>Extents, outermost first.</summary>
    public IReadOnlyList<long> Shape { get; }

    /// <summary>Product of the extents; 1 for a scalar.</summary>
    public long ElementCount { get; }

    /// <summary>Bytes that the contents take in the file.</summary>
    public long ByteLength { get; }

    /// <summary>A tensor given as bytes of its element type.</summary>
    public static TensorPayload FromBytes(string name, DType type, ReadOnlySpan<long> shape, ReadOnlyMemory<byte> bytes)
    {
        void Part(long first, Span<byte> destination) => bytes.Span.Slice((int)(first * type.Size()), destination.Length).CopyTo(destination);
        TensorPayload payload = new(name, type, shape, Part);
        return payload.ByteLength == bytes.Length
            ? payload
            : throw new ArgumentException($"tensor {name} takes {payload.ByteLength} bytes by its shape, {bytes.Length} were given", nameof(bytes));
    }

    /// <summary>A float32 tensor in memory, stored as <paramref name="storeAs"/> (float32 unless told).</summary>
    public static TensorPayload FromSingles(string name, ReadOnlySpan<long> shape, ReadOnlyMemory<float> values, DType storeAs = DType.Float32)
    {
        void Part(long first, Span<float> destination) => values.Span.Slice((int)first, destination.Length).CopyTo(destination);
        TensorPayload payload = FromSingles(name, shape, Part, storeAs);
        return payload.ElementCount == values.Length
            ? payload
            : throw new ArgumentException($"tensor {name} has {payload.ElementCount} elements by its shape, {values.Length} were given", nameof(values));
    }

    /// <summary>
    /// A float32 tensor wherever it lives, stored as a floating-point type. A value too large for that type is a
    /// <see cref="CaldException"/> while writing.
    /// </summary>
    public static TensorPayload FromSingles(string name, ReadOnlySpan<long> shape, PayloadSingles values, DType storeAs = DType.Float32)
    {
        if (storeAs == DType.Float32)
            return new TensorPayload(name, storeAs, shape, (first, destination) => values(first, MemoryMarshal.Cast<byte, float>(destination)));
        if (!storeAs.IsFloat())
            throw new ArgumentException($"tensor {name} is floating-point and cannot be stored as {storeAs}", nameof(storeAs));
        return new TensorPayload(name, storeAs, shape, (first, destination) => Narrow(name, storeAs, values, first, destination));
    }

    /// <summary>Fills <paramref name="destination"/> with the contents from element <paramref name="firstElement"/> on.</summary>
    internal void Fill(long firstElement, Span<byte> destination) => _fill(firstElement, destination);

    private static void Narrow(string name, DType storeAs, PayloadSingles values, long first, Span<byte> destination)
    {
        Span<float> buffer = stackalloc float[1024];
        int size = storeAs.Size();
        int count = destination.Length / size;
        for (int at = 0; at < count; at += buffer.Length)
        {
            Span<float> part = buffer[..Math.Min(buffer.Length, count - at)];
            values(first + at, part);
            int overflow = ElementConversion.FromSingle(part, storeAs, destination.Slice(at * size, part.Length * size));
            if (overflow >= 0)
            {
                throw new CaldException(
                    $"Cannot save tensor {Quoted.Of(name)} as {storeAs.SafetensorsName()}: " +
                    $"element {first + at + overflow} is {part[overflow]}, past the type's range. Save as BF16 or F32.");
            }
        }
    }
}
