namespace LinearCald.Tensors;

/// <summary>Element types of a tensor. The names in safetensors files are given by <see cref="DTypeExtensions.SafetensorsName"/>.</summary>
public enum DType : byte
{
    Float32,
    Float64,
    BFloat16,
    Float16,
    Int32,
    Int64,
    UInt8,
    Bool,
}

/// <summary>Facts about each <see cref="DType"/>.</summary>
public static class DTypeExtensions
{
    /// <summary>Size of one element in bytes.</summary>
    public static int Size(this DType type) => type switch
    {
        DType.Float64 or DType.Int64 => 8,
        DType.Float32 or DType.Int32 => 4,
        DType.BFloat16 or DType.Float16 => 2,
        DType.UInt8 or DType.Bool => 1,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "unknown element type"),
    };

    /// <summary>True for the four floating-point types: only these carry gradients.</summary>
    public static bool IsFloat(this DType type) => type <= DType.Float16;

    /// <summary>The type of sums, row statistics and losses over elements of this type: Float32 for the 16-bit types.</summary>
    public static DType Statistics(this DType type) => type is DType.BFloat16 or DType.Float16 ? DType.Float32 : type;

    /// <summary>The name the type has in a safetensors header, such as <c>F32</c> or <c>BF16</c>.</summary>
    public static string SafetensorsName(this DType type) => type switch
    {
        DType.Float32 => "F32",
        DType.Float64 => "F64",
        DType.BFloat16 => "BF16",
        DType.Float16 => "F16",
        DType.Int32 => "I32",
        DType.Int64 => "I64",
        DType.UInt8 => "U8",
        DType.Bool => "BOOL",
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "unknown element type"),
    };
}
