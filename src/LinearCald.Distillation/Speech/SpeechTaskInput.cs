using LinearCald.Distillation.Training;
using LinearCald.Models.Wav2Vec2;
using LinearCald.Tensors;

namespace LinearCald.Distillation.Speech;

/// <summary>Clips with their transcripts or classes, on the host.</summary>
public sealed record SpeechTaskBatch : TaskBatch
{
    /// <summary>[B, S], normalised, zeros behind the end of a clip.</summary>
    public required float[] Samples { get; init; }

    /// <summary>Valid frames of each clip.</summary>
    public required int[] FrameLengths { get; init; }

    /// <summary>Frames T of the batch.</summary>
    public required int Frames { get; init; }

    /// <summary>[B, T]: 1 where a frame is hidden in training; null for none.</summary>
    public int[]? TimeMask { get; init; }

    /// <summary>[B, d]: 1 where a feature is hidden in training; null for none.</summary>
    public int[]? FeatureMask { get; init; }

    /// <summary>Label ids of each transcript; at most one more than its clip has frames.</summary>
    public required int[][] Transcripts { get; init; }

    /// <summary>Labels that the transcripts of any batch of as many frames have at most: the width of a place for such batches.</summary>
    public required int Room { get; init; }

    /// <summary>Labels of the transcripts that fit their frames: what the loss is divided by.</summary>
    public required long Units { get; init; }

    /// <summary>[targets, B]: classes; −100 where unknown.</summary>
    public required int[] Labels { get; init; }

    public override int Count => FrameLengths.Length;

    public override int Length => Frames;

    public override int Tokens => FrameLengths.Sum();
}

/// <summary>What the models of a task want of their inputs.</summary>
/// <param name="TellsLengths">Whether they are told where padding begins.</param>
/// <param name="DropsLayers">Whether they leave out layers at random in training.</param>
public readonly record struct SpeechForm(bool TellsLengths, bool DropsLayers);

/// <summary>Clips with their transcripts or classes, on the device.</summary>
public sealed class SpeechTaskInput : TaskInput
{
    private readonly int _targets;
    private (object Key, Tensor Value)? _features;

    private SpeechTaskInput(SpeechInput speech, Tensor frameLengths, Tensor transcripts, Tensor transcriptLengths, Tensor inverseUnits, Tensor labels, int targets)
    {
        Speech = speech;
        Lengths = frameLengths;
        Transcripts = transcripts;
        TranscriptLengths = transcriptLengths;
        InverseUnits = inverseUnits;
        Labels = labels;
        _targets = targets;
    }

    /// <summary>The waves and what the model is told of them: models that were pretrained without knowing where padding begins are not told.</summary>
    public SpeechInput Speech { get; }

    /// <summary>int32 [B, W].</summary>
    public Tensor Transcripts { get; }

    /// <summary>int32 [B].</summary>
    public Tensor TranscriptLengths { get; }

    /// <summary>1 / <see cref="SpeechTaskBatch.Units"/>, one element.</summary>
    public Tensor InverseUnits { get; }

    /// <summary>int32 [targets, B].</summary>
    public Tensor Labels { get; }

    public override Tensor Lengths { get; }

    /// <summary>A layer that is dropped leaves other kernels.</summary>
    public override bool IsRecordable => !DropsLayers;

    /// <summary>Whether a model leaves out layers at random in training.</summary>
    public bool DropsLayers { get; init; }

    /// <summary>Features that several models compute alike, computed once a micro-batch.</summary>
    /// <param name="key">Equal for models that compute the same.</param>
    /// <param name="compute">Forms them, without a gradient.</param>
    public Tensor SharedFeatures(object key, Func<Tensor> compute)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(compute);
        if (_features is not { } kept || !kept.Key.Equals(key))
        {
            kept = (key, compute());
            _features = kept;
        }

