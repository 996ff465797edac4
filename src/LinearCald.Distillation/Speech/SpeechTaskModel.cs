using System.Runtime.InteropServices;
using System.Security.Cryptography;
using LinearCald.Distillation.Training;
using LinearCald.Models.Wav2Vec2;
using LinearCald.Nn;
using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Ops;

namespace LinearCald.Distillation.Speech;

/// <summary>A Wav2Vec2, transformer or BiMamba-2 student, in the hands of the trainer.</summary>
public sealed class SpeechTaskModel : TaskModel
{
    private readonly bool _freezesEncoder;
    private string? _encoderHash;

    /// <param name="model">Belongs to this from here on.</param>
    /// <param name="freezesEncoder">Whether the convolutions that read the waveform are never trained.</param>
    public SpeechTaskModel(PretrainedWav2Vec2 model, bool freezesEncoder)
    {
        ArgumentNullException.ThrowIfNull(model);
        Model = model;
        _freezesEncoder = freezesEncoder;
        foreach ((string name, Parameter parameter) in model.NamedParameters())
        {
            if (IsFrozen(name))
            {
                parameter.Trainable = false;
            }
        }
    }

    public PretrainedWav2Vec2 Model { get; }

    /// <summary>Equal for models whose frozen convolutions have the same weights.</summary>
    internal string EncoderHash => _encoderHash ??= HashOfEncoder();

    public override Module Module => Model;

    public override bool IsStudent => Model.Config.BiMamba2 is not null;

    public override int Layers => Model.Config.Layers;

    /// <summary>Recognition: Σ −ln p(transcript) over the labels of all transcripts. Classification: the mean cross-entropy over clips and targets.</summary>
    public override TaskPass Run(TaskInput input, ForwardContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        SpeechTaskInput clips = (SpeechTaskInput)input;
        List<Tensor>? states = context.HiddenStates ? [] : null;
        Tensor hidden = Model.Encode(FeaturesOf(clips, context), clips.Speech, context, states);
        TaskPass? pass = null;
        pass = Model is Wav2Vec2ForCTC recogniser
            ? new TaskPass(() => recogniser.Logits(hidden, context), () => Transcription(pass!.Logits, clips), states)
            : new TaskPass(() => Classifier.Logits(hidden, clips.Lengths), () => Classification(pass!.Logits, clips), states);
        return pass;
    }

    public override void Save(string folder, Action<string>? more = null) => Wav2Vec2Files.Save(Model, folder, more);

    public override bool IsNew(string parameter) => Wav2Vec2Files.IsMixer(parameter);

    public override bool IsFrozen(string parameter) => _freezesEncoder && Wav2Vec2Files.IsFeatureEncoder(parameter);

    /// <summary>All matrices are; the convolutions that read the wave and give positions are not counted.</summary>
    protected override bool IsProduct(string parameter) => true;

    /// <summary>Scores and their sums over all frames; or in each direction a convolution and a scan, with six operations a state.</summary>
    protected override double MixingFlops(int length) => Model.Config.BiMamba2?.Mixer is { } mixer
        ? 2 * ((2.0 * mixer.ConvKernel * mixer.ConvolutionSize) + (6.0 * mixer.InnerSize * mixer.StateSize))
        : 4.0 * length * Model.Config.HiddenSize;

    protected override bool IsWeight(string parameter) => Wav2Vec2Files.IsDecayed(parameter);

    private Wav2Vec2ForSequenceClassification Classifier => (Wav2Vec2ForSequenceClassification)Model;

    /// <summary>Teacher and student have the same frozen convolutions: what they make of a wave is computed once.</summary>
    private Tensor FeaturesOf(SpeechTaskInput clips, ForwardContext context)
    {
        if (!_freezesEncoder)
        {
            return Model.Features(clips.Speech.Samples, context);
        }

        string encoder = EncoderHash;
        return clips.SharedFeatures((encoder, context.ComputeType), () =>
        {
            using Tape.Pause pause = Tape.Paused();
            return Model.Features(clips.Speech.Samples, context);
        });
    }

    private string HashOfEncoder()
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach ((string name, Parameter parameter) in Model.NamedParameters().Where(p => IsFrozen(p.Name)).OrderBy(p => p.Name, StringComparer.Ordinal))
        {
            hash.AppendData(MemoryMarshal.AsBytes<char>(name));
            hash.AppendData(MemoryMarshal.AsBytes<float>(parameter.Value.To(DType.Float32).ToArray<float>()));
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }

    private Tensor Transcription(Tensor logits, SpeechTaskInput clips)
    {
        Tensor losses = logits.CtcLoss(clips.Transcripts, clips.Lengths!, clips.TranscriptLengths, Model.Config.PaddingId, zeroInfinity: true);
        return losses.Sum().Multiply(clips.InverseUnits);
    }

    private Tensor Classification(Tensor logits, SpeechTaskInput clips)
    {
        Tensor? sum = null;
        int first = 0;
        int[] sizes = [.. Model.Config.Targets.Select(t => t.Labels.Count)];
        for (int target = 0; target < sizes.Length; target++)
        {
            Tensor scores = sizes.Length == 1 ? logits : logits.Narrow(-1, first, sizes[target]).Contiguous();
            Tensor loss = scores.CrossEntropy(clips.Labels.Narrow(0, target, 1).Reshape(-1));
            sum = sum is null ? loss : sum.Add(loss);
            first += sizes[target];
        }

        return sizes.Length == 1 ? sum! : sum!.Affine(1.0 / sizes.Length);
    }
}
