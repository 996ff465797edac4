using LinearCald.Data.Audio;
using LinearCald.Models.Wav2Vec2;
using LinearCald.Tensors;

namespace LinearCald.Distillation.Speech.Evaluation;

/// <summary>Waves side by side on the host.</summary>
/// <param name="Samples">[B, S], as the model expects them, 0 behind the end of each.</param>
/// <param name="Lengths">[B]: valid samples of each.</param>
internal sealed record WaveBatch(float[] Samples, int[] Lengths)
{
    /// <summary>Utterances B.</summary>
    public int Count => Lengths.Length;

    /// <summary>Samples S of each, padding included.</summary>
    public int Length => Samples.Length / Lengths.Length;

    /// <summary>Pads waves to the longest.</summary>
    /// <param name="waves">At least one.</param>
    /// <param name="normalise">Whether each is still to be brought to mean 0 and variance 1.</param>
    public static WaveBatch Of(IReadOnlyList<float[]> waves, bool normalise)
    {
        int length = waves.Max(wave => wave.Length);
        float[] samples = new float[checked(waves.Count * length)];
        for (int b = 0; b < waves.Count; b++)
        {
            Span<float> row = samples.AsSpan(b * length, waves[b].Length);
            waves[b].CopyTo(row);
            if (normalise)
            {
                Waveform.Normalise(row);
            }
        }

        return new WaveBatch(samples, [.. waves.Select(wave => wave.Length)]);
    }

    /// <summary>What a model reads. It is told of padding where there is any and where it knows of padding.</summary>
    public SpeechInput Upload(Device device, Wav2Vec2Config config) => new(
        Tensor.From(device, new Shape(Count, Length), Samples),
        config.Preprocessor.Masked && Lengths.AsSpan().ContainsAnyExcept(Length) ? Tensor.From(device, new Shape(Count), Frames(config)) : null);

    /// <summary>[B]: valid frames of each.</summary>
    public int[] Frames(Wav2Vec2Config config) => [.. Lengths.Select(length => config.Frames(length))];
}
