using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using LinearCald.Data.Language;
using LinearCald.Data.Tokenizers;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Reporting;
using LinearCald.Models.GptNeoX;

namespace LinearCald.Distillation.Language;

/// <summary>Reads a recipe's corpus as rows of tokens; text is tokenised once and kept.</summary>
public static class LanguageTask
{
    /// <summary>Rows held out of a Megatron data set that has no part of its own for validation, unless the recipe names a number.</summary>
    private const int HeldOutRows = 512;

    /// <param name="recipe">Kind, folder, length and limits.</param>
    /// <param name="tokenizer">The source model's.</param>
    /// <param name="model">Gives the vocabulary.</param>
    /// <param name="progress">Told about tokenising and sizes.</param>
    /// <exception cref="CaldException">A file is missing or damaged, an id is beyond the vocabulary, or there is less than one row.</exception>
    public static LanguageData Read(TaskRecipe recipe, Tokenizer tokenizer, GptNeoXConfig model, IProgressSink progress)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(progress);
        if (tokenizer.VocabularySize > model.VocabularySize)
        {
            throw new CaldException($"the tokenizer has {tokenizer.VocabularySize} tokens, the model's table {model.VocabularySize} rows; take both from the same model");
        }

        return recipe.Kind switch
        {
            TaskKind.LmSample => Sample(recipe, tokenizer),
            TaskKind.Corpus => Corpus(recipe, tokenizer, progress),
            _ => Megatron(recipe, tokenizer, model, progress),
        };
    }

    private static LanguageData Sample(TaskRecipe recipe, Tokenizer tokenizer)
    {
        int end = tokenizer.EosId ?? throw new CaldException("the tokenizer names no end-of-text token, which documents end with");
        return new LanguageData(
            Limited(Part(SampleCorpus.Train).Rows, recipe.MaxTrainRows), Limited(Part(SampleCorpus.Validation), recipe.MaxEvalRows), null, recipe.Shuffle);

        CorpusPart Part(IReadOnlyList<string> documents)
        {
            int[][] ids = [.. documents.Select(text => (int[])[.. tokenizer.Encode(text, addSpecialTokens: false).Ids, end])];
            MemoryTokens tokens = new(ids, "the embedded text");
            return new CorpusPart(
                LanguageRows.Create(tokens, Options(recipe, end) with { EndOfTextRule = EndOfTextRule.AsStored }), documents.Sum(text => (double)Encoding.UTF8.GetByteCount(text)) / tokens.TokenCount);
        }
    }

    private static LanguageData Corpus(TaskRecipe recipe, Tokenizer tokenizer, IProgressSink progress)
    {
        string folder = recipe.RequireData();
        TextCorpusOptions options = new() { TextField = recipe.TextColumns.Count > 0 ? recipe.TextColumns[0] : "text" };
        CorpusPart train = Part("train", recipe.TrainFile) ?? throw Missing("train");
        CorpusPart validation = Part("valid", recipe.ValidationFile) ?? throw Missing("valid");
        CorpusPart? test = Part("test", recipe.TestFile);
        return new LanguageData(
            Limited(train.Rows, recipe.MaxTrainRows), Limited(validation, recipe.MaxEvalRows), test is null ? null : Limited(test, recipe.MaxEvalRows), recipe.Shuffle);

        CaldException Missing(string part) => new(
            $"{folder} has no {part} part: a corpus is a folder with train.txt, valid.txt and perhaps test.txt (or .jsonl, also with .gz), or folders of those names with text files; or name files with task.train_file and task.validation_file");

        CorpusPart? Part(string name, string? file)
        {
            IReadOnlyList<string>? files = file is null ? TextCorpusFiles.FindPart(folder, name) : TextCorpusFiles.List(Path.Combine(folder, file));
            if (files is null)
            {
                return null;
            }

            TokenizedCorpus corpus = TokenizedCorpus.Open(CacheOf(recipe, tokenizer, files), files, tokenizer, options, Reporter(progress, name));
            CorpusCounts counts = corpus.Manifest.Counts;
            progress.Note(string.Create(
                CultureInfo.InvariantCulture, $"{name}: {counts.Documents:N0} documents, {counts.StoredTokens:N0} tokens{(corpus.Reused ? "" : " (tokenised now, kept for the next time)")}"));
            DocumentMixing documents = recipe.Documents == DocumentRule.Separate ? DocumentMixing.Separate : DocumentMixing.Mixed;
            return new CorpusPart(corpus.Rows(recipe.MaxLength, documents), (double)counts.Utf8Bytes / counts.StoredTokens);
        }
    }

    private static LanguageData Megatron(TaskRecipe recipe, Tokenizer tokenizer, GptNeoXConfig model, IProgressSink progress)
    {
        string folder = recipe.RequireData();
        IndexedDatasetOptions options = new() { Vocabulary = model.VocabularySize, AllowPartial = true };
        LanguageRows train = Rows(recipe.TrainFile ?? "train");
        string? held = recipe.ValidationFile ?? (File.Exists(Path.Combine(folder, "valid.idx")) ? "valid" : null);
        if (held is not null)
        {
            LanguageRows? test = recipe.TestFile is { } file ? Rows(file) : null;
            return new LanguageData(
                Limited(train, recipe.MaxTrainRows), Limited(new CorpusPart(Rows(held), null), recipe.MaxEvalRows), test is null ? null : Limited(new CorpusPart(test, null), recipe.MaxEvalRows), recipe.Shuffle);
        }

        int wanted = recipe.MaxEvalRows > 0 ? recipe.MaxEvalRows : HeldOutRows;
        int learnt = recipe.MaxTrainRows > 0 ? Math.Min(recipe.MaxTrainRows, train.Count - 1) : train.Count - wanted;
        if (learnt < 1)
        {
            throw new CaldException($"{folder}: {train.Count} rows of {recipe.MaxLength} tokens leave nothing to learn from beside {wanted} for validation; lower task.max_eval_rows, or name a part with task.validation_file");
        }

        int count = Math.Min(wanted, train.Count - learnt);
        progress.Note(string.Create(CultureInfo.InvariantCulture, $"no validation part in {folder}: the last {count:N0} rows are held out, the first {learnt:N0} are learnt from"));
        return new LanguageData(train.Slice(0, learnt), new CorpusPart(train.Slice(train.Count - count, count), null), null, recipe.Shuffle);

        LanguageRows Rows(string name)
        {
            IndexedDataset tokens = IndexedDataset.Open(Path.Combine(folder, name), options);
            if (tokens.MissingSequences > 0)
            {
                progress.Note(string.Create(CultureInfo.InvariantCulture, $"{name}.bin ends before its index does: the last {tokens.MissingSequences:N0} sequences of the index are left out"));
            }

            return LanguageRows.Create(tokens, Options(recipe, tokenizer.EosId));
        }
    }

    private static LanguageRowOptions Options(TaskRecipe recipe, int? endOfText) => new()
    {
        SequenceLength = recipe.MaxLength,
        Documents = recipe.Documents == DocumentRule.Separate ? DocumentMixing.Separate : DocumentMixing.Mixed,
        EndOfText = endOfText,
    };

    private static LanguageRows Limited(LanguageRows rows, int most) => most > 0 && most < rows.Count ? rows.Slice(0, most) : rows;

    private static CorpusPart Limited(CorpusPart part, int most) => part with { Rows = Limited(part.Rows, most) };

    /// <summary>A folder of its own for each set of files and tokenizer, so that two corpora never push each other out.</summary>
    private static string CacheOf(TaskRecipe recipe, Tokenizer tokenizer, IReadOnlyList<string> files)
    {
        string identity = string.Join('\n', files.Select(Path.GetFullPath)) + "\n" + tokenizer.VocabularySize.ToString(CultureInfo.InvariantCulture);
        string name = $"{Path.GetFileName(files[0]).Split('.')[0]}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(identity)))[..12]}";
        return Path.Combine(recipe.Cache ?? Path.Combine("runs", "cache"), name);
    }

    /// <summary>Tells of every fifth of the work, and once of waiting.</summary>
    private static Action<TokenizingProgress> Reporter(IProgressSink progress, string part)
    {
        long told = -1;
        return state =>
        {
            long fifth = state.Waiting ? -2 : 5 * state.Bytes / Math.Max(1, state.TotalBytes);
            if (fifth == told)
            {
                return;
            }

            told = fifth;
            progress.Note(state.Waiting
                ? $"{part}: another process tokenises this corpus; waiting for it"
                : string.Create(CultureInfo.InvariantCulture, $"{part}: tokenised {20 * fifth} %, {state.Tokens:N0} tokens"));
        };
    }
}
