using LinearCald.Nn;
using LinearCald.Nn.Files;
using LinearCald.Tensors;

namespace LinearCald.Models.Wav2Vec2;

/// <summary>Wav2Vec2 models and their students from and to model folders in HuggingFace layout.</summary>
public static class Wav2Vec2Files
{
    /// <summary>The embedding of masked frames.</summary>
    internal const string MaskEmbeddingName = "masked_spec_embed";

    private const string BodyPrefix = "wav2vec2.";
    private const string CtcHead = "lm_head.";
    private const string FullMaskName = BodyPrefix + MaskEmbeddingName;

    /// <summary>Parts of the model that pretraining leaves in published files: quantiser and the maps of its contrastive loss.</summary>
    private static readonly string[] s_pretraining = ["quantizer.", "project_hid.", "project_q."];

    private static readonly string[] s_heads = [CtcHead, "projector.", "classifier."];

    /// <summary>Names that older versions of PyTorch give the parts of a normed weight, and those of today.</summary>
    private static readonly (string Old, string New)[] s_weightNorm =
    [
        (".conv.weight_g", ".conv.parametrizations.weight.original0"),
        (".conv.weight_v", ".conv.parametrizations.weight.original1"),
    ];

    /// <summary>Reads a recogniser, transformer or student; every parameter must be there.</summary>
    /// <exception cref="CaldException">The config is not supported, or weights are missing, misshapen or unknown: all are listed at once.</exception>
    public static Wav2Vec2ForCTC LoadCtc(string folder, BuildContext context) => LoadForCtc(folder, context, null, out _);

    /// <summary>Reads a classifier, transformer or student; every parameter must be there.</summary>
    /// <exception cref="CaldException">As for <see cref="LoadCtc"/>, or the config names no classes.</exception>
    public static Wav2Vec2ForSequenceClassification LoadClassifier(string folder, BuildContext context)
    {
        Wav2Vec2Config config = Wav2Vec2Config.Read(folder);
        return config.Targets.Count > 0
            ? Filled(new Wav2Vec2ForSequenceClassification(context, config), folder, newHead: false, out _)
            : throw new CaldException($"{folder} is no classifier: its config.json has neither id2label nor num_labels; give a fine-tuned model, such as `cald finetune` makes");
    }

    /// <summary>Reads a model as a recogniser.</summary>
    /// <param name="folder">Model folder of a recogniser, a classifier, or a pretrained model without a head.</param>
    /// <param name="context">Gives what is new its start.</param>
    /// <param name="vocabularySize">Outputs of a new head; null keeps the folder's.</param>
    /// <param name="report">What became of every tensor.</param>
    /// <param name="change">Changes to the config, such as dropout.</param>
    /// <exception cref="CaldException">As for <see cref="LoadCtc"/>.</exception>
    public static Wav2Vec2ForCTC LoadForCtc(
        string folder, BuildContext context, int? vocabularySize, out LoadReport report, Func<Wav2Vec2Config, Wav2Vec2Config>? change = null)
    {
        Wav2Vec2Config config = Wav2Vec2Config.Read(folder) with { Targets = [] };
        config = vocabularySize is { } size ? config with { VocabularySize = size } : config;
        return Filled(new Wav2Vec2ForCTC(context, change?.Invoke(config) ?? config), folder, newHead: vocabularySize is not null, out report);
    }

    /// <summary>Reads a model as a classifier for a task: the body from the folder, the head new.</summary>
    /// <param name="folder">Model folder of a recogniser, a classifier, or a pretrained model without a head.</param>
    /// <param name="context">Gives what is new its start.</param>
    /// <param name="targets">Targets of the task with their class names.</param>
    /// <param name="report">What became of every tensor.</param>
    /// <param name="change">Changes to the config, such as dropout or no projector.</param>
    /// <exception cref="CaldException">As for <see cref="LoadCtc"/>.</exception>
    public static Wav2Vec2ForSequenceClassification LoadForClassification(
        string folder,
        BuildContext context,
        IReadOnlyList<ClassificationTarget> targets,
        out LoadReport report,
        Func<Wav2Vec2Config, Wav2Vec2Config>? change = null)
    {
        Wav2Vec2Config config = Wav2Vec2Config.Read(folder) with { Targets = targets };
        return Filled(new Wav2Vec2ForSequenceClassification(context, change?.Invoke(config) ?? config), folder, newHead: true, out report);
    }

