using LinearCald.Models.Language;
using LinearCald.Nn;
using LinearCald.Nn.Layers;
using LinearCald.Tensors;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Models.Mamba;

/// <summary>x + mixer(norm(x)): <c>norm</c>, <c>mixer</c>.</summary>
internal sealed class MambaLayer : CausalLayer
{
    private readonly RmsNorm _norm;
    private readonly CausalMixer _mixer;

    public MambaLayer(BuildContext context, MambaBackboneConfig config)
    {
        _norm = AddModule("norm", new RmsNorm(context, config.HiddenSize, config.NormEpsilon));
        _mixer = AddModule("mixer", config.NewMixer(context));
    }

    /// <summary>What lies between and the tape does not need returns to the pool at once.</summary>
    public override Tensor Forward(Tensor x, LanguageInput input, ForwardContext context, LayerMemory? memory)
    {
        using MemoryScope scope = MemoryScope.Begin();
        return scope.Keep(x.Add(_mixer.Forward(_norm.Forward(x), input, context, memory, x.Type)));
    }

    public override LayerMemory NewMemory(int batch, int capacity) => _mixer.NewMemory(batch, capacity);
}

/// <summary>Embeddings, layers and final norm: <c>embeddings</c>, <c>layers.0</c>, <c>layers.1</c>, …, <c>norm_f</c>.</summary>
internal sealed class MambaBackbone : Module
{
    public MambaBackbone(BuildContext context, MambaBackboneConfig config)
    {
        Embeddings = AddModule("embeddings", new Embedding(context, config.VocabularySize, config.HiddenSize, config.InitialiserRange));
        MambaLayer[] layers = new MambaLayer[config.Layers];
        for (int i = 0; i < layers.Length; i++)
        {
            layers[i] = AddModule($"layers.{i}", new MambaLayer(context, config));
        }

        Layers = layers;
        FinalNorm = AddModule("norm_f", new RmsNorm(context, config.HiddenSize, config.NormEpsilon));
    }

    public Embedding Embeddings { get; }

    public IReadOnlyList<CausalLayer> Layers { get; }

    public RmsNorm FinalNorm { get; }
}

/// <summary>
/// A language model of Mamba or Mamba-2 layers: <c>backbone</c> and, unless tied, <c>lm_head</c>. Hidden states are, as HuggingFace's, the results of the
/// layers and that of the final norm: the embeddings are not among them.
/// </summary>
public abstract class MambaLanguageModel : LayeredLanguageModel
{
    private readonly MambaBackbone _backbone;
    private readonly MambaBackboneConfig _config;

    private protected MambaLanguageModel(BuildContext context, MambaBackboneConfig config)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(config);
        _config = config;
        _backbone = AddModule("backbone", new MambaBackbone(context, config));
        OutputWeight = config.TieWordEmbeddings
            ? _backbone.Embeddings.Weight
            : AddModule("lm_head", new Linear(context, config.HiddenSize, config.VocabularySize, Initialisers.Normal(config.InitialiserRange), null)).Weight;
    }

    /// <inheritdoc/>
    public override LanguageModelConfig Configuration => _config;

    /// <summary>Null: any length goes.</summary>
    public override int? MaximumPositions => null;

    /// <inheritdoc/>
    public override Parameter OutputWeight { get; }

    private protected override IReadOnlyList<CausalLayer> Stack => _backbone.Layers;

    private protected override bool StatesAreInputs => false;

    private protected override Tensor Embed(Tensor ids, ForwardContext context)
    {
        Tensor x = _backbone.Embeddings.Forward(ids);
        return _config.ResidualInFloat32 ? x : context.Compute(x);
    }

    private protected override Tensor Normalise(Tensor x) => _backbone.FinalNorm.Forward(x);
}
