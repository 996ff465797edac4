using LinearCald.Nn;
using LinearCald.Tensors;
using LinearCald.Tensors.Ops;

namespace LinearCald.Models.Language;

/// <summary>A model that predicts each token from those before it: transformer, converted student, or Mamba.</summary>
public abstract class CausalLanguageModel : Module
{
    /// <summary>HuggingFace's class name, for <c>config.json</c>.</summary>
    public abstract string Architecture { get; }

    /// <summary>Number of token ids.</summary>
    public abstract int VocabularySize { get; }

    /// <summary>The longest text the model can take; null where any length goes.</summary>
    public abstract int? MaximumPositions { get; }

    /// <summary>Number of layers; a pass collects one hidden state more.</summary>
    public abstract int Layers { get; }

    /// <summary>Width of the hidden states.</summary>
    public abstract int HiddenSize { get; }

    /// <summary>The output embedding [vocabulary, d]; the input embedding where they are tied.</summary>
    public abstract Parameter OutputWeight { get; }

    /// <summary>Runs the layers and the final norm.</summary>
    /// <param name="input">Token ids.</param>
    /// <param name="context">What the pass is for.</param>
    /// <param name="states">Gets the hidden states 0 … layers, [B, L, d] each, as HuggingFace's <c>hidden_states</c> of this class of model: the last is the result of the final norm; those before it are what enters each layer (GPT-NeoX: 0 is the embeddings) or what leaves it (Mamba).</param>
    /// <param name="memory">What earlier passes over the same texts left behind; the pass goes on from there and updates it. Inference only.</param>
    /// <returns>[B, L, d], ready for the output embedding, in the type of the residual stream: float32 unless the model says otherwise.</returns>
    /// <exception cref="CaldException">A text is longer than <see cref="MaximumPositions"/>.</exception>
    public abstract Tensor Encode(LanguageInput input, ForwardContext context, List<Tensor>? states = null, DecodingState? memory = null);

    /// <summary>An empty memory for <paramref name="batch"/> texts.</summary>
    /// <param name="batch">Texts side by side.</param>
    /// <param name="capacity">The most tokens it will ever hold; recurrent models do not need it.</param>
    public abstract DecodingState NewDecodingState(int batch, int capacity);

    /// <summary>[…, d] → [..., vocabulary], in float32.</summary>
    public Tensor Logits(Tensor hidden)
    {
        ArgumentNullException.ThrowIfNull(hidden);
        return hidden.To(OutputWeight.Value.Type).Linear(OutputWeight.Value, null, digits: ProductDigits.TwentyFour);
    }

    /// <summary>Hidden states and logits of a whole batch.</summary>
    public ModelOutput Forward(LanguageInput input, ForwardContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        List<Tensor>? states = context.HiddenStates ? [] : null;
        return new ModelOutput(Logits(Encode(input, context, states)), states);
    }
}
