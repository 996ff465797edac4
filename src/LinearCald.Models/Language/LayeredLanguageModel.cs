using LinearCald.Nn;
using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;

namespace LinearCald.Models.Language;

/// <summary>
/// Embeddings, a stack of layers around a residual stream, a final norm. The residual stream stays in the parameters' type (float32) whatever the compute
/// type, unless the model's config says otherwise: under bf16 a sum over many layers would lose the small contributions of the late ones. It costs the
/// difference in bytes once a layer, since only the layers' inputs are kept in that type.
/// </summary>
public abstract class LayeredLanguageModel : CausalLanguageModel
{
    /// <summary>The model's config, as it is saved.</summary>
    public abstract LanguageModelConfig Configuration { get; }

    /// <inheritdoc/>
    public sealed override string Architecture => Configuration.Architecture;

    /// <inheritdoc/>
    public override int VocabularySize => Configuration.VocabularySize;

    /// <inheritdoc/>
    public override int Layers => Configuration.Layers;

    /// <inheritdoc/>
    public override int HiddenSize => Configuration.HiddenSize;

    private protected abstract IReadOnlyList<CausalLayer> Stack { get; }

    /// <summary>Whether hidden state i is the input of layer i (GPT-NeoX) or its output (Mamba), as HuggingFace's classes differ.</summary>
    private protected abstract bool StatesAreInputs { get; }

    /// <inheritdoc/>
    public sealed override Tensor Encode(LanguageInput input, ForwardContext context, List<Tensor>? states = null, DecodingState? memory = null)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(context);
        LayeredDecodingState? past = Past(input, memory);
        input = Prepared(input, past);
        Tensor x = Embed(input.Ids, context);
        for (int i = 0; i < Stack.Count; i++)
        {
            CausalLayer layer = Stack[i];
            LayerMemory? layerMemory = past?[i];
            Tensor next = CheckpointedLayer.Forward(x, context, (stream, pass) => layer.Forward(stream, input, pass, layerMemory));
            states?.Add(StatesAreInputs ? x : next);
            x = next;
        }

        Tensor y = Normalise(x);
        states?.Add(y);
        if (past is not null)
        {
            past.Position += input.Ids.Shape[1];
        }

        return y;
    }

    /// <inheritdoc/>
    public sealed override DecodingState NewDecodingState(int batch, int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batch);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        return new LayeredDecodingState(this, batch, [.. Stack.Select(layer => layer.NewMemory(batch, capacity))]);
    }

    /// <summary>int32 [B, L] → the residual stream's start [B, L, d].</summary>
    private protected abstract Tensor Embed(Tensor ids, ForwardContext context);

    /// <summary>The final norm.</summary>
    private protected abstract Tensor Normalise(Tensor x);

    /// <summary>Refuses what the model cannot compute, and adds what its layers need to know of the batch.</summary>
    /// <param name="input">The batch.</param>
    /// <param name="past">What the pass goes on from.</param>
    private protected virtual LanguageInput Prepared(LanguageInput input, DecodingState? past) => input;

    private LayeredDecodingState? Past(LanguageInput input, DecodingState? memory)
    {
        if (input.Ids.Shape.Rank != 2)
        {
            throw new CaldException($"token ids must be [batch, length], not {input.Ids.Shape}");
        }

        if (memory is null)
        {
            return null;
        }

        if (Tape.IsRecording)
        {
            throw new CaldException("a pass with a decoding state cannot be recorded for gradients; use it for inference only (Tape.Paused)");
        }

        LayeredDecodingState past = memory as LayeredDecodingState ?? throw new CaldException("this decoding state was made by another model; ask the model that runs for one (NewDecodingState)");
        past.CheckFor(this, input.Ids.Shape[0]);
        return past;
    }
}
