using System.Globalization;
using LinearCald.Data.Speech;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Reporting;
using LinearCald.Distillation.Speech.Evaluation;
using LinearCald.Distillation.Speech.Transcription;
using LinearCald.Distillation.Training;
using LinearCald.Models.Wav2Vec2;
using LinearCald.Tensors;

namespace LinearCald.Distillation.Speech;

/// <summary>Clips of speech with their transcripts or classes, ready for batching.</summary>
public sealed class SpeechData : TrainingData
{
    /// <summary>Padded samples of a batch of evaluation: four minutes.</summary>
    private const long EvaluationFrames = 4 * 60 * SpeechCorpus.SampleRate;

    /// <summary>Memory for decoded clips.</summary>
    private const long DecodedBytes = 2L << 30;

    private readonly SpeechCorpus _corpus;
    private readonly CharacterVocabulary? _vocabulary;
    private readonly Wav2Vec2Config _config;
    private readonly TaskRecipe _task;
    private readonly IProgressSink _progress;
    private readonly SpeechAudio _audio;
    private readonly int[][] _transcripts;
    private readonly (int Frames, int Labels)[] _rooms;
    private readonly int[] _targets;
    private readonly double _timeMasks;
    private readonly double _featureMasks;
    private readonly Dictionary<(int, int, double, double, int, long), SpeechBatchSampler> _samplers = [];

    /// <param name="corpus">The clips.</param>
    /// <param name="vocabulary">The characters of transcripts; null when classes are to be told.</param>
    /// <param name="config">Of the models: frames, masks.</param>
    /// <param name="task">Batches, masks, targets.</param>
    /// <param name="progress">Told of clips that are beyond the limits of batches.</param>
    public SpeechData(SpeechCorpus corpus, CharacterVocabulary? vocabulary, Wav2Vec2Config config, TaskRecipe task, IProgressSink progress)
    {
        ArgumentNullException.ThrowIfNull(corpus);
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(task);
        _corpus = corpus;
        _vocabulary = vocabulary;
        _config = config;
        _task = task;
        _progress = progress;
        _audio = new SpeechAudio(DecodedBytes, config.Preprocessor.Normalise);
        _transcripts = [.. corpus.Parts.Train.Select(e => vocabulary?.Encode(e.Transcript, out _) ?? [])];
        _rooms = Rooms();
        _targets = [.. task.Targets.Select(name => corpus.Targets.ToList().FindIndex(t => t.Name == name))];
        _timeMasks = task.MaskTimeProb ?? (config.SpecAugment ? config.TimeMaskProbability : 0);
        _featureMasks = task.MaskFeatureProb ?? (config.SpecAugment ? config.FeatureMaskProbability : 0);
    }

    /// <summary>Samples of the longest training clip.</summary>
    public int LongestTrainSamples => _corpus.Parts.Train.Max(e => e.Samples);

    /// <summary>Clips and hours, in words.</summary>
    public string Size
    {
        get
        {
            SpeechSplit parts = _corpus.Parts;
            return string.Create(CultureInfo.InvariantCulture, $"{parts.Train.Count:N0} training clips ({Length(parts.Train)}), {parts.Validation.Count:N0} for validation, {parts.Test.Count:N0} for test");
        }
    }

    public override int Readers => 2;

    public override int Rows => _corpus.Parts.Train.Count;

    public override int Count(DataPart part) => Part(part).Count;

    public override UpdateOrder Order(OptimisationRecipe recipe)
    {
        SpeechBatchSampler sampler = SamplerOf(recipe);
        foreach (string note in sampler.Notes)
        {
            _progress.Note(note);
        }

        return new SpeechOrder(sampler);
    }

    public override int UpdatesPerEpoch(OptimisationRecipe recipe) => new SpeechOrder(SamplerOf(recipe)).UpdatesPerEpoch;