    /// <summary>A student with the weights of a transformer: every parameter outside the attention is copied by name; the mixers are new.</summary>
    /// <typeparam name="T">Recogniser or classifier; the student is the same.</typeparam>
    /// <param name="transformer">What is converted; stays as it is.</param>
    /// <param name="mixer">The mixer of the student.</param>
    /// <param name="context">Gives the mixers their start.</param>
    /// <param name="report">Which parameters were copied, which are new, and which of the transformer's the student has no place for.</param>
    /// <param name="change">Changes to the config, such as dropout.</param>
    /// <exception cref="CaldException">The model is itself a student.</exception>
    public static T Convert<T>(T transformer, BiMamba2Config mixer, BuildContext context, out LoadReport report, Func<Wav2Vec2Config, Wav2Vec2Config>? change = null)
        where T : PretrainedWav2Vec2
    {
        ArgumentNullException.ThrowIfNull(transformer);
        ArgumentNullException.ThrowIfNull(mixer);
        if (transformer.Config.BiMamba2 is not null)
        {
            throw new CaldException("this model is already a student with Mamba-2 mixers; convert a transformer");
        }

        Wav2Vec2Config config = transformer.Config with { BiMamba2 = mixer };
        T student = (T)Build(transformer.Architecture, change?.Invoke(config) ?? config, context);
        Dictionary<string, Parameter> source = transformer.NamedParameters().ToDictionary(p => p.Name, p => p.Parameter);
        List<string> copied = [];
        List<string> added = [];
        foreach ((string name, Parameter parameter) in student.NamedParameters())
        {
            if (source.Remove(name, out Parameter? from))
            {
                parameter.Value.CopyFrom(from.Value);
                copied.Add(name);
            }
            else
            {
                added.Add(name);
            }
        }

        report = new LoadReport(copied, added, [.. source.Keys]);
        return student;
    }

    /// <inheritdoc cref="Convert{T}(T, BiMamba2Config, BuildContext, out LoadReport, Func{Wav2Vec2Config, Wav2Vec2Config}?)"/>
    public static T Convert<T>(T transformer, BiMamba2Config mixer, BuildContext context, Func<Wav2Vec2Config, Wav2Vec2Config>? change = null)
        where T : PretrainedWav2Vec2 => Convert(transformer, mixer, context, out _, change);

    /// <summary>A model with new weights.</summary>
    /// <param name="architecture">HuggingFace's class name.</param>
    /// <param name="config">Its sizes.</param>
    /// <param name="context">Gives the parameters their start.</param>
    public static PretrainedWav2Vec2 Build(string architecture, Wav2Vec2Config config, BuildContext context) => architecture switch
    {
        Wav2Vec2ForCTC.ArchitectureName => new Wav2Vec2ForCTC(context, config),
        Wav2Vec2ForSequenceClassification.ArchitectureName => new Wav2Vec2ForSequenceClassification(context, config),
        _ => throw new ArgumentException($"no model of the class {architecture}", nameof(architecture)),
    };

