using System.Diagnostics;
using LinearCald.Models.Language;
using LinearCald.Models.Roberta;
using LinearCald.Models.Wav2Vec2;
using LinearCald.Nn;
using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Distillation.Conversion;

/// <summary>Inference speed of a model at one length.</summary>
/// <param name="Length">Tokens a text.</param>
/// <param name="Batch">Texts at a time.</param>
/// <param name="Milliseconds">Median time of a batch.</param>
public sealed record SpeedResult(int Length, int Batch, double Milliseconds)
{
    public double TokensPerSecond => Length * Batch / (Milliseconds / 1000);
}

/// <summary>Times models on random tokens.</summary>
public static class SpeedProbe
{
    /// <param name="model">Any classifier.</param>
    /// <param name="length">Tokens a text; at most the model's.</param>
    /// <param name="batch">Texts at a time.</param>
    /// <param name="device">Where the model is.</param>
    /// <param name="seconds">Roughly how long to measure, after a warm-up.</param>
    public static SpeedResult Inference(PretrainedRoberta model, int length, int batch, Device device, double seconds = 0.5)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(device);
        int[] ids = Ids(model.Config.VocabularySize, batch * length);
        int[] lengths = new int[batch];
        Array.Fill(lengths, length);
        return Median(length, batch, device, seconds, () => model.Forward(RobertaInput.Create(model.Config, device, ids, lengths), ForwardContext.Inference));
    }

    /// <summary>A causal model reads whole texts; the logits of the last position only are formed, as before generating.</summary>
    /// <param name="model">Any causal model.</param>
    /// <param name="length">Tokens a text; at most the model's.</param>
    /// <param name="batch">Texts at a time.</param>
    /// <param name="device">Where the model is.</param>
    /// <param name="seconds">Roughly how long to measure, after a warm-up.</param>
    public static SpeedResult Reading(CausalLanguageModel model, int length, int batch, Device device, double seconds = 0.5)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(device);
        int[] ids = Ids(model.VocabularySize, batch * length);
        return Median(length, batch, device, seconds, () =>
        {
            Tensor hidden = model.Encode(new LanguageInput(Tensor.From(device, new Shape(batch, length), ids)), ForwardContext.Inference);
            model.Logits(hidden.Narrow(1, length - 1, 1).Contiguous());
        });
    }

    /// <summary>A recogniser hears one clip of noise and forms its outputs.</summary>
    /// <param name="model">Any recogniser.</param>
    /// <param name="audioSeconds">Length of the clip.</param>
    /// <param name="device">Where the model is.</param>
    /// <param name="seconds">Roughly how long to measure, after a warm-up.</param>
    /// <returns>Median time in seconds.</returns>
    public static double Listening(Wav2Vec2ForCTC model, double audioSeconds, Device device, double seconds = 0.5)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(device);
        Random random = new(0);
        float[] wave = [.. Enumerable.Range(0, (int)(audioSeconds * model.Config.Preprocessor.SamplingRate)).Select(_ => (float)(random.NextDouble() - 0.5))];
        Shape shape = new(1, wave.Length);
        return Median(model.Config.Frames(wave.Length), 1, device, seconds, () => model.Forward(new SpeechInput(Tensor.From(device, shape, wave), null), ForwardContext.Inference)).Milliseconds / 1000;
    }

    private static int[] Ids(int vocabulary, int count)
    {
        int[] ids = new int[count];
        for (int i = 0; i < ids.Length; i++)
        {
            ids[i] = 5 + (int)((uint)(i * 2654435761u) % (uint)Math.Max(1, vocabulary - 5));
        }

        return ids;
    }

    private static SpeedResult Median(int length, int batch, Device device, double seconds, Action read)
    {
        using Tape.Pause pause = Tape.Paused();
        List<double> times = [];
        long start = Stopwatch.GetTimestamp();
        for (int run = 0; run < 3 || (Stopwatch.GetElapsedTime(start).TotalSeconds < seconds && run < 1000); run++)
        {
            using MemoryScope scope = MemoryScope.Begin();
            long before = Stopwatch.GetTimestamp();
            read();
            device.Synchronize();
            times.Add(Stopwatch.GetElapsedTime(before).TotalMilliseconds);
        }

        times.RemoveAt(0); // the first run compiles and fills the pool
        times.Sort();
        return new SpeedResult(length, batch, times[times.Count / 2]);
    }
}
