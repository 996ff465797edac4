using LinearCald.Data.Batching;
using LinearCald.Data.Tasks;
using LinearCald.Data.Tokenizers;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Reporting;
using LinearCald.Models.Roberta;

namespace LinearCald.Distillation.Classification;

/// <summary>Reads a recipe's classification task and turns it into token ids.</summary>
public static class ClassificationTask
{
    /// <summary>Reads the task's files as text.</summary>
    public static TextTask Read(TaskRecipe recipe)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        return TaskLoader.Load(new TaskOptions
        {
            Format = FormatOf(recipe.Kind),
            Folder = recipe.Kind == TaskKind.Sample ? null : recipe.RequireData(),
            TrainFile = recipe.TrainFile,
            ValidationFile = recipe.ValidationFile,
            TestFile = recipe.TestFile,
            TextColumns = [.. recipe.TextColumns],
            LabelColumn = recipe.LabelColumn,
            Labels = [.. recipe.Labels],
            MaxTrainRows = recipe.MaxTrainRows,
            MaxEvalRows = recipe.MaxEvalRows,
        });
    }

    /// <summary>Encodes all parts of a task with the tokenizer of a model.</summary>
    /// <param name="task">The task.</param>
    /// <param name="tokenizer">The source model's.</param>
    /// <param name="model">Gives the padding id and the longest text.</param>
    /// <param name="recipe">Gives the longest text in tokens, special tokens included, and whether texts of like length go together.</param>
    /// <param name="progress">Told how many texts were cut.</param>
    /// <exception cref="CaldException">The model takes only shorter texts, or the tokenizer has more tokens than the model.</exception>
    public static ClassificationData Encode(TextTask task, Tokenizer tokenizer, RobertaConfig model, TaskRecipe recipe, IProgressSink progress)
    {
        ArgumentNullException.ThrowIfNull(task);
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(progress);
        int maximumLength = recipe.MaxLength;
        if (maximumLength > model.MaximumLength)
        {
            throw new CaldException($"task.max_length {maximumLength} is beyond the model's {model.MaximumLength} tokens; lower it with --set task.max_length={model.MaximumLength}");
        }

        if (tokenizer.VocabularySize > model.VocabularySize)
        {
            throw new CaldException($"the tokenizer has {tokenizer.VocabularySize} tokens, the model's table {model.VocabularySize} rows; take both from the same model");
        }

        TokenizedDataset train = Part("training", task.Train, tokenizer, maximumLength, progress);
        TokenizedDataset validation = Part("validation", task.Validation, tokenizer, maximumLength, progress);
        TokenizedDataset? test = task.Test is { Count: > 0 } texts ? Part("test", texts, tokenizer, maximumLength, progress) : null;
        return new ClassificationData(task.Labels, train, validation, test, model, recipe.Bucketing);
    }

    private static TokenizedDataset Part(string name, IReadOnlyList<TextExample> texts, Tokenizer tokenizer, int maximumLength, IProgressSink progress)
    {
        TokenizedDataset part = TokenizedDataset.Tokenize(texts, tokenizer.EncodeIds, maximumLength);
        if (part.TruncatedCount > 0)
        {
            progress.Note($"{part.TruncatedCount} of {part.Count} {name} texts are longer than {maximumLength} tokens and were cut");
        }

        return part;
    }

    private static TaskFormat FormatOf(TaskKind kind) => kind switch
    {
        TaskKind.Sample => TaskFormat.Sample,
        TaskKind.Tsv => TaskFormat.Tsv,
        TaskKind.Jsonl => TaskFormat.Jsonl,
        TaskKind.Sst2 => TaskFormat.Sst2,
        TaskKind.Qnli => TaskFormat.Qnli,
        TaskKind.Qqp => TaskFormat.Qqp,
        TaskKind.Mrpc => TaskFormat.Mrpc,
        TaskKind.Rte => TaskFormat.Rte,
        _ => TaskFormat.Imdb,
    };
}
