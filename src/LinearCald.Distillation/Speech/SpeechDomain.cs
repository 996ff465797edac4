using System.Globalization;
using LinearCald.Data.Speech;
using LinearCald.Distillation.Conversion;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Training;
using LinearCald.Models.Mamba;
using LinearCald.Models.Wav2Vec2;
using LinearCald.Nn;
using LinearCald.Nn.Files;

namespace LinearCald.Distillation.Speech;

/// <summary>Speech: Wav2Vec2 to a student with a Mamba-2 in each direction, for recognition with CTC or for classes of clips.</summary>
public sealed class SpeechDomain : ConversionDomain
{
    private readonly string _source;
    private readonly Wav2Vec2Config _config;
    private readonly CharacterVocabulary? _vocabulary;
    private readonly ClassificationTarget[] _targets;
    private readonly SpeechData _data;
    private readonly TaskRecipe _task;
    private readonly bool _freezesEncoder;

    /// <summary>Reads the corpus and the characters.</summary>
    /// <param name="source">Folder of the source model.</param>
    /// <param name="recipe">Names the corpus.</param>
    /// <param name="options">Progress.</param>
    /// <exception cref="CaldException">The recipe asks for another kind of task or mixer, or the corpus cannot be read.</exception>
    public SpeechDomain(string source, Recipe recipe, SessionOptions options)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(options);
        TaskRecipe task = recipe.Task;
        if (recipe.Student.Mixer != MixerKind.BiMamba2 || !task.IsSpeech)
        {
            throw new CaldException(
                $"recipe {recipe.Name}: student.mixer {RecipeSchema.NameOf(recipe.Student.Mixer)} with task.kind {RecipeSchema.NameOf(task.Kind)} does not go with a Wav2Vec2 ({source}); "
                + "set student.mixer to bi-mamba2 and task.kind to speech-sample, transcripts, ted-lium, slurp, vox-celeb or libri-speech, or begin with the recipe speech-demo");
        }

