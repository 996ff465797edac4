using LinearCald.Nn;
using LinearCald.Nn.Layers;
using LinearCald.Tensors;
using LinearCald.Tensors.Ops;

namespace LinearCald.Models.Roberta;

/// <summary>The sum of three tables, normalised: <c>word_embeddings</c>, <c>position_embeddings</c>, <c>token_type_embeddings</c>, <c>LayerNorm</c>.</summary>
internal sealed class RobertaEmbeddings : Module
{
    private readonly Embedding _positions;
    private readonly Embedding _types;
    private readonly LayerNorm _norm;
    private readonly double _dropout;

    public RobertaEmbeddings(BuildContext context, RobertaConfig config)
    {
        _dropout = config.HiddenDropout;
        Words = AddModule("word_embeddings", new Embedding(context, config.VocabularySize, config.HiddenSize, config.InitialiserRange, config.PaddingId));
        _positions = AddModule("position_embeddings", new Embedding(context, config.MaximumPositions, config.HiddenSize, config.InitialiserRange, config.PaddingId));
        _types = AddModule("token_type_embeddings", new Embedding(context, config.TypeVocabularySize, config.HiddenSize, config.InitialiserRange));
        _norm = AddModule("LayerNorm", new LayerNorm(context, config.HiddenSize, config.LayerNormEpsilon));
    }

    public Embedding Words { get; }

    public Tensor Forward(RobertaInput input, ForwardContext context)
    {
        Tensor sum = Words.Forward(input.Ids).Add(_types.Forward(input.Types)).Add(_positions.Forward(input.Positions));
        return _norm.Forward(sum).Dropout(context.Probability(_dropout), context.NextKey());
    }
}

/// <summary>Embeddings and encoder: <c>embeddings</c>, <c>encoder</c>.</summary>
internal sealed class RobertaModel : Module
{
    private readonly RobertaEncoder _encoder;

    public RobertaModel(BuildContext context, RobertaConfig config)
    {
        Embeddings = AddModule("embeddings", new RobertaEmbeddings(context, config));
        _encoder = AddModule("encoder", new RobertaEncoder(context, config));
    }

    public RobertaEmbeddings Embeddings { get; }

    /// <summary>[B, L, d]; the hidden states 0 (embeddings) … layers go to <paramref name="states"/> when it is given. They are of the parameters' type in every precision.</summary>
    public Tensor Forward(RobertaInput input, ForwardContext context, List<Tensor>? states)
    {
        Tensor x = Embeddings.Forward(input, context);
        states?.Add(x);
        return _encoder.Forward(x, input.Lengths, context, states);
    }
}
