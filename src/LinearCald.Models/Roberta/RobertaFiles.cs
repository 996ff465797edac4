using LinearCald.Models.Linformer;
using LinearCald.Nn;
using LinearCald.Nn.Files;
using LinearCald.Tensors;

namespace LinearCald.Models.Roberta;

/// <summary>RoBERTa models and their students from and to model folders in HuggingFace layout.</summary>
public static class RobertaFiles
{
    private const string BodyPrefix = "roberta.";

    /// <summary>Reads a masked language model; every parameter must be there.</summary>
    public static RobertaForMaskedLM LoadMaskedLM(string folder, BuildContext context)
    {
        RobertaForMaskedLM model = new(context, RobertaConfig.Read(folder));
        return Filled(model, folder, _ => false, out _);
    }

    /// <summary>Reads a classifier, transformer or student; every parameter must be there.</summary>
    public static RobertaForSequenceClassification LoadClassifier(string folder, BuildContext context)
    {
        RobertaConfig config = RobertaConfig.Read(folder);
        if (config.Labels.Count == 0)
        {
            throw new CaldException($"{folder} is no classifier: its config.json has neither id2label nor num_labels; give a fine-tuned model, such as `cald finetune` makes");
        }

        RobertaForSequenceClassification model = new(context, config);
        return Filled(model, folder, _ => false, out _);
    }

    /// <summary>Reads a pretrained transformer as a classifier for a task: the body from the folder, the head new.</summary>
    /// <param name="folder">Model folder of a masked language model or of a classifier, whose head is dropped.</param>
    /// <param name="context">Gives the new head its start.</param>
    /// <param name="labels">Class names of the task.</param>
    /// <param name="report">What became of every tensor.</param>
    /// <param name="change">Changes to the config, such as dropout.</param>
    public static RobertaForSequenceClassification LoadForTask(
        string folder, BuildContext context, IReadOnlyList<string> labels, out LoadReport report, Func<RobertaConfig, RobertaConfig>? change = null)
    {
        RobertaConfig config = RobertaConfig.Read(folder) with { Labels = labels };
        RobertaForSequenceClassification model = new(context, change?.Invoke(config) ?? config);
        return Filled(model, folder, IsHead, out report, dropHead: true);
    }

    /// <summary>
    /// A student with the weights of a transformer: every parameter of the same name is copied, query, key and value included; only the projections are new.
    /// </summary>
    /// <exception cref="CaldException">The transformer is itself a student.</exception>
    /// <param name="transformer">What is converted; stays as it is.</param>
    /// <param name="linformer">The mixer of the student.</param>
    /// <param name="context">Gives the projections their start.</param>
    /// <param name="change">Changes to the config, such as dropout.</param>
    public static RobertaForSequenceClassification Convert(
        RobertaForSequenceClassification transformer, LinformerConfig linformer, BuildContext context, Func<RobertaConfig, RobertaConfig>? change = null)
    {
        ArgumentNullException.ThrowIfNull(transformer);
        if (transformer.Config.Linformer is not null)
        {
            throw new CaldException("this model is already a Linformer student; convert a transformer");
        }

        RobertaConfig config = transformer.Config with { Linformer = linformer };
        RobertaForSequenceClassification student = new(context, change?.Invoke(config) ?? config);
        Dictionary<string, Parameter> source = transformer.NamedParameters().ToDictionary(p => p.Name, p => p.Parameter);
        foreach ((string name, Parameter parameter) in student.NamedParameters())
        {
            if (source.TryGetValue(name, out Parameter? from))
            {
                parameter.Value.CopyFrom(from.Value);
            }
        }

        return student;
    }

    /// <summary>Whether a parameter is a Linformer projection: the only ones a conversion adds.</summary>
    public static bool IsProjection(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.EndsWith(".proj_k", StringComparison.Ordinal) || name.EndsWith(".proj_v", StringComparison.Ordinal) || name.EndsWith("encoder.proj", StringComparison.Ordinal);
    }

    /// <summary>Whether a parameter belongs to the classifier's head.</summary>
    public static bool IsHead(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.StartsWith("classifier.", StringComparison.Ordinal);
    }

    /// <summary>Whether weight decay applies: to everything but biases and norms.</summary>
    public static bool IsDecayed(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return !name.EndsWith("bias", StringComparison.Ordinal) && !name.EndsWith("LayerNorm.weight", StringComparison.Ordinal);
    }

    /// <summary>Writes <c>config.json</c>, <c>model.safetensors</c> and whatever <paramref name="more"/> adds (tokenizer, card); the folder appears whole or not at all.</summary>
    /// <param name="model">What to save.</param>
    /// <param name="folder">Where; an earlier model there is replaced.</param>
    /// <param name="more">Gets the folder that is being written.</param>
    public static void Save(PretrainedRoberta model, string folder, Action<string>? more = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        AtomicDirectory.Write(folder, temporary =>
        {
            AtomicFile.WriteText(Path.Combine(temporary, "config.json"), model.Config.ToJson(model.Architecture));
            WeightsWriter.Write(temporary, StateDict.Payloads(model.NamedParameters().Select(p => (p.Name, p.Parameter.Value)), DType.Float32));
            more?.Invoke(temporary);
        });
    }

    private static T Filled<T>(T model, string folder, Predicate<string> mayBeNew, out LoadReport report, bool dropHead = false)
        where T : PretrainedRoberta
    {
        try
        {
            using WeightsReader reader = WeightsReader.Open(folder);
            bool bare = !reader.Names.Any(n => n.StartsWith(BodyPrefix, StringComparison.Ordinal));
            report = StateDict.Load(model, reader, new LoadRules { NameOf = name => NameOf(model, name, bare, dropHead), MayBeNew = mayBeNew });
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Names of published files: a body saved alone lacks the prefix; TensorFlow's gamma and beta; the tied decoder written out; buffers; the pooler of
    /// pretraining; the head of another task.
    /// </summary>
    private static string? NameOf(PretrainedRoberta model, string name, bool bare, bool dropHead)
    {
        string full = bare && !IsHead(name) && !name.StartsWith("lm_head.", StringComparison.Ordinal) ? BodyPrefix + name : name;
        if (full.EndsWith("LayerNorm.gamma", StringComparison.Ordinal))
        {
            full = full[..^"gamma".Length] + "weight";
        }
        else if (full.EndsWith("LayerNorm.beta", StringComparison.Ordinal))
        {
            full = full[..^"beta".Length] + "bias";
        }

        bool useless = full.EndsWith(".position_ids", StringComparison.Ordinal)
            || full.EndsWith(".token_type_ids", StringComparison.Ordinal)
            || full.StartsWith("roberta.pooler.", StringComparison.Ordinal)
            || full is "lm_head.decoder.weight" or "lm_head.decoder.bias"
            || (full.StartsWith("lm_head.", StringComparison.Ordinal) && model is not RobertaForMaskedLM)
            || (IsHead(full) && dropHead);
        return useless ? null : full;
    }
}