    /// <summary>Recognition: labels of the clips whose transcripts fit their frames, so that the loss is a mean over labels. Classification: clips.</summary>
    public override double Weight(ReadOnlySpan<int> rows)
    {
        if (_vocabulary is null)
        {
            return rows.Length;
        }

        long labels = 0;
        foreach (int row in rows)
        {
            labels += Fits(row) ? _transcripts[row].Length : 0;
        }

        return labels;
    }

    public override TaskBatch Collate(ReadOnlySpan<int> rows, int lengthMultiple, ulong? draw)
    {
        SpeechExample[] examples = new SpeechExample[rows.Length];
        int[][] transcripts = new int[rows.Length][];
        for (int i = 0; i < rows.Length; i++)
        {
            examples[i] = _corpus.Parts.Train[rows[i]];
            transcripts[i] = _transcripts[rows[i]][..Labels(rows[i])];
        }

        (float[] samples, int[] lengths, int frames) = Waves(examples, lengthMultiple);
        int[]? time = draw is { } key && _timeMasks > 0
            ? SpecAugment.Draw(rows.Length, lengths, frames, _timeMasks, _config.TimeMaskLength, _config.TimeMaskMinimum, new RandomKey(key, 0))
            : null;
        int[]? features = draw is { } other && _featureMasks > 0
            ? SpecAugment.DrawFeatures(rows.Length, _config.HiddenSize, _featureMasks, _config.FeatureMaskLength, _config.FeatureMaskMinimum, new RandomKey(other, 1))
            : null;
        return new SpeechTaskBatch
        {
            Samples = samples,
            FrameLengths = lengths,
            Frames = frames,
            TimeMask = time,
            FeatureMask = features,
            Transcripts = transcripts,
            Room = Room(frames),
            Units = (long)(_vocabulary is null ? 0 : Weight(rows)),
            Labels = LabelsOf(examples),
        };
    }

    public override TaskInput Upload(Device device, TaskBatch batch) => SpeechTaskInput.Upload(device, (SpeechTaskBatch)batch, Form);

    public override TaskInput Reserve(Device device, TaskBatch like) => SpeechTaskInput.Reserve(device, (SpeechTaskBatch)like, Form);

    public override Training.Evaluation Evaluate(TaskModel model, DataPart part, int batchSize, Device device, DType? computeType)
    {
        ArgumentNullException.ThrowIfNull(model);
        IReadOnlyList<SpeechExample> examples = Part(part);
        PretrainedWav2Vec2 speech = ((SpeechTaskModel)model).Model;
        SpeechEvaluationOptions options = new() { Batches = new SpeechBatchRule(batchSize) { FrameLimit = EvaluationFrames }, ComputeType = computeType, Read = _audio.Load };
        if (_vocabulary is { } vocabulary)
        {
            RecognitionResult recognised = SpeechEvaluator.Recognise((Wav2Vec2ForCTC)speech, device, examples, new SpeechDecoder(vocabulary), options);
            return new Training.Evaluation(recognised.Metrics, recognised.Loss, examples.Count, recognised.Seconds);
        }

        SpeechExample[] told = [.. examples.Select(e => e with { Labels = [.. _targets.Select(t => e.Labels[t])] })];
        ClassificationResult classified = SpeechEvaluator.Classify((Wav2Vec2ForSequenceClassification)speech, device, told, options);
        return new Training.Evaluation(classified.Metrics, classified.Loss, examples.Count, classified.Seconds);
    }

    private SpeechForm Form => new(_config.Preprocessor.Masked, _config.LayerDrop > 0);

    private IReadOnlyList<SpeechExample> Part(DataPart part) => part switch
    {
        DataPart.Train => _corpus.Parts.Train,
        DataPart.Validation => _corpus.Parts.Validation,
        _ => _corpus.Parts.Test,
    };

    private static string Length(IReadOnlyList<SpeechExample> examples)
    {
        double minutes = examples.Sum(e => e.Seconds) / 60;
        return minutes < 120 ? string.Create(CultureInfo.InvariantCulture, $"{minutes:F1} minutes") : string.Create(CultureInfo.InvariantCulture, $"{minutes / 60:F1} hours");
    }

