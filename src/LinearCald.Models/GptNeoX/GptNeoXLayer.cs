using LinearCald.Models.Language;
using LinearCald.Nn;
using LinearCald.Nn.Layers;
using LinearCald.Tensors;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Models.GptNeoX;

/// <summary>The feed-forward block: <c>dense_h_to_4h</c>, activation, <c>dense_4h_to_h</c>.</summary>
internal sealed class GptNeoXFeedForward : Module
{
    private readonly Linear _up;
    private readonly Linear _down;

    public GptNeoXFeedForward(BuildContext context, GptNeoXConfig config)
    {
        _up = AddModule("dense_h_to_4h", new Linear(context, config.HiddenSize, config.IntermediateSize, config.InitialiserRange, config.Activation));
        _down = AddModule("dense_4h_to_h", new Linear(context, config.IntermediateSize, config.HiddenSize, config.InitialiserRange));
    }

    /// <param name="x">Hidden states in the compute type.</param>
    /// <param name="output">Type of the result.</param>
    public Tensor Forward(Tensor x, DType output) => _down.Forward(_up.Forward(x), output);
}

/// <summary>
/// A pre-norm layer, parallel y = x + D(A(LN₁ x)) + D(F(LN₂ x)) or sequential a = x + D(A(LN₁ x)), y = a + D(F(LN₂ a)), where D is dropout, A the mixer
/// and F the feed-forward block: <c>input_layernorm</c>, <c>post_attention_layernorm</c>, <c>attention</c>, <c>mlp</c>.
/// </summary>
internal sealed class GptNeoXLayer : CausalLayer
{
    private readonly GptNeoXConfig _config;
    private readonly LayerNorm _mixerNorm;
    private readonly LayerNorm _feedForwardNorm;
    private readonly CausalMixer _mixer;
    private readonly GptNeoXFeedForward _feedForward;

    public GptNeoXLayer(BuildContext context, GptNeoXConfig config)
    {
        _config = config;
        _mixerNorm = AddModule("input_layernorm", new LayerNorm(context, config.HiddenSize, config.LayerNormEpsilon));
        _feedForwardNorm = AddModule("post_attention_layernorm", new LayerNorm(context, config.HiddenSize, config.LayerNormEpsilon));
        _mixer = AddModule<CausalMixer>("attention", config.Mamba is null ? new GptNeoXAttention(context, config) : new GptNeoXMamba(context, config));
        _feedForward = AddModule("mlp", new GptNeoXFeedForward(context, config));
    }

    /// <summary>What lies between and the tape does not need returns to the pool at once.</summary>
    public override Tensor Forward(Tensor x, LanguageInput input, ForwardContext context, LayerMemory? memory)
    {
        using MemoryScope scope = MemoryScope.Begin();
        Tensor a = Dropped(_mixer.Forward(_mixerNorm.Forward(x), input, context, memory, x.Type), context);
        if (_config.ParallelResidual)
        {
            Tensor f = Dropped(_feedForward.Forward(context.Compute(_feedForwardNorm.Forward(x)), x.Type), context);
            return scope.Keep(x.Add(f.Add(a)));
        }

        x = x.Add(a);
        Tensor m = Dropped(_feedForward.Forward(context.Compute(_feedForwardNorm.Forward(x)), x.Type), context);
        return scope.Keep(x.Add(m));
    }

    public override LayerMemory NewMemory(int batch, int capacity) => _mixer.NewMemory(batch, capacity);

    private Tensor Dropped(Tensor x, ForwardContext context) => x.Dropout(context.Probability(_config.HiddenDropout), context.NextKey());
}
