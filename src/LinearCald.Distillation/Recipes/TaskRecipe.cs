namespace LinearCald.Distillation.Recipes;

/// <summary>Section `task`: which examples, how they become batches, and what is measured on them.</summary>
public sealed record TaskRecipe
{
    [RecipeKey("where examples come from; glue kinds read GLUE's own files, tsv has the label in the last column; lm-sample, corpus and megatron are for language models; speech-sample, transcripts, ted-lium, slurp, vox-celeb and libri-speech for speech")]
    public TaskKind Kind { get; init; } = TaskKind.Sample;

    [RecipeKey("folder with the data files; not used by the samples, needed by every other kind")]
    public string? Data { get; init; }

    [RecipeKey("file name of the training part inside `data`; null = the kind's usual name")]
    public string? TrainFile { get; init; }

    [RecipeKey("file name of the validation part; null = the kind's usual name")]
    public string? ValidationFile { get; init; }

    [RecipeKey("file name of the test part; null = the kind's usual name, none where the kind has no labelled one")]
    public string? TestFile { get; init; }

    [RecipeKey("one column or a pair: names in JSON lines, numbers from 0 in TSV; [] = the kind's usual ones")]
    public NameList TextColumns { get; init; } = NameList.Empty;

    [RecipeKey("column of the label: a name in JSON lines, a number from 0 in TSV; null = the kind's usual one")]
    public string? LabelColumn { get; init; }

    [RecipeKey("class names in the order of the outputs; [] = those of the training part, sorted")]
    public NameList Labels { get; init; } = NameList.Empty;

    [RecipeKey("longest input in tokens, special tokens included; longer text is cut (longest member of a pair first); language models: tokens of a row", Min = 4, Max = 1_048_576)]
    public int MaxLength { get; init; } = 512;

    [RecipeKey("use only the first so many training rows; 0 = all", Min = 0)]
    public int MaxTrainRows { get; init; }

    [RecipeKey("use only the first so many validation and test rows; 0 = all", Min = 0)]
    public int MaxEvalRows { get; init; }

    [RecipeKey("put texts of like length into one batch; false = batches in plain shuffled order, as the reference does")]
    public bool Bucketing { get; init; } = true;

    [RecipeKey("language models: mixed = rows run across documents as the reference's do; separate = states start again at each document")]
    public DocumentRule Documents { get; init; } = DocumentRule.Mixed;

    [RecipeKey("language models: rows in another random order each epoch; false = in the order of the file, as the reference reads them")]
    public bool Shuffle { get; init; } = true;

    [RecipeKey("language models: folder for tokenised text; null = runs/cache")]
    public string? Cache { get; init; }

    [RecipeKey("speech: classes to predict, such as speaker, scenario, action, intent; [] = the transcript")]
    public NameList Targets { get; init; } = NameList.Empty;

    [RecipeKey("speech: only clips of this language, where the data name one; null = all")]
    public string? Language { get; init; }

    [RecipeKey("speech: clips that cannot be used end the run before it begins, or are left out and counted")]
    public BadClipRule BadClips { get; init; } = BadClipRule.Error;

    [RecipeKey("speech: longest training clip in seconds; longer ones are left out and counted; 0 = any", Min = 0)]
    public double MaxSeconds { get; init; }

    [RecipeKey("speech: shuffled clips that are sorted by length together before they are cut into batches", Min = 1, Max = 16_777_216)]
    public int BucketSize { get; init; } = 1024;

    [RecipeKey("speech: share of frames masked in training (SpecAugment); null = as the model's config.json says", Min = 0, Max = 1)]
    public double? MaskTimeProb { get; init; }

    [RecipeKey("speech: share of features masked in training; null = as the model's config.json says", Min = 0, Max = 1)]
    public double? MaskFeatureProb { get; init; }

    [RecipeKey("what is reported and chooses the best checkpoint")]
    public TaskMetric Metric { get; init; } = TaskMetric.Accuracy;

    /// <summary>The task is language modelling, not classification.</summary>
    public bool IsLanguage => Kind is TaskKind.LmSample or TaskKind.Corpus or TaskKind.Megatron;

    /// <summary>The task is about speech.</summary>
    public bool IsSpeech => Kind is TaskKind.SpeechSample or TaskKind.Transcripts or TaskKind.TedLium or TaskKind.Slurp or TaskKind.VoxCeleb or TaskKind.LibriSpeech;

    /// <summary>The task is recognition: the transcript is to be found, not classes.</summary>
    public bool IsRecognition => IsSpeech && Targets.Count == 0;

    /// <summary>The data folder.</summary>
    /// <exception cref="CaldException">The task needs one and the recipe names none.</exception>
    public string RequireData() => Data ?? throw new CaldException(
        $"task.kind {RecipeSchema.NameOf(Kind)} needs a data folder: set task.data in the recipe or add --data FOLDER");
}