    /// <summary>Writes <c>config.json</c>, <c>preprocessor_config.json</c>, the weights and whatever <paramref name="more"/> adds (vocabulary, card); the folder appears whole or not at all.</summary>
    /// <param name="model">What to save.</param>
    /// <param name="folder">Where; an earlier model there is replaced.</param>
    /// <param name="more">Gets the folder that is being written.</param>
    public static void Save(PretrainedWav2Vec2 model, string folder, Action<string>? more = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        AtomicDirectory.Write(folder, temporary =>
        {
            AtomicFile.WriteText(Path.Combine(temporary, ModelFolder.ConfigName), model.Config.ToJson(model.Architecture));
            AtomicFile.WriteText(Path.Combine(temporary, AudioPreprocessor.FileName), model.Config.Preprocessor.ToJson());
            WeightsWriter.Write(temporary, StateDict.Payloads(model.NamedParameters().Select(p => (p.Name, p.Parameter.Value)), DType.Float32));
            more?.Invoke(temporary);
        });
    }

    /// <summary>Whether a parameter belongs to a student's mixer: the only ones a conversion adds.</summary>
    public static bool IsMixer(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.Contains(".fw_mamba.", StringComparison.Ordinal) || name.Contains(".bw_mamba.", StringComparison.Ordinal);
    }

    /// <summary>Whether a parameter belongs to a head.</summary>
    public static bool IsHead(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Begins(name, s_heads);
    }

    /// <summary>Whether a parameter belongs to the convolutions that make frames of samples: fine-tuning leaves them as they are.</summary>
    public static bool IsFeatureEncoder(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.StartsWith(BodyPrefix + "feature_extractor.", StringComparison.Ordinal);
    }

    /// <summary>
    /// Whether weight decay makes sense for a parameter: for the weights of maps and convolutions; not for biases, norms, what a scan takes as rates (A_log, D, dt_bias), the
    /// lengths of a normed weight, and the embedding of masked frames.
    /// </summary>
    public static bool IsDecayed(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        string[] parts = name.Split('.');
        bool norm = parts.Length > 1 && parts[^2].Contains("norm", StringComparison.Ordinal);
        return !norm && parts[^1] is not ("bias" or "dt_bias" or "A_log" or "D" or "original0" or MaskEmbeddingName);
    }

    /// <summary>The name of today for a parameter of an older file.</summary>
    public static string CurrentName(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        foreach ((string old, string current) in s_weightNorm)
        {
            if (name.EndsWith(old, StringComparison.Ordinal))
            {
                return name[..^old.Length] + current;
            }
        }

        return name;
    }

    private static T Filled<T>(T model, string folder, bool newHead, out LoadReport report)
        where T : PretrainedWav2Vec2
    {
        try
        {
            using WeightsReader reader = WeightsReader.Open(folder);
            if (!newHead && model is Wav2Vec2ForCTC && !reader.Names.Any(n => n.StartsWith(CtcHead, StringComparison.Ordinal)))
            {
                throw new CaldException($"{folder} is no recogniser: its weights have no {CtcHead[..^1]}. Fine-tune it first, for the size of a vocabulary, or give a model that is");
            }

            bool bare = !reader.Names.Any(n => n.StartsWith(BodyPrefix, StringComparison.Ordinal));
            report = StateDict.Load(model, reader, new LoadRules
            {
                NameOf = name => NameOf(model, name, bare, newHead),
                MayBeNew = name => (newHead && IsHead(name)) || name == FullMaskName,
            });
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Names of published files: a body saved alone lacks the prefix; older names of weight norm; what pretraining leaves; the head of another task; an embedding of masked frames that is not used.</summary>
    private static string? NameOf(PretrainedWav2Vec2 model, string name, bool bare, bool newHead)
    {
        if (Begins(name, s_pretraining) || (IsHead(name) && (newHead || name.StartsWith(CtcHead, StringComparison.Ordinal) != model is Wav2Vec2ForCTC)))
        {
            return null;
        }

        string full = CurrentName(bare && !IsHead(name) ? BodyPrefix + name : name);
        return full == FullMaskName && !model.Config.HasMaskEmbedding ? null : full;
    }

    private static bool Begins(string name, string[] prefixes) => Array.Exists(prefixes, prefix => name.StartsWith(prefix, StringComparison.Ordinal));
}
