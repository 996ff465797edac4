using LinearCald.Nn;
using LinearCald.Tensors;

namespace LinearCald.Models.Wav2Vec2;

/// <summary>A Wav2Vec2 with a head, as transformer or as student with two Mamba-2 a layer.</summary>
public abstract class PretrainedWav2Vec2 : Module
{
    private readonly Wav2Vec2Model _model;

    private protected PretrainedWav2Vec2(BuildContext context, Wav2Vec2Config config)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(config);
        Config = config;
        _model = AddModule("wav2vec2", new Wav2Vec2Model(context, config));
    }

    public Wav2Vec2Config Config { get; }

    /// <summary>HuggingFace's class name, for <c>config.json</c>.</summary>
    public abstract string Architecture { get; }

    /// <summary>The convolutions: what teacher and student share while they are frozen. Without a gradient, memory does not grow with the length of the waves.</summary>
    /// <param name="samples">[B, S]</param>
    /// <param name="context">Gives the compute type; null for inference in the parameters' own.</param>
    /// <returns>[B, T, channels] in the parameters' type in every precision.</returns>
    /// <exception cref="CaldException">The waves are shorter than one frame.</exception>
    public Tensor Features(Tensor samples, ForwardContext? context = null)
    {
        ArgumentNullException.ThrowIfNull(samples);
        return samples.Shape.Rank == 2
            ? _model.FeatureEncoder.Forward(samples, context ?? ForwardContext.Inference)
            : throw new CaldException($"waves must be [batch, samples], not {samples.Shape}");
    }

    /// <summary>Runs the layers, and the final norm where the variant has one.</summary>
    /// <param name="features">[B, T, channels] of <see cref="Features"/>.</param>
    /// <param name="input">Gives lengths and masks.</param>
    /// <param name="context">What the pass is for.</param>
    /// <param name="states">
    /// Gets the hidden states 0 … layers, [B, T, d] each, as the <c>hidden_states</c> of transformers up to version 4: what enters the first layer, then what leaves each; in
    /// the stable variant the last is the result of the final norm.
    /// </param>
    /// <returns>[B, T, d] in the parameters' type in every precision.</returns>
    public Tensor Encode(Tensor features, SpeechInput input, ForwardContext context, List<Tensor>? states = null)
    {
        ArgumentNullException.ThrowIfNull(features);
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(context);
        return _model.Encode(features, input, context, states);
    }

    /// <summary>Runs the model on a batch.</summary>
    /// <param name="input">Waves, lengths and masks.</param>
    /// <param name="context">What the pass is for.</param>
    public ModelOutput Forward(SpeechInput input, ForwardContext context)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(context);
        List<Tensor>? states = context.HiddenStates ? [] : null;
        Tensor hidden = Encode(Features(input.Samples, context), input, context, states);
        return new ModelOutput(Head(hidden, input, context), states);
    }

    private protected abstract Tensor Head(Tensor hidden, SpeechInput input, ForwardContext context);
}
