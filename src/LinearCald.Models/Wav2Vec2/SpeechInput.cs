using LinearCald.Tensors;

namespace LinearCald.Models.Wav2Vec2;

/// <summary>A padded batch of waves on a device.</summary>
/// <param name="Samples">[B, S] float32, normalised as the model's <see cref="AudioPreprocessor"/> says, 0 behind the end of each.</param>
/// <param name="FrameLengths">int32 [B]: valid frames of each (<see cref="Wav2Vec2Config.Frames"/>); null when all are, or when the model is not told of padding.</param>
/// <param name="TimeMask">int32 [B, T]: frames with another value than 0 are replaced by the mask embedding (SpecAugment, Park et al. 2019); null for none.</param>
/// <param name="FeatureMask">int32 [B, d]: features with another value than 0 become 0 in all frames; null for none.</param>
public sealed record SpeechInput(Tensor Samples, Tensor? FrameLengths, Tensor? TimeMask = null, Tensor? FeatureMask = null)
{
    /// <summary>Uploads a batch padded on the right.</summary>
    /// <param name="config">Gives the number of frames.</param>
    /// <param name="device">Where to.</param>
    /// <param name="samples">[B × S] samples.</param>
    /// <param name="lengths">[B] valid samples of each.</param>
    /// <exception cref="CaldException">A length is outside 0 … S.</exception>
    public static SpeechInput Create(Wav2Vec2Config config, Device device, ReadOnlySpan<float> samples, ReadOnlySpan<int> lengths)
    {
        ArgumentNullException.ThrowIfNull(config);
        int batch = lengths.Length;
        int length = batch == 0 ? 0 : samples.Length / batch;
        int[] frames = new int[batch];
        for (int b = 0; b < batch; b++)
        {
            frames[b] = lengths[b] >= 0 && lengths[b] <= length
                ? config.Frames(lengths[b])
                : throw new CaldException($"utterance {b} of the batch has {lengths[b]} valid samples of {length}");
        }

        return new SpeechInput(Tensor.From(device, new Shape(batch, length), samples), Tensor.From(device, new Shape(batch), frames));
    }
}
