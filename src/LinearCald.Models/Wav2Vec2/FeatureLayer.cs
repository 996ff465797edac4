using LinearCald.Nn;
using LinearCald.Nn.Layers;
using LinearCald.Tensors;
using LinearCald.Tensors.Ops;

namespace LinearCald.Models.Wav2Vec2;

/// <summary>One layer of the feature encoder: <c>conv</c>, perhaps <c>layer_norm</c> (over the channels, or of each channel over time), and the activation.</summary>
internal sealed class FeatureLayer : Module
{
    /// <summary>HuggingFace leaves these norms at PyTorch's ε, whatever the config says of the others.</summary>
    private const double Epsilon = 1e-5;

    /// <summary>
    /// What rounds in the gradient of an early layer came through the input gradients of all behind it. Those of the first convolutions are most of the work, for each halves
    /// the frames; those from this one on are a fortieth of the products of a step of wav2vec2-base where the convolutions are trained, and nothing where they are frozen.
    /// </summary>
    private const int FirstOfFineGradients = 3;

    private readonly Activation _activation;
    private readonly Conv1d _convolution;
    private readonly LayerNorm? _layerNorm;
    private readonly GroupNorm? _groupNorm;

    /// <param name="context">Where the parameters are made.</param>
    /// <param name="config">Sizes.</param>
    /// <param name="index">Which layer, from 0.</param>
    public FeatureLayer(BuildContext context, Wav2Vec2Config config, int index)
    {
        _activation = config.FeatureActivation;
        (int inputs, int outputs) = (index == 0 ? 1 : config.ConvolutionChannels[index - 1], config.ConvolutionChannels[index]);
        (Kernel, Stride) = (config.ConvolutionKernels[index], config.ConvolutionStrides[index]);
        bool grouped = !config.LayerNormFeatures && index == 0;
        double reads = (double)inputs * Kernel;
        _convolution = AddModule("conv", new Conv1d(
            context,
            inputs,
            outputs,
            Kernel,
            Stride,
            Initialisers.Normal(Math.Sqrt(2 / reads)), // He et al. 2015
            config.ConvolutionBias ? Initialisers.Uniform(1 / Math.Sqrt(reads)) : null,
            config.LayerNormFeatures || grouped ? Activation.None : _activation,
            digits: ProductDigits.Sixteen,
            gradientDigits: index >= FirstOfFineGradients ? ProductDigits.Sixteen : ProductDigits.Eleven));
        _layerNorm = config.LayerNormFeatures ? AddModule("layer_norm", new LayerNorm(context, outputs, Epsilon)) : null;
        _groupNorm = grouped ? AddModule("layer_norm", new GroupNorm(context, outputs, outputs, Epsilon)) : null;
    }

    public int Kernel { get; }

    public int Stride { get; }

    /// <summary>Of the parameters.</summary>
    public DType Type => _convolution.Weight.Value.Type;

    /// <summary>Whether what the layer gives at one time depends on all others.</summary>
    public bool LooksEverywhere => _groupNorm is not null;

    /// <summary>[B, L, in] → [B, L′, out].</summary>
    /// <param name="x">Input.</param>
    /// <param name="scale">Of the encoder; null where gradients have their own size.</param>
    public Tensor Forward(Tensor x, GradientScale? scale)
    {
        Tensor y = _convolution.Forward(x, scale);
        return _layerNorm is not null ? _layerNorm.Forward(y, scale).Apply(_activation)
            : _groupNorm is not null ? _groupNorm.Forward(y, scale).Apply(_activation)
            : y;
    }

    /// <summary>
    /// The layer with a group norm whose statistics are known, as a plain convolution: (w · x + b − μ) / √(σ² + ε) · γ + β has weights w s and bias (b − μ) s + β with
    /// s = γ / √(σ² + ε). The channels' μ and σ² follow from what the convolution reads: μ = w · m + b, σ² = wᵀ R w.
    /// </summary>
    /// <param name="moments">Mean m and covariance R of the patches of the whole wave.</param>
    /// <returns>Weight [out, 1, K] and bias [out].</returns>
    public (Tensor Weight, Tensor Bias) Folded(PatchMoments moments)
    {
        GroupNorm norm = _groupNorm ?? throw new InvalidOperationException("only a layer with a group norm is folded");
        Tensor weight = _convolution.Weight.Value;
        double[] w = Values(weight);
        (double[] gamma, double[] beta) = (Values(norm.Weight.Value), Values(norm.Bias.Value));
        double[] bias = new double[gamma.Length];
        for (int c = 0; c < gamma.Length; c++)
        {
            Span<double> row = w.AsSpan(c * Kernel, Kernel);
            (double mean, double variance) = moments.Of(row);
            double scale = gamma[c] / Math.Sqrt(variance + norm.Epsilon);
            bias[c] = beta[c] - (mean * scale); // b is in the convolution and in its mean, and cancels
            foreach (ref double value in row)
            {
                value *= scale;
            }
        }

        return (Of(weight, weight.Shape, w), Of(weight, norm.Bias.Value.Shape, bias));
    }

    /// <summary>[B, L, 1] → [B, L′, out] with the parameters of <see cref="Folded"/>.</summary>
    public Tensor ForwardFolded(Tensor x, (Tensor Weight, Tensor Bias) folded) => x.Conv1d(folded.Weight, folded.Bias, Stride, activation: _activation, digits: ProductDigits.Sixteen);

    private static double[] Values(Tensor x) => x.Type == DType.Float64 ? x.ToArray<double>() : Array.ConvertAll(x.ToArray<float>(), v => (double)v);

    private static Tensor Of(Tensor like, Shape shape, double[] values) => like.Type == DType.Float64
        ? Tensor.From<double>(like.Device, DType.Float64, shape, values)
        : Tensor.From(like.Device, shape, Array.ConvertAll(values, v => (float)v));
}
