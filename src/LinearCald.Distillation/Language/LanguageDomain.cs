using System.Globalization;
using LinearCald.Data.Tokenizers;
using LinearCald.Distillation.Conversion;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Training;
using LinearCald.Models.GptNeoX;
using LinearCald.Models.Language;
using LinearCald.Models.Mamba;
using LinearCald.Nn;

namespace LinearCald.Distillation.Language;

/// <summary>Language modelling: GPT-NeoX (Pythia) to Mamba. The source is its own target teacher: nothing new is put on top of it.</summary>
public sealed class LanguageDomain : ConversionDomain
{
    private readonly string _source;
    private readonly GptNeoXConfig _config;
    private readonly Tokenizer _tokenizer;
    private readonly LanguageData _data;

    /// <summary>Reads the corpus and the tokenizer.</summary>
    /// <param name="source">Folder of the source model.</param>
    /// <param name="recipe">Names the corpus.</param>
    /// <param name="options">Progress.</param>
    /// <exception cref="CaldException">The recipe asks for another kind of task or mixer, or for rows that the teacher cannot take.</exception>
    public LanguageDomain(string source, Recipe recipe, SessionOptions options)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(options);
        if (recipe.Student.Mixer != MixerKind.Mamba || !recipe.Task.IsLanguage)
        {
            throw new CaldException(
                $"recipe {recipe.Name}: student.mixer {RecipeSchema.NameOf(recipe.Student.Mixer)} with task.kind {RecipeSchema.NameOf(recipe.Task.Kind)} does not go with a GPT-NeoX ({source}); "
                + "set student.mixer to mamba and task.kind to lm-sample, corpus or megatron, or begin with the recipe lm-demo");
        }

        _source = source;
        _config = GptNeoXConfig.Read(source);
        if (recipe.Task.MaxLength > _config.MaximumPositions)
        {
            throw new CaldException(
                $"task.max_length {recipe.Task.MaxLength} is beyond the {_config.MaximumPositions} positions of {source}, which guides and is compared with; lower it with --set task.max_length={_config.MaximumPositions}");
        }

        _tokenizer = Tokenizer.Load(source);
        _data = LanguageTask.Read(recipe.Task, _tokenizer, _config, options.Progress);
    }

    public override TrainingData Data => _data;

    public override int Layers => _config.Layers;

    public override bool HasNewHead => false;

    public override string TaskLoss => "cross-entropy of the next token";

    public override string DataSize => string.Create(
        CultureInfo.InvariantCulture,
        $"{_data.Rows:N0} training rows of {_data.Length:N0} tokens ({(long)_data.Rows * _data.Length:N0} tokens), {_data.Count(DataPart.Validation):N0} for validation");

    public override TaskModel LoadSource(OptimisationRecipe recipe, BuildContext context)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        return new LanguageTaskModel((GptNeoXForCausalLM)LanguageModelFiles.Load(_source, context, out _, config => WithDropout((GptNeoXConfig)config, recipe.Dropout)));
    }

    public override TaskModel LoadTeacher(string folder, BuildContext context)
    {
        GptNeoXConfig teacher = GptNeoXConfig.Read(folder);
        if (Misfit(teacher) is { } misfit)
        {
            throw new CaldException($"{folder} cannot guide this conversion: {misfit}");
        }

        return new LanguageTaskModel(LanguageModelFiles.LoadGptNeoX(folder, context));
    }

    public override TaskModel Convert(TaskModel transformer, Recipe recipe, BuildContext context)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        return new LanguageTaskModel(MambaConversion.Convert(((LanguageTaskModel)transformer).Model, MambaOf(recipe), context, config => WithDropout(config, recipe.Training.Dropout)));
    }

    public override TaskModel Blank(Recipe recipe, BuildContext context) => new LanguageTaskModel(new GptNeoXForCausalLM(context, _config with { Mamba = MambaOf(recipe) }));

    public override bool IsHead(string parameter) => false;

    public override string StartOf(string parameter, Recipe recipe)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        MambaConfig mamba = MambaOf(recipe);
        CultureInfo c = CultureInfo.InvariantCulture;
        return parameter[(parameter.LastIndexOf("mamba.", StringComparison.Ordinal) + "mamba.".Length)..] switch
        {
            "A_log" => string.Create(c, $"ln 1 … ln {mamba.StateSize}"),
            "D" => "1",
            "conv1d.weight" or "conv1d.bias" => string.Create(c, $"U(±1/√{mamba.ConvKernel})"),
            "dt_proj.weight" => string.Create(c, $"U(±1/√{mamba.TimeStepRank})"),
            "dt_proj.bias" => string.Create(c, $"softplus⁻¹ of log-uniform {mamba.TimeStepMin} … {mamba.TimeStepMax}"),
            "in_proj.weight" => string.Create(c, $"U(±1/√{_config.HiddenSize})"),
            _ => string.Create(c, $"U(±1/√{mamba.InnerSize})"),
        };
    }

    public override long ActivationsOf(Recipe recipe)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        long tokens = (long)recipe.Training.MicroBatchSize * recipe.Task.MaxLength;
        MambaConfig mamba = MambaOf(recipe);
        long layer = (8L * _config.HiddenSize) + (2L * _config.IntermediateSize) + (8L * mamba.InnerSize);
        return recipe.Training.ActivationCheckpointing
            ? tokens * (((long)_config.HiddenSize * _config.Layers) + layer)
            : tokens * layer * _config.Layers;
    }

    protected override void SaveTokenizer(string folder) => _tokenizer.Save(folder);

    protected override ModelCard CardOf(TaskModel model, Recipe recipe)
    {
        GptNeoXForCausalLM language = ((LanguageTaskModel)model).Model;
        GptNeoXConfig c = language.Config;
        CultureInfo culture = CultureInfo.InvariantCulture;
        string what = c.Mamba is { } m
            ? string.Create(culture, $"Mamba student (inner width {m.InnerSize}, state {m.StateSize}, time-step rank {m.TimeStepRank}), any length at linear cost")
            : "GPT-NeoX transformer";
        string[] facts =
        [
            string.Create(culture, $"{c.Layers} layers, width {c.HiddenSize}, {language.ParameterCount():N0} parameters"),
            $"trained on rows of {recipe.Task.MaxLength} tokens",
        ];
        return new ModelCard("text-generation", what, facts, "Write text with `cald generate --model FOLDER PROMPT`.");
    }

    private MambaConfig MambaOf(Recipe recipe)
    {
        StudentRecipe s = recipe.Student;
        return (s.Sizes == MixerSizes.Inherited ? MambaConfig.Reference : MambaConfig.For(_config.HiddenSize, s.Expand)) with
        {
            StateSize = s.StateSize,
            ConvKernel = s.ConvKernel,
        };
    }

    private static GptNeoXConfig WithDropout(GptNeoXConfig config, double? dropout) => dropout is { } p ? config with { HiddenDropout = p, AttentionDropout = p } : config;

    private string? Misfit(GptNeoXConfig teacher)
    {
        GptNeoXConfig s = _config;
        return teacher.Mamba is not null
            ? "it is a converted student; give the transformer"
            : (teacher.Layers, teacher.HiddenSize, teacher.VocabularySize) != (s.Layers, s.HiddenSize, s.VocabularySize)
                ? $"it has {teacher.Layers} layers, width {teacher.HiddenSize} and {teacher.VocabularySize} tokens, the source {_source} {s.Layers}, {s.HiddenSize} and {s.VocabularySize}"
                : null;
    }
}
