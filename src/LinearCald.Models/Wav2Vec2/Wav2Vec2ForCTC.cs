using LinearCald.Nn;
using LinearCald.Nn.Layers;
using LinearCald.Tensors;
using LinearCald.Tensors.Ops;

namespace LinearCald.Models.Wav2Vec2;

/// <summary>A recogniser: <c>wav2vec2</c> and <c>lm_head</c>, whose outputs at each frame are the labels of CTC (Graves et al. 2006).</summary>
public sealed class Wav2Vec2ForCTC : PretrainedWav2Vec2
{
    internal const string ArchitectureName = "Wav2Vec2ForCTC";

    private readonly Linear _head;

    public Wav2Vec2ForCTC(BuildContext context, Wav2Vec2Config config)
        : base(context, config)
    {
        _head = AddModule("lm_head", new Linear(context, config.HiddenSize, config.VocabularySize, config.InitialiserRange, digits: ProductDigits.TwentyFour));
    }

    /// <inheritdoc/>
    public override string Architecture => ArchitectureName;

    /// <summary>[B, T, d] of <see cref="PretrainedWav2Vec2.Encode"/> → logits [B, T, vocabulary] in the parameters' type.</summary>
    /// <param name="hidden">Hidden states.</param>
    /// <param name="context">Gives the dropout before the head; null for none.</param>
    public Tensor Logits(Tensor hidden, ForwardContext? context = null)
    {
        ArgumentNullException.ThrowIfNull(hidden);
        context ??= ForwardContext.Inference;
        return _head.Forward(hidden.Dropout(context.Probability(Config.FinalDropout), context.NextKey()));
    }

    private protected override Tensor Head(Tensor hidden, SpeechInput input, ForwardContext context) => Logits(hidden, context);
}
