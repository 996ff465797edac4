using LinearCald.Tensors;

namespace LinearCald.Nn.Files;

/// <summary>What a safetensors header says about one tensor, already checked against the file it stands in.</summary>
/// <param name="Name">The tensor's name, any Unicode string.</param>
/// <param name="TypeName">The element type as written in the header, such as <c>BF16</c>.</param>
/// <param name="Type">Our element type, or null for a legal type that LinearCald does not compute with (<c>F8_E4M3</c>, <c>I16</c>, …).</param>
/// <param name="Shape">Extents, outermost first; empty for a scalar. At most eight, any may be 0.</param>
/// <param name="Offset">First byte, counted from the start of the data section (not of the file).</param>
/// <param name="ByteLength">Bytes of the tensor.</param>
public sealed record SafetensorsEntry(string Name, string TypeName, DType? Type, long[] Shape, long Offset, long ByteLength)
{
    /// <summary>Product of the extents; 1 for a scalar.</summary>
    public long ElementCount { get; } = Product(Shape);

    /// <summary>For messages: <c>F32 [768, 3072]</c>.</summary>
    public string Description => $"{TypeName} [{string.Join(", ", Shape)}]";

    private static long Product(long[] shape)
    {
        long product = 1;
        foreach (long extent in shape)
            product *= extent; // cannot overflow: the header's parser has checked it
        return product;
    }
}
