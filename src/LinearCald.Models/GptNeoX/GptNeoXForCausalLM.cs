using LinearCald.Models.Language;
using LinearCald.Nn;
using LinearCald.Nn.Layers;
using LinearCald.Tensors;
using LinearCald.Tensors.Ops;

namespace LinearCald.Models.GptNeoX;

/// <summary>Embeddings, layers and final norm: <c>embed_in</c>, <c>layers.0</c>, <c>layers.1</c>, …, <c>final_layer_norm</c>.</summary>
internal sealed class GptNeoXModel : Module
{
    public GptNeoXModel(BuildContext context, GptNeoXConfig config)
    {
        Embeddings = AddModule("embed_in", new Embedding(context, config.VocabularySize, config.HiddenSize, config.InitialiserRange));
        GptNeoXLayer[] layers = new GptNeoXLayer[config.Layers];
        for (int i = 0; i < layers.Length; i++)
        {
            layers[i] = AddModule($"layers.{i}", new GptNeoXLayer(context, config));
        }

        Layers = layers;
        FinalNorm = AddModule("final_layer_norm", new LayerNorm(context, config.HiddenSize, config.LayerNormEpsilon));
    }

    public Embedding Embeddings { get; }

    public IReadOnlyList<CausalLayer> Layers { get; }

    public LayerNorm FinalNorm { get; }
}

/// <summary>
/// A GPT-NeoX language model, transformer or Mamba student: <c>gpt_neox</c> and, unless tied, <c>embed_out</c>. Hidden states are the inputs of the layers and
/// the result of the final norm. Documents of a row (<see cref="LanguageInput.Sequences"/>) do not see each other: in the student the states start again, in
/// the transformer attention runs document by document, for which their borders are read back from the device once a pass; such a pass cannot be recorded.
/// </summary>
public sealed class GptNeoXForCausalLM : LayeredLanguageModel
{
    private readonly GptNeoXModel _model;

    public GptNeoXForCausalLM(BuildContext context, GptNeoXConfig config)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(config);
        Config = config;
        _model = AddModule("gpt_neox", new GptNeoXModel(context, config));
        OutputWeight = config.TieWordEmbeddings
            ? _model.Embeddings.Weight
            : AddModule("embed_out", new Linear(context, config.HiddenSize, config.VocabularySize, Initialisers.Normal(config.InitialiserRange), null)).Weight;
    }

    public GptNeoXConfig Config { get; }

    /// <inheritdoc/>
    public override LanguageModelConfig Configuration => Config;

    /// <summary>Null for a student.</summary>
    public override int? MaximumPositions => Config.Mamba is null ? Config.MaximumPositions : null;

    /// <inheritdoc/>
    public override Parameter OutputWeight { get; }

    private protected override IReadOnlyList<CausalLayer> Stack => _model.Layers;

    private protected override bool StatesAreInputs => true;

    private protected override Tensor Embed(Tensor ids, ForwardContext context) =>
        _model.Embeddings.Forward(ids).Dropout(context.Probability(Config.HiddenDropout), context.NextKey());

    private protected override Tensor Normalise(Tensor x) => _model.FinalNorm.Forward(x);

    private protected override LanguageInput Prepared(LanguageInput input, DecodingState? past)
    {
        if (Config.Mamba is not null)
        {
            return input;
        }

        long end = (past?.Position ?? 0L) + input.Ids.Shape[1];
        if (end > Config.MaximumPositions)
        {
            throw new CaldException(
                $"a text of {end} tokens is longer than the {Config.MaximumPositions} positions of this transformer; cut it, or use a Mamba student, which takes any length");
        }

        if (past is not null && (input.Lengths ?? input.Sequences) is not null)
        {
            throw new CaldException("texts of different lengths, or several documents in a row, cannot share the decoding state of a transformer; give each text its own, or group texts by length");
        }

        return input.Sequences is null ? input : input with { Documents = DocumentSpans.Of(input.Sequences) };
    }
}
