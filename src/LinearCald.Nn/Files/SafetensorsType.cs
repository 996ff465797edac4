using System.Text.Json;
using LinearCald.Tensors;

namespace LinearCald.Nn.Files;

/// <summary>The element types of the safetensors format: the name in the header, the size of an element, and ours where there is one.</summary>
/// <param name="Name">As written in the header.</param>
/// <param name="Bits">Size of one element in bits; some types are smaller than a byte.</param>
/// <param name="Type">Our type, or null when LinearCald cannot compute with it.</param>
internal sealed record SafetensorsType(string Name, int Bits, DType? Type)
{
    private static readonly SafetensorsType[] All =
    [
        new("F32", 32, DType.Float32), new("F16", 16, DType.Float16), new("BF16", 16, DType.BFloat16), new("F64", 64, DType.Float64),
        new("I64", 64, DType.Int64), new("I32", 32, DType.Int32), new("U8", 8, DType.UInt8), new("BOOL", 8, DType.Bool),
        new("I16", 16, null), new("I8", 8, null), new("U16", 16, null), new("U32", 32, null), new("U64", 64, null), new("C64", 64, null),
        new("F8_E4M3", 8, null), new("F8_E5M2", 8, null), new("F8_E8M0", 8, null),
        new("F6_E2M3", 6, null), new("F6_E3M2", 6, null), new("F4", 4, null),
    ];

    /// <summary>Every name, for the message that lists them.</summary>
    public static string Names { get; } = string.Join(", ", All.Select(t => t.Name));

    /// <summary>The type whose name is the string that <paramref name="reader"/> stands on, or null. Allocates nothing.</summary>
    public static SafetensorsType? Find(ref Utf8JsonReader reader)
    {
        foreach (SafetensorsType type in All)
        {
            if (reader.ValueTextEquals(type.Name))
                return type;
        }

        return null;
    }
}
