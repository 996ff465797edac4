using System.Diagnostics;
using LinearCald.Data.Batching;
using LinearCald.Data.Language;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Training;
using LinearCald.Nn;
using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Distillation.Language;

/// <summary>A part of a corpus.</summary>
/// <param name="Rows">Its tokens.</param>
/// <param name="BytesPerToken">Bytes of text that a token stands for; null where the text is not known.</param>
public sealed record CorpusPart(LanguageRows Rows, double? BytesPerToken);

/// <summary>A corpus as rows of tokens, ready for batching.</summary>
public sealed class LanguageData : TrainingData
{
    private readonly LanguageRows _train;
    private readonly CorpusPart _validation;
    private readonly CorpusPart? _test;
    private readonly bool _shuffle;

    /// <param name="train">What is learnt from.</param>
    /// <param name="validation">What chooses the best checkpoint; rows of the same length.</param>
    /// <param name="test">What is reported beside it; null when there is none.</param>
    /// <param name="shuffle">Rows in another order each epoch.</param>
    public LanguageData(LanguageRows train, CorpusPart validation, CorpusPart? test, bool shuffle)
    {
        ArgumentNullException.ThrowIfNull(train);
        _train = train;
        _validation = validation;
        _test = test;
        _shuffle = shuffle;
    }

    /// <summary>Tokens of a row that are predicted from.</summary>
    public int Length => _train.SequenceLength;

    public override int Rows => _train.Count;

    public override int Count(DataPart part) => part == DataPart.Train ? _train.Count : Part(part)?.Rows.Count ?? 0;

    public override UpdateOrder Order(OptimisationRecipe recipe)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        int[] lengths = new int[Rows];
        Array.Fill(lengths, Length);
        BatchSampler sampler = _shuffle
            ? BatchSampler.Shuffled(lengths, recipe.BatchSize, (ulong)recipe.Seed)
            : BatchSampler.Sequential(lengths, recipe.BatchSize, sortByLength: false);
        return UpdateOrder.Of(sampler, recipe.MicroBatchSize);
    }

    public override TaskBatch Collate(ReadOnlySpan<int> rows, int lengthMultiple, ulong? draw) => new LanguageTaskBatch(_train.Collate(rows));

    public override TaskInput Upload(Device device, TaskBatch batch) => LanguageTaskInput.Upload(device, ((LanguageTaskBatch)batch).Rows);

    public override TaskInput Reserve(Device device, TaskBatch like) => LanguageTaskInput.Reserve(device, like.Count, like.Length, _train.HasSequences);

    /// <summary>Cross-entropy of every row on its own, so the first tokens of a row are predicted from little.</summary>
    public override Evaluation Evaluate(TaskModel model, DataPart part, int batchSize, Device device, DType? computeType)
    {
        ArgumentNullException.ThrowIfNull(model);
        LanguageTaskModel language = (LanguageTaskModel)model;
        CorpusPart corpus = Part(part) ?? throw new CaldException("the corpus has no test part");
        LanguageRows rows = corpus.Rows;
        long start = Stopwatch.GetTimestamp();
        using Tape.Pause pause = Tape.Paused();
        ForwardContext context = new() { ComputeType = computeType };
        double loss = 0;
        long tokens = 0;
        int[] all = [.. Enumerable.Range(0, rows.Count)];
        for (int first = 0; first < all.Length; first += batchSize)
        {
            using MemoryScope scope = MemoryScope.Begin();
            LanguageBatch batch = rows.Collate(all.AsSpan(first, Math.Min(batchSize, all.Length - first)));
            LanguageTaskInput input = LanguageTaskInput.Upload(device, batch);
            Tensor hidden = language.Model.Encode(input.Rows, context);
            loss += hidden.Reshape(-1, language.Model.HiddenSize).LinearCrossEntropy(language.Model.OutputWeight.Value, input.Labels, reduction: Reduction.Sum).Item();
            tokens += batch.TargetCount;
        }

        double mean = loss / tokens;
        Dictionary<string, double> metrics = new() { [RecipeSchema.NameOf(TaskMetric.Perplexity)] = Math.Exp(mean) };
        if (corpus.BytesPerToken is { } bytes)
        {
            metrics[RecipeSchema.NameOf(TaskMetric.BitsPerByte)] = mean / Math.Log(2) / bytes;
        }

        return new Evaluation(metrics, mean, rows.Count, Stopwatch.GetElapsedTime(start).TotalSeconds);
    }

    private CorpusPart? Part(DataPart part) => part switch
    {
        DataPart.Train => new CorpusPart(_train, null),
        DataPart.Validation => _validation,
        _ => _test,
    };
}
