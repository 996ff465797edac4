using LinearCald.Nn;
using LinearCald.Nn.Layers;
using LinearCald.Tensors;
using LinearCald.Tensors.Ops;

namespace LinearCald.Models.Wav2Vec2;

/// <summary>
/// A classifier of utterances: <c>wav2vec2</c>, perhaps <c>projector</c>, and a linear map a target, <c>classifier</c> for one as HuggingFace has it or
/// <c>classifier.0</c>, <c>classifier.1</c>, …, on the mean over the valid frames.
/// </summary>
public sealed class Wav2Vec2ForSequenceClassification : PretrainedWav2Vec2
{
    internal const string ArchitectureName = "Wav2Vec2ForSequenceClassification";

    private readonly Linear? _projector;
    private readonly Linear[] _classifiers;

    /// <exception cref="CaldException">The config names no classes.</exception>
    public Wav2Vec2ForSequenceClassification(BuildContext context, Wav2Vec2Config config)
        : base(context, config)
    {
        if (config.Targets.Count == 0 || config.Targets.Any(target => target.Labels.Count == 0))
        {
            throw new CaldException("a classifier needs class names: the config has no targets, or one without labels");
        }

        bool projected = config.ClassifierProjection > 0;
        _projector = projected ? AddModule("projector", new Linear(context, config.HiddenSize, config.ClassifierProjection, config.InitialiserRange, digits: ProductDigits.TwentyFour)) : null;
        int features = projected ? config.ClassifierProjection : config.HiddenSize;

        // HuggingFace's classifiers start normal with bias 0; without a projector they are the reference's, which start as PyTorch's linear maps.
        Initialiser uniform = Initialisers.Uniform(1 / Math.Sqrt(features));
        (Initialiser weight, Initialiser bias) = projected ? (Initialisers.Normal(config.InitialiserRange), Initialisers.Constant(0)) : (uniform, uniform);
        _classifiers = [.. config.Targets.Select((target, j) => AddModule(
            config.Targets.Count == 1 ? "classifier" : $"classifier.{j}", new Linear(context, features, target.Labels.Count, weight, bias, digits: ProductDigits.TwentyFour)))];
    }

    /// <inheritdoc/>
    public override string Architecture => ArchitectureName;

    /// <summary>[B, T, d] of <see cref="PretrainedWav2Vec2.Encode"/> → logits [B, Σ classes], targets side by side, in the parameters' type.</summary>
    /// <param name="hidden">Hidden states.</param>
    /// <param name="frameLengths">int32 [B]: valid frames; null when all are.</param>
    public Tensor Logits(Tensor hidden, Tensor? frameLengths)
    {
        ArgumentNullException.ThrowIfNull(hidden);

        // HuggingFace projects every frame and then takes the mean. A mean and an affine map may change places: one row an utterance is projected.
        Tensor pooled = hidden.MeanRows(frameLengths); // [B, d]
        pooled = _projector?.Forward(pooled) ?? pooled;
        return ConcatenationOperation.Concatenate([.. _classifiers.Select(classifier => classifier.Forward(pooled))], -1);
    }

    private protected override Tensor Head(Tensor hidden, SpeechInput input, ForwardContext context) => Logits(hidden, input.FrameLengths);
}
