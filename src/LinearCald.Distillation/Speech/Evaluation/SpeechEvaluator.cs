using System.Diagnostics;
using LinearCald.Data.Speech;
using LinearCald.Data.Speech.Decoding;
using LinearCald.Data.Speech.Scoring;
using LinearCald.Distillation.Speech.Transcription;
using LinearCald.Models.Wav2Vec2;
using LinearCald.Nn;
using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Distillation.Speech.Evaluation;

/// <summary>
/// How well a speech model does on utterances, each whole and in one pass, without dropout and masking. The audio of the next batch is decoded while the model works on this one.
/// </summary>
public static class SpeechEvaluator
{
    /// <summary>Recognises utterances and compares them with their transcripts.</summary>
    /// <param name="model">A transformer or a student.</param>
    /// <param name="device">Where it is.</param>
    /// <param name="examples">At least one.</param>
    /// <param name="decoder">With the model's characters.</param>
    /// <param name="options">Batches and precision; null for the defaults.</param>
    /// <exception cref="CaldException">There is no utterance, an utterance cannot be read, or the characters are not the model's.</exception>
    public static RecognitionResult Recognise(
        Wav2Vec2ForCTC model, Device device, IReadOnlyList<SpeechExample> examples, SpeechDecoder decoder, SpeechEvaluationOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(decoder);
        ArgumentNullException.ThrowIfNull(examples);
        long start = Stopwatch.GetTimestamp();
        SpeechHeads.RequireFit(model, decoder.Vocabulary);
        CtcPath[] paths = new CtcPath[examples.Count];
        double[] losses = new double[examples.Count];
        int[][] labels = [.. examples.Select(example => decoder.Vocabulary.Encode(example.Transcript, out _))];
        Run(model.Config, device, examples, options ??= new SpeechEvaluationOptions(), (rows, waves, input) =>
        {
            Tensor logits = SpeechHeads.Logits(model, input, options.ComputeType);
            int[] frames = waves.Frames(model.Config);
            double[] found = Losses(logits, [.. rows.Select(row => labels[row])], frames, decoder.Vocabulary.Blank);
            CtcPath[] decoded = SpeechHeads.Decode(logits, frames, decoder);
            for (int b = 0; b < rows.Length; b++)
            {
                (paths[rows[b]], losses[rows[b]]) = (decoded[b], found[b]);
            }
        });
        TranscriptReport report = new();
        RecognisedUtterance[] utterances =
        [
            .. examples.Select((example, i) => new RecognisedUtterance(
                example,
                report.Add(example.Name, ReferenceText.Spell(decoder.Vocabulary, example.Transcript), decoder.Text(paths[i])),
                paths[i].LogProbability,
                losses[i],
                labels[i].Length)),
        ];
        return new RecognitionResult(utterances, report, Stopwatch.GetElapsedTime(start).TotalSeconds);
    }

    /// <summary>Classifies utterances and compares with their classes.</summary>
    /// <param name="model">A transformer or a student.</param>
    /// <param name="device">Where it is.</param>
    /// <param name="examples">At least one, with a label for each of the model's targets.</param>
    /// <param name="options">Batches and precision; null for the defaults.</param>
    /// <exception cref="CaldException">There is no utterance, an utterance cannot be read, or labels are not the model's; or the model's outputs are not numbers.</exception>
    public static ClassificationResult Classify(
        Wav2Vec2ForSequenceClassification model, Device device, IReadOnlyList<SpeechExample> examples, SpeechEvaluationOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(examples);
        long start = Stopwatch.GetTimestamp();
        SpeechTarget[] targets = [.. model.Config.Targets.Select(t => new SpeechTarget(t.Name, t.Labels))];
        SpeechExample? misfit = examples.FirstOrDefault(e => e.Labels.Count != targets.Length || e.Labels.Where((label, t) => label < 0 || label >= targets[t].Classes.Count).Any());
        if (misfit is not null)
        {
            throw new CaldException(
                $"{misfit.Name} has the labels {string.Join(", ", misfit.Labels)}; the model tells {string.Join(", ", targets.Select(t => $"{t.Name} ({t.Classes.Count} classes)"))}: read the corpus with the model's targets");
        }

        ClassifiedUtterance[] results = new ClassifiedUtterance[examples.Count];
        TargetAccuracy accuracy = new(targets);
        Run(model.Config, device, examples, options ??= new SpeechEvaluationOptions(), (rows, _, input) =>
        {
            ForwardContext context = new() { ComputeType = options.ComputeType };
            Tensor hidden = model.Encode(model.Features(input.Samples, context), input, context);
            float[] logits = model.Logits(hidden, input.FrameLengths).To(DType.Float32).ToArray<float>(); // [B, Σ classes]
            for (int b = 0; b < rows.Length; b++)
            {
                ReadOnlySpan<float> own = logits.AsSpan(b * accuracy.Outputs, accuracy.Outputs);
                SpeechExample example = examples[rows[b]];
                results[rows[b]] = Classified(example, accuracy.AddLogits(own, example.Labels), targets, own);
            }
        });
        return new ClassificationResult(results, accuracy, Stopwatch.GetElapsedTime(start).TotalSeconds);
    }

