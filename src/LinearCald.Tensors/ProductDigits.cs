namespace LinearCald.Tensors;

/// <summary>
/// How many binary digits of float32 operands count in a matrix product or a convolution on a device that rounds them to tf32 (<see cref="Device.TensorFloat32"/>). Elsewhere, and
/// for operands of other types, all digits that they have.
/// </summary>
public enum ProductDigits
{
    /// <summary>As tf32 has.</summary>
    Eleven,

    /// <summary>Each operand is the sum of two bfloat16 numbers: for products whose rounding multiplies on the way. Half the rate of <see cref="Eleven"/>.</summary>
    Sixteen,

    /// <summary>Float32, no rounding: for small maps before or behind all layers, whose error every gradient inherits.</summary>
    TwentyFour,
}
