using LinearCald.Models.Language;
using LinearCald.Nn;
using LinearCald.Nn.Layers;
using LinearCald.Tensors;
using LinearCald.Tensors.Ops;

namespace LinearCald.Models.Mamba;

/// <summary>
/// Mamba's mixer. Symbols of the paper: batch B, length L, width d, channels D (inner size), states N, rank R of Δ.
/// Parameters <c>in_proj</c>, <c>conv1d</c>, <c>x_proj</c>, <c>dt_proj</c>, <c>A_log</c> [D, N], <c>D</c> [D], <c>out_proj</c>.
/// </summary>
internal sealed class MambaMixer : CausalMixer
{
    private readonly MambaConfig _config;
    private readonly Linear _in;
    private readonly CausalConvolution _convolution;
    private readonly Linear _parameters;
    private readonly Linear _timeStep;
    private readonly Parameter _aLog;
    private readonly Parameter _d;
    private readonly Linear _out;

    /// <param name="context">Where the parameters are made.</param>
    /// <param name="width">Width of the hidden states.</param>
    /// <param name="config">Sizes and starts.</param>
    /// <param name="outScale">Factor on the start of out_proj.</param>
    public MambaMixer(BuildContext context, int width, MambaConfig config, double outScale = 1)
    {
        _config = config;
        (int inner, int states, int rank) = (config.InnerSize, config.StateSize, config.TimeStepRank);
        _aLog = AddParameter("A_log", context, new Shape(inner, states), MambaInitialisers.LogRamp(states));
        _d = AddParameter("D", context, new Shape(inner), Initialisers.Constant(1));

        // In tf32 its rounding would be two thirds of the squared error of the gradient of x_proj.
        _in = AddModule("in_proj", new Linear(context, width, 2 * inner, MambaInitialisers.FanIn(width), Bias(width), digits: ProductDigits.Sixteen));
        _convolution = AddModule("conv1d", new CausalConvolution(context, inner, config.ConvKernel, config.UseConvBias));
        _parameters = AddModule("x_proj", new Linear(context, inner, rank + (2 * states), MambaInitialisers.FanIn(inner), null));
        _timeStep = AddModule("dt_proj", new Linear(
            context,
            rank,
            inner,
            MambaInitialisers.TimeStepWeight(config),
            MambaInitialisers.TimeStepBias(config.TimeStepMin, config.TimeStepMax, config.TimeStepFloor)));
        _out = AddModule("out_proj", new Linear(context, inner, width, Initialisers.Uniform(outScale / Math.Sqrt(inner)), Bias(inner)));
    }

    public override Tensor Forward(Tensor x, LanguageInput input, ForwardContext context, LayerMemory? memory, DType output)
    {
        RecurrentMemory? past = (RecurrentMemory?)memory;
        (int inner, int states, int rank) = (_config.InnerSize, _config.StateSize, _config.TimeStepRank);
        (x, GradientScale? scale) = MixerFormat.Enter(x, context);
        Tensor uz = _in.Forward(x, null, scale); // [B, L, 2 D]
        Tensor z = uz.Narrow(-1, inner, inner); // [B, L, D]
        Tensor u = _convolution.Forward(uz.Narrow(-1, 0, inner), input.Sequences, input.Lengths, past?.Convolution, scale: scale); // [B, L, D]
        Tensor rbc = _parameters.Forward(u, null, scale); // [B, L, R + 2 N]
        Tensor delta = rbc.Narrow(-1, 0, rank).Linear(_timeStep.Weight.In(scale)); // [B, L, D]; its bias is added in the scan, in float32
        Tensor b = rbc.Narrow(-1, rank, states); // [B, L, N]
        Tensor c = rbc.Narrow(-1, rank + states, states); // [B, L, N]
        Tensor a = past is null ? Rates(scale) : past.Rates(Rates); // [D, N]
        SelectiveScanOptions options = new()
        {
            Softplus = true,
            Sequences = input.Sequences,
            Lengths = input.Lengths,
            InitialState = past?.State,
            FinalState = past?.State,
        };
        Tensor y = u.SelectiveScan(delta, a, b, c, _d.In(scale), z, _timeStep.Bias!.In(scale), options); // [B, L, D], gated by SiLU(z)
        return MixerFormat.Leave(_out.Forward(y, MixerFormat.Sums(y.Type, output), scale), scale, output);
    }

    public override LayerMemory NewMemory(int batch, int capacity) => new RecurrentMemory(
        _aLog.Value.Device,
        _aLog.Value.Type,
        new Shape(batch, _config.ConvKernel - 1, _config.InnerSize),
        new Shape(batch, _config.InnerSize, _config.StateSize));

    private Tensor Rates() => Rates(null);

    /// <summary>A = −exp(A_log).</summary>
    private Tensor Rates(GradientScale? scale) => _aLog.In(scale).Apply(Activation.Exp).Affine(-1);

    private Initialiser? Bias(int inputs) => _config.UseBias ? MambaInitialisers.FanIn(inputs) : null;
}
