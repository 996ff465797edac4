using System.Diagnostics;
using LinearCald.Models.Roberta;
using LinearCald.Nn;
using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;

namespace LinearCald.Distillation.Conversion;

/// <summary>Inference speed of a classifier at one length.</summary>
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
        int[] ids = new int[batch * length];
        for (int i = 0; i < ids.Length; i++)
        {
            ids[i] = 5 + (int)((uint)(i * 2654435761u) % (uint)Math.Max(1, model.Config.VocabularySize - 5));
        }

        int[] lengths = new int[batch];
        Array.Fill(lengths, length);
        using Tape.Pause pause = Tape.Paused();
        List<double> times = [];
        long start = Stopwatch.GetTimestamp();
        for (int run = 0; run < 3 || (Stopwatch.GetElapsedTime(start).TotalSeconds < seconds && run < 1000); run++)
        {
            using MemoryScope scope = MemoryScope.Begin();
            RobertaInput input = RobertaInput.Create(model.Config, device, ids, lengths);
            long before = Stopwatch.GetTimestamp();
            model.Forward(input, ForwardContext.Inference);
            device.Synchronize();
            times.Add(Stopwatch.GetElapsedTime(before).TotalMilliseconds);
        }

        times.RemoveAt(0); // the first run compiles and fills the pool
        times.Sort();
        return new SpeedResult(length, batch, times[times.Count / 2]);
    }
}