    private static void Run(Wav2Vec2Config config, Device device, IReadOnlyList<SpeechExample> examples, SpeechEvaluationOptions options, Action<int[], WaveBatch, SpeechInput> work)
    {
        if (examples.Count == 0)
        {
            throw new CaldException("there are no utterances to evaluate on: choose another --split, or check the manifest of the corpus");
        }

        if (config.Preprocessor.SamplingRate != SpeechCorpus.SampleRate)
        {
            throw new CaldException($"the model reads {config.Preprocessor.SamplingRate} samples a second; corpora are read with {SpeechCorpus.SampleRate}");
        }

        // Padding would change what a model that is not told of it makes of an utterance.
        SpeechBatchRule rule = config.Preprocessor.Masked ? options.Batches : options.Batches with { BatchSize = 1 };
        Func<SpeechExample, float[]> load = options.Read ?? new SpeechAudio(normalise: config.Preprocessor.Normalise).Load;
        IReadOnlyList<int[]> batches = DynamicBatches.ForEvaluation([.. examples.Select(e => e.Samples)], rule);
        Task<ReadBatch> next = Task.Run(() => Read(batches[0]));
        int done = 0;
        for (int i = 0; i < batches.Count; i++)
        {
            ReadBatch batch = next.GetAwaiter().GetResult();
            if (i + 1 < batches.Count)
            {
                int[] following = batches[i + 1];
                next = Task.Run(() => Read(following));
            }

            using Tape.Pause pause = Tape.Paused();
            using MemoryScope scope = MemoryScope.Begin();
            work(batch.Rows, batch.Waves, batch.Waves.Upload(device, config));
            done += batch.Rows.Length;
            options.Progress?.Invoke(done, examples.Count);
        }

        ReadBatch Read(int[] rows)
        {
            WaveBatch waves = WaveBatch.Of(Concurrent.Select(rows.Length, i => load(examples[rows[i]])), normalise: false);
            int tooShort = Array.FindIndex(waves.Lengths, length => config.Frames(length) == 0);
            return tooShort < 0 ? new ReadBatch(rows, waves) : throw SpeechHeads.TooShort(config, examples[rows[tooShort]].File, waves.Lengths[tooShort]);
        }
    }

    private static double[] Losses(Tensor logits, int[][] labels, int[] frames, int blank)
    {
        int width = Math.Max(1, labels.Max(l => l.Length));
        int[] padded = new int[labels.Length * width];
        for (int b = 0; b < labels.Length; b++)
        {
            labels[b].CopyTo(padded, b * width);
        }

        Device device = logits.Device;
        Tensor losses = logits.CtcLoss(
            Tensor.From(device, new Shape(labels.Length, width), padded),
            Tensor.From(device, new Shape(labels.Length), frames),
            Tensor.From(device, new Shape(labels.Length), labels.Select(l => l.Length).ToArray()),
            blank,
            zeroInfinity: false);
        return [.. losses.To(DType.Float32).ToArray<float>().Select(loss => (double)loss)];
    }

    private static ClassifiedUtterance Classified(SpeechExample example, int[] predicted, SpeechTarget[] targets, ReadOnlySpan<float> logits)
    {
        double[] probabilities = new double[targets.Length], losses = new double[targets.Length];
        for (int t = 0, first = 0; t < targets.Length; first += targets[t].Classes.Count, t++)
        {
            ReadOnlySpan<float> own = logits.Slice(first, targets[t].Classes.Count);
            double sum = 0;
            foreach (float logit in own)
            {
                sum += Math.Exp((double)logit - own[predicted[t]]);
            }

            probabilities[t] = -Math.Log(sum);
            losses[t] = own[predicted[t]] + Math.Log(sum) - own[example.Labels[t]];
        }

        return new ClassifiedUtterance(example, predicted, probabilities, losses);
    }

    private sealed record ReadBatch(int[] Rows, WaveBatch Waves);
}