    /// <summary>Whether CTC can say the transcript of a training clip in its frames.</summary>
    private bool Fits(int row) => SpeechFrames.Needed(_transcripts[row]) <= _config.Frames(_corpus.Parts.Train[row].Samples);

    /// <summary>Labels of a training clip that count: one more than its frames is as bad for CTC as all of them.</summary>
    private int Labels(int row) => Math.Min(_transcripts[row].Length, _config.Frames(_corpus.Parts.Train[row].Samples) + 1);

    /// <summary>By growing frames, the most labels of a training clip that is no longer.</summary>
    private (int Frames, int Labels)[] Rooms()
    {
        int most = 0;
        return
        [
            .. Enumerable.Range(0, _transcripts.Length)
                .Select(row => (Frames: _config.Frames(_corpus.Parts.Train[row].Samples), Labels: Labels(row)))
                .OrderBy(clip => clip.Frames)
                .Select(clip => (clip.Frames, most = Math.Max(most, clip.Labels))),
        ];
    }

    /// <summary>Labels that a training clip of at most so many frames has at most; a place has one at least.</summary>
    private int Room(int frames)
    {
        int after = Array.BinarySearch(_rooms, (frames, int.MaxValue));
        after = after < 0 ? ~after : after + 1;
        return after == 0 ? 1 : Math.Max(1, _rooms[after - 1].Labels);
    }

    private SpeechBatchSampler SamplerOf(OptimisationRecipe recipe)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        var key = (recipe.MicroBatchSize, recipe.GradientAccumulation, recipe.FrameLimit, recipe.SquareFrameLimit, recipe.DataWarmupSteps, (long)recipe.Seed);
        if (!_samplers.TryGetValue(key, out SpeechBatchSampler? sampler))
        {
            SpeechBatchRule rule = new(recipe.MicroBatchSize)
            {
                FrameLimit = (long)recipe.FrameLimit,
                SquareLimit = recipe.SquareFrameLimit,
                Accumulation = recipe.GradientAccumulation,
                BucketSize = _task.BucketSize,
                WarmUpUpdates = recipe.DataWarmupSteps,
            };
            _samplers.Add(key, sampler = new SpeechBatchSampler(_corpus.Parts.Train, rule, (ulong)recipe.Seed));
        }

        return sampler;
    }

    /// <summary>Clips side by side. Where lengths are rounded up, the samples behind the last whole frame, which no frame sees, are left out.</summary>
    private (float[] Samples, int[] FrameLengths, int Frames) Waves(SpeechExample[] examples, int lengthMultiple)
    {
        float[][] waves = [.. examples.Select(_audio.Load)];
        int[] lengths = [.. waves.Select(wave => _config.Frames(wave.Length))];
        int frames = (lengths.Max() + lengthMultiple - 1) / lengthMultiple * lengthMultiple;
        int width = lengthMultiple == 1 ? waves.Max(wave => wave.Length) : checked((int)_config.SamplesOf(frames));
        float[] samples = new float[checked(waves.Length * width)];
        for (int b = 0; b < waves.Length; b++)
        {
            waves[b].AsSpan(0, Math.Min(width, waves[b].Length)).CopyTo(samples.AsSpan(b * width));
        }

        return (samples, lengths, frames);
    }

    private int[] LabelsOf(SpeechExample[] examples)
    {
        int[] labels = new int[_targets.Length * examples.Length];
        for (int t = 0; t < _targets.Length; t++)
        {
            for (int b = 0; b < examples.Length; b++)
            {
                labels[(t * examples.Length) + b] = examples[b].Labels[_targets[t]];
            }
        }

        return labels;
    }

    private sealed class SpeechOrder(SpeechBatchSampler sampler) : UpdateOrder
    {
        public override int UpdatesPerEpoch => Math.Max(1, (int)Math.Round(sampler.UpdatesPerEpoch, MidpointRounding.AwayFromZero));

        public override IReadOnlyList<ReadOnlyMemory<int>> MicroBatches(int completed) => [.. sampler.Update(completed).Select(rows => (ReadOnlyMemory<int>)rows)];
    }
}
