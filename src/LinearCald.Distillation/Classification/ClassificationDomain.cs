using System.Globalization;
using LinearCald.Data.Tokenizers;
using LinearCald.Distillation.Conversion;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Training;
using LinearCald.Models.Linformer;
using LinearCald.Models.Roberta;
using LinearCald.Nn;

namespace LinearCald.Distillation.Classification;

/// <summary>Text classification: RoBERTa to Linformer.</summary>
public sealed class ClassificationDomain : ConversionDomain
{
    private readonly string _source;
    private readonly RobertaConfig _config;
    private readonly Tokenizer _tokenizer;
    private readonly ClassificationData _data;

    /// <summary>Reads the task and the tokenizer.</summary>
    /// <param name="source">Folder of the source model.</param>
    /// <param name="recipe">Names the task.</param>
    /// <param name="options">Progress.</param>
    public ClassificationDomain(string source, Recipe recipe, SessionOptions options)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(options);
        if (recipe.Student.Mixer != MixerKind.Linformer)
        {
            throw new CaldException($"student.mixer {RecipeSchema.NameOf(recipe.Student.Mixer)} does not go with a RoBERTa ({source}); set student.mixer to linformer");
        }

        _source = source;
        _config = RobertaConfig.Read(source);
        _tokenizer = Tokenizer.Load(source);
        _data = ClassificationTask.Encode(ClassificationTask.Read(recipe.Task), _tokenizer, _config, recipe.Task, options.Progress);
    }

    public override TrainingData Data => _data;

    public override int Layers => _config.Layers;

    public override bool HasNewHead => true;

    public override string TaskLoss => "cross-entropy";

    public override string DataSize => string.Create(
        CultureInfo.InvariantCulture, $"{_data.Rows:N0} training, {_data.Count(DataPart.Validation):N0} validation, {_data.Labels.Count} classes");

    public override TaskModel LoadSource(OptimisationRecipe recipe, BuildContext context) =>
        new ClassifierModel(RobertaFiles.LoadForTask(_source, context, _data.Labels, out _, config => WithDropout(config, recipe.Dropout)));

    public override TaskModel LoadTeacher(string folder, BuildContext context)
    {
        RobertaForSequenceClassification teacher = RobertaFiles.LoadClassifier(folder, context);
        if (Misfit(teacher.Config) is { } misfit)
        {
            teacher.Dispose();
            throw new CaldException($"{folder} cannot guide this conversion: {misfit}");
        }

        return new ClassifierModel(teacher);
    }

    public override TaskModel Convert(TaskModel transformer, Recipe recipe, BuildContext context)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        return new ClassifierModel(RobertaFiles.Convert(((ClassifierModel)transformer).Model, LinformerOf(recipe), context, config => WithDropout(config, recipe.Training.Dropout)));
    }

    public override TaskModel Blank(Recipe recipe, BuildContext context) => new ClassifierModel(
        new RobertaForSequenceClassification(context, _config with { Labels = _data.Labels, Linformer = LinformerOf(recipe) }));

    public override bool IsHead(string parameter) => RobertaFiles.IsHead(parameter);

    public override string StartOf(string parameter, Recipe recipe)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        ArgumentNullException.ThrowIfNull(recipe);
        return RobertaFiles.IsProjection(parameter)
            ? recipe.Student.ProjectionInit == ProjectionInit.Pool ? "averages of neighbouring positions" : "N(0, 1)"
            : parameter.EndsWith("bias", StringComparison.Ordinal) ? "0" : string.Create(CultureInfo.InvariantCulture, $"N(0, {_config.InitialiserRange}²)");
    }

    public override long ActivationsOf(Recipe recipe)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        long tokens = (long)recipe.Training.MicroBatchSize * recipe.Task.MaxLength;
        return recipe.Training.ActivationCheckpointing
            ? tokens * _config.HiddenSize * (_config.Layers + 14L)
            : tokens * ((13L * _config.HiddenSize) + (2L * _config.IntermediateSize)) * _config.Layers;
    }

    public override string? StartName(Recipe recipe)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        return RecipeSchema.NameOf(recipe.Student.ProjectionInit);
    }

    protected override void SaveTokenizer(string folder) => _tokenizer.Save(folder);

    protected override ModelCard CardOf(TaskModel model, Recipe recipe)
    {
        RobertaForSequenceClassification classifier = ((ClassifierModel)model).Model;
        RobertaConfig c = classifier.Config;
        CultureInfo culture = CultureInfo.InvariantCulture;
        string what = c.Linformer is { } l
            ? string.Create(culture, $"Linformer student (rank {l.Rank}, projections shared: {l.Sharing.ToString().ToLowerInvariant()}), cost linear in length")
            : "RoBERTa transformer, fine-tuned";
        string[] facts =
        [
            string.Create(culture, $"{c.Layers} layers, width {c.HiddenSize}, {c.Heads} heads, {classifier.ParameterCount():N0} parameters"),
            $"longest training text {recipe.Task.MaxLength} tokens",
            $"classes: {string.Join(", ", c.Labels)}",
        ];
        return new ModelCard("text-classification", what, facts, "Evaluate with `cald eval --model FOLDER --task RECIPE`.");
    }

    /// <summary>The Linformer that a recipe asks for on this source.</summary>
    private LinformerConfig LinformerOf(Recipe recipe)
    {
        ProjectionSharing sharing = recipe.Student.ShareMode switch
        {
            ShareMode.None => ProjectionSharing.None,
            ShareMode.Kv => ProjectionSharing.Kv,
            _ => ProjectionSharing.Layer,
        };
        return new LinformerConfig(recipe.Student.Rank, sharing, _config.MaximumPositions)
        {
            Start = recipe.Student.ProjectionInit == ProjectionInit.Pool ? ProjectionStart.Pool : ProjectionStart.Normal,
            Noise = recipe.Student.InitNoise,
            StartLength = recipe.Task.MaxLength,
        };
    }

    private static RobertaConfig WithDropout(RobertaConfig config, double? dropout) => dropout is { } p
        ? config with { HiddenDropout = p, AttentionDropout = p, ClassifierDropout = p }
        : config;

    private string? Misfit(RobertaConfig teacher)
    {
        RobertaConfig s = _config;
        if (teacher.Linformer is not null)
        {
            return "it is a converted student; give the fine-tuned transformer";
        }

        if ((teacher.Layers, teacher.HiddenSize, teacher.VocabularySize, teacher.MaximumPositions) != (s.Layers, s.HiddenSize, s.VocabularySize, s.MaximumPositions))
        {
            return $"it has {teacher.Layers} layers, width {teacher.HiddenSize}, {teacher.VocabularySize} tokens and {teacher.MaximumPositions} positions, the source {_source} "
                + $"{s.Layers}, {s.HiddenSize}, {s.VocabularySize} and {s.MaximumPositions}; fine-tune this source, or set model.source to the teacher's";
        }

        if (teacher.Labels.Count != _data.Labels.Count)
        {
            return $"it has {teacher.Labels.Count} classes, the task {_data.Labels.Count}; fine-tune it on this task";
        }

        // Other names are other words for the same classes (LABEL_0 …); the same names in another order are a mistake.
        return !teacher.Labels.SequenceEqual(_data.Labels) && teacher.Labels.Order(StringComparer.Ordinal).SequenceEqual(_data.Labels.Order(StringComparer.Ordinal))
            ? $"its classes are the task's in another order ({string.Join(", ", teacher.Labels)}); set task.labels to that order"
            : null;
    }
}
