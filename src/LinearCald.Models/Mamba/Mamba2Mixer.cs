using LinearCald.Models.Language;
using LinearCald.Nn;
using LinearCald.Nn.Layers;
using LinearCald.Tensors;
using LinearCald.Tensors.Ops;

namespace LinearCald.Models.Mamba;

/// <summary>
/// Mamba-2's mixer. Symbols of the paper: batch B, length L, heads H of P channels, groups G, states N.
/// Parameters <c>in_proj</c>, <c>conv1d</c>, <c>A_log</c>, <c>D</c>, <c>dt_bias</c> [H] each, <c>norm</c>, <c>out_proj</c>.
/// </summary>
internal sealed class Mamba2Mixer : CausalMixer
{
    private readonly Mamba2Config _config;
    private readonly bool _reverse;
    private readonly Linear _in;
    private readonly CausalConvolution _convolution;
    private readonly Parameter _aLog;
    private readonly Parameter _d;
    private readonly Parameter _timeStepBias;
    private readonly RmsNorm _norm;
    private readonly Linear _out;

    /// <param name="context">Where the parameters are made.</param>
    /// <param name="width">Width of the hidden states.</param>
    /// <param name="config">Sizes and starts.</param>
    /// <param name="epsilon">Of the gated norm.</param>
    /// <param name="outScale">Factor on the start of out_proj.</param>
    /// <param name="reverse">Whether it reads each row from its last valid position to its first. Inputs and outputs keep their places.</param>
    public Mamba2Mixer(BuildContext context, int width, Mamba2Config config, double epsilon, double outScale, bool reverse = false)
    {
        _config = config;
        _reverse = reverse;
        (int inner, int heads) = (config.InnerSize, config.Heads);
        _timeStepBias = AddParameter(
            "dt_bias", context, new Shape(heads), MambaInitialisers.TimeStepBias(config.TimeStepMin, config.TimeStepMax, config.TimeStepFloor));
        _aLog = AddParameter("A_log", context, new Shape(heads), config.DecayStart is { } range ? MambaInitialisers.LogUniform(range.Low, range.High) : MambaInitialisers.LogRamp(heads));
        _d = AddParameter("D", context, new Shape(heads), Initialisers.Constant(1));
        int inputs = checked(inner + config.ConvolutionSize + heads);
        _in = AddModule("in_proj", new Linear(context, width, inputs, MambaInitialisers.FanIn(width), Bias(width), digits: ProductDigits.Sixteen));
        _convolution = AddModule("conv1d", new CausalConvolution(context, config.ConvolutionSize, config.ConvKernel, config.UseConvBias));
        _norm = AddModule("norm", new RmsNorm(context, inner, epsilon));
        _out = AddModule("out_proj", new Linear(context, inner, width, Initialisers.Uniform(outScale / Math.Sqrt(inner)), Bias(inner), digits: ProductDigits.Sixteen));
    }

    /// <summary>Element type of the parameters.</summary>
    public DType ParameterType => _out.Weight.Value.Type;

    public override Tensor Forward(Tensor x, LanguageInput input, ForwardContext context, LayerMemory? memory, DType output)
    {
        (x, GradientScale? scale) = MixerFormat.Enter(x, context);
        return MixerFormat.Leave(Mixed(x, input.Lengths, scale, MixerFormat.Sums(x.Type, output), input.Sequences, (RecurrentMemory?)memory), scale, output);
    }

    /// <summary>[B, L, d] → [B, L, d]. Padding reaches no valid position; without a bias in out_proj it gives 0.</summary>
    /// <param name="x">Hidden states, as <see cref="MixerFormat.Enter"/> gives them.</param>
    /// <param name="lengths">int32 [B]: valid positions; null when all are.</param>
    /// <param name="scale">What came with x.</param>
    /// <param name="output">Type of the result: x's, or Float32.</param>
    /// <param name="sequences">int32 [B, L]: numbers of the documents; null for one a row.</param>
    /// <param name="past">What earlier passes left behind, updated; null outside generation, and backwards.</param>
    public Tensor Mixed(Tensor x, Tensor? lengths, GradientScale? scale, DType output, Tensor? sequences = null, RecurrentMemory? past = null)
    {
        (int inner, int shared) = (_config.InnerSize, _config.Groups * _config.StateSize);
        Tensor all = _in.Forward(x, null, scale); // [B, L, 2 H P + 2 G N + H]: z, x, B, C, Δ's argument
        Tensor z = all.Narrow(-1, 0, inner); // [B, L, H P]
        Tensor delta = all.Narrow(-1, inner + _config.ConvolutionSize, _config.Heads); // [B, L, H]
        Tensor ubc = _convolution.Forward(all.Narrow(-1, inner, _config.ConvolutionSize), sequences, lengths, past?.Convolution, _reverse, scale); // [B, L, H P + 2 G N]
        Tensor u = ubc.Narrow(-1, 0, inner); // [B, L, H P]
        Tensor b = ubc.Narrow(-1, inner, shared); // [B, L, G N]
        Tensor c = ubc.Narrow(-1, inner + shared, shared); // [B, L, G N]
        Tensor a = past is null ? Rates(scale) : past.Rates(Rates); // [H]
        SsdOptions options = new()
        {
            Heads = _config.Heads,
            Groups = _config.Groups,
            Softplus = true,
            DeltaMin = _config.TimeStepLow,
            DeltaMax = _config.TimeStepHigh,
            Reverse = _reverse,
            Sequences = sequences,
            Lengths = lengths,
            InitialState = past?.State,
            FinalState = past?.State,
        };
        Tensor y = u.SsdScan(delta, a, b, c, _d.In(scale), _timeStepBias.In(scale), options); // [B, L, H P]
        return _out.Forward(_norm.ForwardGated(y, z, scale), output, scale);
    }

    public override LayerMemory NewMemory(int batch, int capacity) => new RecurrentMemory(
        _aLog.Value.Device,
        _aLog.Value.Type,
        new Shape(batch, _config.ConvKernel - 1, _config.ConvolutionSize),
        new Shape(batch, _config.Heads, _config.HeadSize, _config.StateSize));

    private Tensor Rates() => Rates(null);

    /// <summary>A = −exp(A_log).</summary>
    private Tensor Rates(GradientScale? scale) => _aLog.In(scale).Apply(Activation.Exp).Affine(-1);

    private Initialiser? Bias(int inputs) => _config.UseBias ? MambaInitialisers.FanIn(inputs) : null;
}
