using System.Diagnostics;
using LinearCald.Data.Audio;
using LinearCald.Data.Speech;
using LinearCald.Data.Speech.Decoding;
using LinearCald.Distillation.Speech.Evaluation;
using LinearCald.Models.Wav2Vec2;
using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;

namespace LinearCald.Distillation.Speech.Transcription;

/// <summary>
/// Text with times from recordings. A recording goes through the model whole, in one pass, however long it is: a student's cost grows with its length, a transformer's with the
/// square. Short recordings go through side by side.
/// </summary>
public sealed class Transcriber
{
    /// <summary>Samples, padding included, up to which recordings share a pass.</summary>
    private const long SharedSamples = 960_000;

    private const int MostTogether = 16;

    private readonly Wav2Vec2ForCTC _model;
    private readonly SpeechDecoder _decoder;
    private readonly Device _device;
    private readonly DType? _type;

    /// <param name="model">A transformer or a student.</param>
    /// <param name="device">Where it is.</param>
    /// <param name="decoder">With the model's characters.</param>
    /// <param name="computeType">The type of activations; null for float32.</param>
    /// <exception cref="CaldException">The characters are not the model's.</exception>
    public Transcriber(Wav2Vec2ForCTC model, Device device, SpeechDecoder decoder, DType? computeType = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(decoder);
        SpeechHeads.RequireFit(model, decoder.Vocabulary);
        _model = model;
        _device = device;
        _decoder = decoder;
        _type = computeType;
    }

    /// <summary>Samples a second that recordings must have.</summary>
    public int SampleRate => _model.Config.Preprocessor.SamplingRate;

    /// <summary>Transcribes recordings; those of like length together.</summary>
    /// <param name="recordings">Names and audio in the model's rate.</param>
    /// <param name="progress">Is told the recordings done and all of them.</param>
    /// <returns>In the order given.</returns>
    /// <exception cref="CaldException">A recording has another rate, or is shorter than one frame.</exception>
    public IReadOnlyList<TranscribedClip> Transcribe(IReadOnlyList<(string Name, AudioClip Audio)> recordings, Action<int, int>? progress = null)
    {
        ArgumentNullException.ThrowIfNull(recordings);
        foreach ((string name, AudioClip audio) in recordings)
        {
            Check(name, audio);
        }

        int[] samples = [.. recordings.Select(r => r.Audio.Samples.Length)];
        int[] order = [.. Enumerable.Range(0, samples.Length).OrderByDescending(i => samples[i])];
        int together = _model.Config.Preprocessor.Masked ? MostTogether : 1;
        TranscribedClip[] results = new TranscribedClip[recordings.Count];
        int done = 0;
        foreach (int[] batch in DynamicBatches.Pack(order, samples, together, SharedSamples))
        {
            long start = Stopwatch.GetTimestamp();
            CtcPath[] paths = Run([.. batch.Select(i => recordings[i].Audio.Samples)]);
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds, all = batch.Sum(i => (double)samples[i]);
            for (int b = 0; b < batch.Length; b++)
            {
                (string name, AudioClip audio) = recordings[batch[b]];
                results[batch[b]] = new TranscribedClip(
                    name, _decoder.Words(paths[b], _model.Config.Stride / (double)SampleRate), audio.Seconds, seconds * samples[batch[b]] / all, paths[b].LogProbability);
            }

            done += batch.Length;
            progress?.Invoke(done, recordings.Count);
        }

        return results;
    }

    /// <summary>Whether a recording can be transcribed.</summary>
    /// <exception cref="CaldException">It has another rate than the model's, or is shorter than one frame.</exception>
    public void Check(string name, AudioClip audio)
    {
        ArgumentNullException.ThrowIfNull(audio);
        if (audio.SampleRate != SampleRate)
        {
            throw new CaldException($"{name} has {audio.SampleRate} samples a second, the model reads {SampleRate}: read the file with that rate");
        }

        if (_model.Config.Frames(audio.Samples.Length) == 0)
        {
            throw SpeechHeads.TooShort(_model.Config, name, audio.Samples.Length);
        }
    }

    private CtcPath[] Run(float[][] waves)
    {
        using Tape.Pause pause = Tape.Paused();
        using MemoryScope scope = MemoryScope.Begin();
        WaveBatch batch = WaveBatch.Of(waves, _model.Config.Preprocessor.Normalise);
        Tensor logits = SpeechHeads.Logits(_model, batch.Upload(_device, _model.Config), _type);
        return SpeechHeads.Decode(logits, batch.Frames(_model.Config), _decoder);
    }
}
