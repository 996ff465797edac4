using LinearCald.Data.Speech;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Reporting;
using LinearCald.Models.Wav2Vec2;

namespace LinearCald.Distillation.Speech;

/// <summary>Reads a recipe's speech: the clips and, for recognition, the characters that transcripts are made of.</summary>
internal static class SpeechTask
{
    /// <param name="recipe">Kind, folder, targets and limits.</param>
    /// <param name="vocabulary">The source model's characters; null when it has none, or when they do not matter.</param>
    /// <param name="model">Gives the length of frames.</param>
    /// <param name="progress">Told what was left out.</param>
    /// <exception cref="CaldException">A file is missing or damaged, or the recipe asks for what the corpus does not have.</exception>
    public static SpeechCorpus Read(TaskRecipe recipe, CharacterVocabulary? vocabulary, Wav2Vec2Config model, IProgressSink progress)
    {
        SpeechOptions options = Options(recipe, vocabulary, model);
        string folder = recipe.Kind == TaskKind.SpeechSample ? SampleSpeech.Folder : recipe.RequireData();
        SpeechCorpus corpus = SpeechCorpora.Read(FormatOf(recipe.Kind), folder, options);
        foreach (string note in corpus.Notes)
        {
            progress.Note(note);
        }

        return corpus.Parts.Train.Count == 0
            ? throw new CaldException($"{corpus.Name} has no training clips; check task.data, task.train_file and task.language")
            : corpus;
    }

    private static SpeechOptions Options(TaskRecipe recipe, CharacterVocabulary? vocabulary, Wav2Vec2Config model)
    {
        ProblemRule rule = recipe.BadClips == BadClipRule.Skip ? ProblemRule.Skip : ProblemRule.Error;
        return new SpeechOptions
        {
            Train = Names(recipe.TrainFile),
            Validation = Names(recipe.ValidationFile),
            Test = Names(recipe.TestFile),
            TranscriptColumn = recipe.TextColumns.Count > 0 ? recipe.TextColumns[0] : null,
            Language = recipe.Language,
            Targets = [.. recipe.Targets],
            Classes = recipe.Targets.Count == 1 && recipe.Labels.Count > 0 ? [new SpeechTarget(recipe.Targets[0], [.. recipe.Labels])] : [],
            Vocabulary = recipe.IsRecognition ? vocabulary : null,
            Frames = model.Frames,
            ReceptiveField = model.ReceptiveField,
            MaximumTrainSamples = (int)Math.Min(int.MaxValue, Math.Ceiling(recipe.MaxSeconds * SpeechCorpus.SampleRate)),
            MaximumTrainExamples = recipe.MaxTrainRows,
            MaximumEvaluationExamples = recipe.MaxEvalRows,
            MissingFiles = rule,
            UnreadableFiles = rule,
            ShortClips = rule,
            UnknownCharacters = rule,
            LongLabels = rule,
        };
    }

    private static string[] Names(string? names) => names is null ? [] : names.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static SpeechFormat FormatOf(TaskKind kind) => kind switch
    {
        TaskKind.TedLium => SpeechFormat.TedLium,
        TaskKind.Slurp => SpeechFormat.Slurp,
        TaskKind.VoxCeleb => SpeechFormat.VoxCeleb,
        TaskKind.LibriSpeech => SpeechFormat.LibriSpeech,
        _ => SpeechFormat.Transcripts,
    };
}
