using LinearCald.Tensors;
using LinearCald.Tensors.Ops;

namespace LinearCald.Nn.Layers;

/// <summary>x wᵀ + bias: parameters <c>weight</c> [out, in] and, unless it has none, <c>bias</c> [out].</summary>
public sealed class Linear : Module
{
    private readonly Activation _activation;
    private readonly ProductDigits _digits;

    /// <param name="context">Where the parameters are made.</param>
    /// <param name="inputs">Features in.</param>
    /// <param name="outputs">Features out.</param>
    /// <param name="deviation">Standard deviation of the normal start of the weight; the bias starts at 0.</param>
    /// <param name="activation">Applied to the result, fused.</param>
    /// <param name="digits">Of the operands, where the device rounds them.</param>
    public Linear(
        BuildContext context, int inputs, int outputs, double deviation, Activation activation = Activation.None, ProductDigits digits = ProductDigits.Eleven)
        : this(context, inputs, outputs, Initialisers.Normal(deviation), Initialisers.Constant(0), activation, digits)
    {
    }

    /// <param name="context">Where the parameters are made.</param>
    /// <param name="inputs">Features in.</param>
    /// <param name="outputs">Features out.</param>
    /// <param name="weight">Start of the weight.</param>
    /// <param name="bias">Start of the bias; null for a map without one.</param>
    /// <param name="activation">Applied to the result, fused.</param>
    /// <param name="digits">Of the operands, where the device rounds them.</param>
    public Linear(
        BuildContext context, int inputs, int outputs, Initialiser weight, Initialiser? bias, Activation activation = Activation.None,
        ProductDigits digits = ProductDigits.Eleven)
    {
        _digits = digits;
        _activation = activation;
        Weight = AddParameter("weight", context, new Shape(outputs, inputs), weight);
        Bias = bias is null ? null : AddParameter("bias", context, new Shape(outputs), bias);
    }

    public Parameter Weight { get; }

    /// <summary>Null where the map has none.</summary>
    public Parameter? Bias { get; }

    /// <summary>[..., in] → [..., out].</summary>
    /// <param name="x">Input.</param>
    /// <param name="output">Type of the result: x's when null, or Float32 for 16-bit x.</param>
    /// <param name="scale">Of the part of the network that the layer belongs to; null where gradients have their own size.</param>
    public Tensor Forward(Tensor x, DType? output = null, GradientScale? scale = null) =>
        x.Linear(Weight.In(scale), Bias?.In(scale), _activation, _digits, output);
}
