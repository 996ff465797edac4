using LinearCald.Models.GptNeoX;
using LinearCald.Models.Mamba;
using LinearCald.Nn;
using LinearCald.Nn.Files;
using LinearCald.Tensors;

namespace LinearCald.Models.Language;

/// <summary>Causal language models from and to model folders in HuggingFace layout.</summary>
public static class LanguageModelFiles
{
    /// <summary>
    /// Buffers that older versions of transformers saved with a GPT-NeoX: the causal mask, what stood for −∞, and the rotary frequencies. They hold nothing
    /// that the config does not say.
    /// </summary>
    private static readonly string[] s_buffers = [".attention.bias", ".attention.masked_bias", ".rotary_emb.inv_freq"];

    /// <summary>What a folder's config says, without its weights.</summary>
    /// <exception cref="CaldException">No such file, not JSON, or a model type or field that is not supported.</exception>
    public static LanguageModelConfig ReadConfig(string folder)
    {
        ConfigFields fields = ConfigFields.Of(folder);
        string type = fields.Text("model_type", "");
        return type switch
        {
            GptNeoXConfig.ModelType or GptNeoXConfig.StudentModelType => GptNeoXConfig.Read(fields),
            MambaModelConfig.ModelType => MambaModelConfig.Read(fields),
            Mamba2ModelConfig.ModelType => Mamba2ModelConfig.Read(fields),
            _ => throw fields.Bad("model_type", $"is '{type}'; language models are read of the types gpt_neox, cald_gpt_neox_mamba (its student), mamba and mamba2"),
        };
    }

    /// <summary>A model with new weights.</summary>
    public static LayeredLanguageModel Build(LanguageModelConfig config, BuildContext context) => config switch
    {
        GptNeoXConfig c => new GptNeoXForCausalLM(context, c),
        MambaModelConfig c => new MambaForCausalLM(context, c),
        Mamba2ModelConfig c => new Mamba2ForCausalLM(context, c),
        _ => throw new ArgumentException($"no model for a {config?.GetType().Name}", nameof(config)),
    };

    /// <inheritdoc cref="Load(string, BuildContext, out LoadReport, Func{LanguageModelConfig, LanguageModelConfig}?)"/>
    public static LayeredLanguageModel Load(string folder, BuildContext context) => Load(folder, context, out _);

    /// <summary>Reads a model of the type its config names; every parameter must be there.</summary>
    /// <param name="folder">Model folder; its weights may be in shards.</param>
    /// <param name="context">Where the parameters are made.</param>
    /// <param name="report">What became of every tensor.</param>
    /// <param name="change">Changes to the config, such as dropout.</param>
    /// <exception cref="CaldException">The config is not supported, or weights are missing, misshapen or unknown: all are listed at once.</exception>
    public static LayeredLanguageModel Load(
        string folder, BuildContext context, out LoadReport report, Func<LanguageModelConfig, LanguageModelConfig>? change = null)
    {
        LanguageModelConfig config = ReadConfig(folder);
        LayeredLanguageModel model = Build(change?.Invoke(config) ?? config, context);
        try
        {
            using WeightsReader reader = WeightsReader.Open(folder);
            report = StateDict.Load(model, reader, new LoadRules { NameOf = name => NameOf(model.Configuration, name) });
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Reads a GPT-NeoX, transformer or student.</summary>
    /// <exception cref="CaldException">The folder holds another type of model, or as for <see cref="Load(string, BuildContext)"/>.</exception>
    public static GptNeoXForCausalLM LoadGptNeoX(string folder, BuildContext context)
    {
        _ = GptNeoXConfig.Read(folder);
        return (GptNeoXForCausalLM)Load(folder, context);
    }

    /// <summary>Writes <c>config.json</c>, the weights and whatever <paramref name="more"/> adds (tokenizer, card); the folder appears whole or not at all.</summary>
    /// <param name="model">What to save.</param>
    /// <param name="folder">Where; an earlier model there is replaced.</param>
    /// <param name="more">Gets the folder that is being written.</param>
    public static void Save(LayeredLanguageModel model, string folder, Action<string>? more = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        AtomicDirectory.Write(folder, temporary =>
        {
            AtomicFile.WriteText(Path.Combine(temporary, ModelFolder.ConfigName), model.Configuration.ToJson());
            WeightsWriter.Write(temporary, StateDict.Payloads(model.NamedParameters().Select(p => (p.Name, p.Parameter.Value)), DType.Float32));
            more?.Invoke(temporary);
        });
    }

    /// <summary>
    /// Names of published files: buffers; the tied output embedding written out; the output embedding of a GPT-NeoX under the name it has inside
    /// transformers 5; the input embedding of a Mamba as its authors name it.
    /// </summary>
    private static string? NameOf(LanguageModelConfig config, string name)
    {
        if (config is GptNeoXConfig)
        {
            bool output = name is "embed_out.weight" or "lm_head.weight";
            return output && config.TieWordEmbeddings ? null
                : output ? "embed_out.weight"
                : Array.Exists(s_buffers, buffer => name.EndsWith(buffer, StringComparison.Ordinal)) ? null
                : name;
        }

        return name == "lm_head.weight" && config.TieWordEmbeddings ? null
            : name == "backbone.embedding.weight" ? "backbone.embeddings.weight"
            : name;
    }
}
