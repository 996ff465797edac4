namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>What a matrix product multiplies, and on which units. Sums are float32 always.</summary>
internal enum GemmPrecision : byte
{
    /// <summary>float32 operands on the FMA units.</summary>
    Float32,

    /// <summary>float32 operands rounded to ten fraction bits, on the tensor cores.</summary>
    TensorFloat32,

    /// <summary>float32 operands, each as the sum of two bfloat16 numbers, on the tensor cores: 16 digits instead of tf32's 11, at half its rate.</summary>
    TwoBFloat16,

    /// <summary>bfloat16 operands on the tensor cores.</summary>
    BFloat16,

    /// <summary>float16 operands on the tensor cores.</summary>
    Half,
}

/// <summary>Facts about <see cref="GemmPrecision"/>.</summary>
internal static class GemmPrecisionFacts
{
    /// <summary>Bytes of one operand element.</summary>
    public static int ElementBytes(this GemmPrecision precision) => precision >= GemmPrecision.BFloat16 ? 2 : 4;
}
