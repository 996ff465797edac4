using LinearCald.Data.Speech;
using LinearCald.Tensors;

namespace LinearCald.Distillation.Speech.Evaluation;

/// <summary>How utterances go through a model. Results do not depend on the batches, apart from rounding.</summary>
public sealed record SpeechEvaluationOptions
{
    /// <summary>Limits of training batches; an evaluation halves those of length, see <see cref="DynamicBatches.ForEvaluation"/>.</summary>
    public SpeechBatchRule Batches { get; init; } = new(16) { FrameLimit = 5_120_000 };

    /// <summary>The type of activations; null for float32.</summary>
    public DType? ComputeType { get; init; }

    /// <summary>
    /// Gives the samples of an utterance at 16 kHz, prepared as the model expects, such as <see cref="SpeechAudio.Load"/>; several threads ask. Null: they are decoded each time.
    /// </summary>
    public Func<SpeechExample, float[]>? Read { get; init; }

    /// <summary>Is told the utterances done and all of them.</summary>
    public Action<int, int>? Progress { get; init; }
}
