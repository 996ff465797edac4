using System.Numerics;

namespace LinearCald.Tensors.Cpu;

/// <summary>What the states of an utterance emit in one frame, not divided by the softmax's sum.</summary>
/// <param name="label">Mantissas of the labels, then 0 to the end of the last register.</param>
/// <param name="labelExponent">Their exponents.</param>
/// <param name="blank">The mantissa of the blank.</param>
/// <param name="blankExponent">Its exponent.</param>
internal readonly unsafe struct CtcEmission<T>(T* label, T* labelExponent, T blank, T blankExponent)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public readonly T* Label = label;

    public readonly T* LabelExponent = labelExponent;

    public readonly T Blank = blank;

    public readonly T BlankExponent = blankExponent;
}
