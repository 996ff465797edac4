using LinearCald.Tensors;
using LinearCald.Tensors.Ops;

namespace LinearCald.Nn.Layers;

/// <summary>A convolution along time: parameters <c>weight</c> [out, in / groups, taps] and, unless it has none, <c>bias</c> [out].</summary>
public sealed class Conv1d : Module
{
    private readonly int _stride;
    private readonly Activation _activation;
    private readonly ProductDigits _digits;
    private readonly ProductDigits _gradientDigits;

    /// <param name="context">Where the parameters are made.</param>
    /// <param name="inputs">Channels in.</param>
    /// <param name="outputs">Channels out.</param>
    /// <param name="kernel">Taps.</param>
    /// <param name="stride">Positions from one output to the next.</param>
    /// <param name="weight">Start of the weight.</param>
    /// <param name="bias">Start of the bias; null for a convolution without one.</param>
    /// <param name="activation">Applied to the result, fused.</param>
    /// <param name="digits">Of the operands of the forward product, where the device rounds them.</param>
    /// <param name="gradientDigits">Of the operands of the input's gradient.</param>
    public Conv1d(
        BuildContext context, int inputs, int outputs, int kernel, int stride, Initialiser weight, Initialiser? bias, Activation activation = Activation.None,
        ProductDigits digits = ProductDigits.Eleven, ProductDigits gradientDigits = ProductDigits.Eleven)
    {
        _stride = stride;
        _activation = activation;
        _digits = digits;
        _gradientDigits = gradientDigits;
        Weight = AddParameter("weight", context, new Shape(outputs, inputs, kernel), weight);
        Bias = bias is null ? null : AddParameter("bias", context, new Shape(outputs), bias);
    }

    public Parameter Weight { get; }

    /// <summary>Null where the convolution has none.</summary>
    public Parameter? Bias { get; }

    /// <summary>[B, L, in] → [B, (L − taps) / stride + 1, out].</summary>
    /// <param name="x">Input.</param>
    /// <param name="scale">Of the part of the network that the layer belongs to; null where gradients have their own size.</param>
    public Tensor Forward(Tensor x, GradientScale? scale = null) =>
        x.Conv1d(Weight.In(scale), Bias?.In(scale), _stride, activation: _activation, digits: _digits, gradientDigits: _gradientDigits);
}