        return kept.Value;
    }

    /// <summary>Uploads a batch into fresh tensors.</summary>
    public static SpeechTaskInput Upload(Device device, SpeechTaskBatch batch, SpeechForm form)
    {
        ArgumentNullException.ThrowIfNull(batch);
        int count = batch.Count;
        int width = Math.Max(1, batch.Transcripts.Max(t => t.Length));
        Tensor lengths = Tensor.From(device, new Shape(count), batch.FrameLengths);
        SpeechInput speech = new(
            Tensor.From(device, new Shape(count, batch.Samples.Length / count), batch.Samples),
            form.TellsLengths ? lengths : null,
            batch.TimeMask is { } time ? Tensor.From(device, new Shape(count, batch.Frames), time) : null,
            batch.FeatureMask is { } features ? Tensor.From(device, new Shape(count, features.Length / count), features) : null);
        return new SpeechTaskInput(
            speech,
            lengths,
            Tensor.From(device, new Shape(count, width), Padded(batch.Transcripts, width)),
            Tensor.From(device, new Shape(count), batch.Transcripts.Select(t => t.Length).ToArray()),
            Tensor.From(device, default, [InverseOf(batch)]),
            Tensor.From(device, new Shape(batch.Labels.Length / count, count), batch.Labels),
            batch.Labels.Length / count)
        { DropsLayers = form.DropsLayers };
    }

    /// <summary>A place for batches of one shape.</summary>
    /// <param name="device">Where.</param>
    /// <param name="like">A batch of that shape.</param>
    /// <param name="form">What the model wants.</param>
    public static SpeechTaskInput Reserve(Device device, SpeechTaskBatch like, SpeechForm form)
    {
        ArgumentNullException.ThrowIfNull(like);
        int count = like.Count;
        int targets = like.Labels.Length / count;
        Tensor lengths = ReservedIntegers(device, count);
        SpeechInput speech = new(
            Tensor.Persistent(() => Tensor.Zeros(device, DType.Float32, new Shape(count, like.Samples.Length / count))),
            form.TellsLengths ? lengths : null,
            like.TimeMask is null ? null : ReservedIntegers(device, count, like.Frames),
            like.FeatureMask is { } features ? ReservedIntegers(device, count, features.Length / count) : null);
        return new SpeechTaskInput(
            speech, lengths, ReservedIntegers(device, count, like.Room), ReservedIntegers(device, count), ReservedFactor(device), ReservedIntegers(device, targets, count), targets)
        {
            DropsLayers = form.DropsLayers,
            InversePositions = ReservedFactor(device),
            Share = ReservedFactor(device),
        };
    }

    public override void Set(TaskBatch batch)
    {
        SpeechTaskBatch clips = (SpeechTaskBatch)batch;
        _features = null;
        Speech.Samples.Set<float>(clips.Samples);
        Lengths.Set<int>(clips.FrameLengths);
        Speech.TimeMask?.Set<int>(clips.TimeMask!);
        Speech.FeatureMask?.Set<int>(clips.FeatureMask!);
        Transcripts.Set<int>(Padded(clips.Transcripts, clips.Room));
        TranscriptLengths.Set<int>(clips.Transcripts.Select(t => t.Length).ToArray());
        InverseUnits.Set<float>([InverseOf(clips)]);
        if (_targets > 0)
        {
            Labels.Set<int>(clips.Labels);
        }

        InversePositions!.Set<float>([1f / Math.Max(1, clips.Tokens)]);
    }

    protected override void Dispose(bool disposing)
    {
        Speech.Samples.Dispose();
        Lengths.Dispose();
        Speech.TimeMask?.Dispose();
        Speech.FeatureMask?.Dispose();
        Transcripts.Dispose();
        TranscriptLengths.Dispose();
        InverseUnits.Dispose();
        Labels.Dispose();
        base.Dispose(disposing);
    }

    private static float InverseOf(SpeechTaskBatch batch) => 1f / Math.Max(1, batch.Units);

    private static int[] Padded(int[][] transcripts, int width)
    {
        int[] ids = new int[transcripts.Length * width];
        for (int b = 0; b < transcripts.Length; b++)
        {
            transcripts[b].CopyTo(ids, b * width);
        }

        return ids;
    }
}