        _source = source;
        _task = task;
        _config = Wav2Vec2Config.Read(source);
        _freezesEncoder = recipe.Model.FreezeFeatureEncoder;
        CharacterVocabulary? own = task.IsRecognition && HasRecogniser(source) ? CharacterVocabulary.Load(source) : null;
        HasNewHead = own is null;
        SpeechCorpus corpus = SpeechTask.Read(task, own, _config, options.Progress);
        _vocabulary = task.IsRecognition ? own ?? CharacterVocabulary.FromTranscripts(corpus.Parts.Train.Select(e => e.Transcript)) : null;
        _targets = [.. corpus.Targets.Where(t => task.Targets.Contains(t.Name)).Select(t => new ClassificationTarget(t.Name, t.Classes))];
        _data = new SpeechData(corpus, _vocabulary, _config, task, options.Progress);
    }

    public override TrainingData Data => _data;

    public override int Layers => _config.Layers;

    public override bool HasNewHead { get; }

    public override string TaskLoss => _vocabulary is null ? "cross-entropy of the classes" : "CTC a label";

    public override string DataSize => _data.Size;

    public override TaskModel LoadSource(OptimisationRecipe recipe, BuildContext context)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        PretrainedWav2Vec2 model = _vocabulary is null
            ? Wav2Vec2Files.LoadForClassification(_source, context, _targets, out _, Change)
            : Wav2Vec2Files.LoadForCtc(_source, context, HasNewHead ? _vocabulary.Size : null, out _, Change);
        return new SpeechTaskModel(model, _freezesEncoder);

        Wav2Vec2Config Change(Wav2Vec2Config config) => WithDropout(config, recipe.Dropout) with
        {
            PaddingId = _vocabulary?.Blank ?? config.PaddingId,
            TimeMaskProbability = _task.MaskTimeProb ?? config.TimeMaskProbability,
            FeatureMaskProbability = _task.MaskFeatureProb ?? config.FeatureMaskProbability,
        };
    }

    public override TaskModel LoadTeacher(string folder, BuildContext context)
    {
        PretrainedWav2Vec2 teacher = _vocabulary is null ? Wav2Vec2Files.LoadClassifier(folder, context) : Wav2Vec2Files.LoadCtc(folder, context);
        if (Misfit(folder, teacher.Config) is { } misfit)
        {
            teacher.Dispose();
            throw new CaldException($"{folder} cannot guide this conversion: {misfit}");
        }

        return new SpeechTaskModel(teacher, _freezesEncoder);
    }

    public override TaskModel Convert(TaskModel transformer, Recipe recipe, BuildContext context)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        PretrainedWav2Vec2 student = Wav2Vec2Files.Convert(((SpeechTaskModel)transformer).Model, MixerOf(recipe), context, config => WithDropout(config, recipe.Training.Dropout));
        return new SpeechTaskModel(student, _freezesEncoder);
    }

    public override TaskModel Blank(Recipe recipe, BuildContext context)
    {
        Wav2Vec2Config config = _config with { BiMamba2 = MixerOf(recipe), VocabularySize = _vocabulary?.Size ?? _config.VocabularySize, Targets = _targets };
        PretrainedWav2Vec2 model = _vocabulary is null ? new Wav2Vec2ForSequenceClassification(context, config) : new Wav2Vec2ForCTC(context, config);
        return new SpeechTaskModel(model, _freezesEncoder);
    }

    public override bool IsHead(string parameter) => HasNewHead && Wav2Vec2Files.IsHead(parameter);

    public override string StartOf(string parameter, Recipe recipe)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        BiMamba2Config mixer = MixerOf(recipe);
        CultureInfo c = CultureInfo.InvariantCulture;
        string name = parameter[(parameter.LastIndexOf("_mamba.", StringComparison.Ordinal) + 1)..];
        return name switch
        {
            "mamba.A_log" => mixer.Mixer.DecayStart is var (low, high) ? string.Create(c, $"ln U({low}, {high})") : string.Create(c, $"ln 1 … ln {mixer.Mixer.Heads}"),
            "mamba.D" or "mamba.norm.weight" => "1",
            "mamba.dt_bias" => string.Create(c, $"softplus⁻¹ of log-uniform {mixer.Mixer.TimeStepMin} … {mixer.Mixer.TimeStepMax}"),
            "mamba.conv1d.weight" or "mamba.conv1d.bias" => string.Create(c, $"U(±1/√{mixer.Mixer.ConvKernel})"),
            "mamba.in_proj.weight" => string.Create(c, $"U(±1/√{_config.HiddenSize})"),
            "mamba.out_proj.weight" => string.Create(c, $"U(±1/√{mixer.Mixer.InnerSize})"),
            _ => parameter.EndsWith("bias", StringComparison.Ordinal) ? "0" : string.Create(c, $"N(0, {_config.InitialiserRange}²)"),
        };
    }

    public override long ActivationsOf(Recipe recipe)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        TrainingRecipe training = recipe.Training;
        double samples = training.MicroBatchSize * (double)_data.LongestTrainSamples;
        if (training.FrameLimit > 0)
        {
            samples = Math.Min(samples, training.FrameLimit);
        }

        long frames = (long)(samples / _config.Stride);
        BiMamba2Config mixer = MixerOf(recipe);
        long layer = (8L * _config.HiddenSize) + (2L * _config.IntermediateSize) + (2L * ((4L * mixer.Mixer.InnerSize) + (2L * mixer.Mixer.ConvolutionSize)));
        return training.ActivationCheckpointing ? frames * (((long)_config.HiddenSize * _config.Layers) + layer) : frames * layer * _config.Layers;
    }

    protected override void SaveTokenizer(string folder) => _vocabulary?.Save(folder);

    protected override ModelCard CardOf(TaskModel model, Recipe recipe)
    {
        PretrainedWav2Vec2 speech = ((SpeechTaskModel)model).Model;
        Wav2Vec2Config c = speech.Config;
        CultureInfo culture = CultureInfo.InvariantCulture;
        string what = c.BiMamba2 is { } m
            ? string.Create(culture, $"Student with a Mamba-2 in each direction (inner width {m.Mixer.InnerSize}, {m.Mixer.Heads} heads, state {m.Mixer.StateSize}), any length at linear cost")
            : "Wav2Vec2 transformer, fine-tuned";
        List<string> facts = [string.Create(culture, $"{c.Layers} layers, width {c.HiddenSize}, {speech.ParameterCount():N0} parameters, 16 kHz audio")];
        facts.AddRange(_vocabulary is { } characters
            ? [$"{characters.Size} characters"]
            : _targets.Select(t => string.Create(culture, $"{t.Name}: {t.Labels.Count} classes")));
        return new ModelCard(
            _vocabulary is null ? "audio-classification" : "automatic-speech-recognition",
            what,
            facts,
            _vocabulary is null ? "Evaluate with `cald eval --model FOLDER`." : "Transcribe with `cald transcribe --model FOLDER FILE`.");
    }

    private static bool HasRecogniser(string source)
    {
        using WeightsReader reader = WeightsReader.Open(source);
        return reader.Names.Any(name => name.StartsWith("lm_head.", StringComparison.Ordinal));
    }

    private BiMamba2Config MixerOf(Recipe recipe)
    {
        StudentRecipe s = recipe.Student;
        Mamba2Config mixer = Mamba2Config.For(_config.HiddenSize, s.Expand, s.HeadSize) with { StateSize = s.StateSize, ConvKernel = s.ConvKernel, DecayStart = (1, 16) };
        return new BiMamba2Config(mixer) { ResidualInside = s.ResidualInside };
    }

    private static Wav2Vec2Config WithDropout(Wav2Vec2Config config, double? dropout) => dropout is { } p
        ? config with { HiddenDropout = p, ActivationDropout = p, FeatureProjectionDropout = p }
        : config;

    private string? Misfit(string folder, Wav2Vec2Config teacher)
    {
        Wav2Vec2Config s = _config;
        if (teacher.BiMamba2 is not null)
        {
            return "it is a converted student; give the fine-tuned transformer";
        }

        if ((teacher.Layers, teacher.HiddenSize, teacher.Stride) != (s.Layers, s.HiddenSize, s.Stride))
        {
            return $"it has {teacher.Layers} layers, width {teacher.HiddenSize} and a frame every {teacher.Stride} samples, the source {_source} {s.Layers}, {s.HiddenSize} and {s.Stride}";
        }

        if (_vocabulary is null)
        {
            return teacher.Targets.Select(t => t.Labels.Count).SequenceEqual(_targets.Select(t => t.Labels.Count))
                ? null
                : $"its classes ({string.Join(", ", teacher.Targets.Select(t => $"{t.Labels.Count} of {t.Name}"))}) are not the task's ({string.Join(", ", _targets.Select(t => $"{t.Labels.Count} of {t.Name}"))}); fine-tune it on this task";
        }

        return CharacterVocabulary.Load(folder).Tokens.SequenceEqual(_vocabulary.Tokens) ? null : "its characters are not the task's; fine-tune it on this task";
    }
}
