using System.Text.Json.Nodes;
using LinearCald.Models.Language;
using LinearCald.Nn;

namespace LinearCald.Models.Mamba;

/// <summary>What <c>config.json</c> says of a Mamba language model in HuggingFace's form.</summary>
public sealed record MambaModelConfig : MambaBackboneConfig
{
    internal const string ModelType = "mamba";

    public required MambaConfig Mixer { get; init; }

    /// <inheritdoc/>
    public override string Architecture => "MambaForCausalLM";

    /// <summary>Reads the <c>config.json</c> of a model folder.</summary>
    /// <exception cref="CaldException">No such file, not JSON, another model type, or a field is missing, out of range or not supported.</exception>
    public static MambaModelConfig Read(string folder) => Read(ConfigFields.Of(folder));

    internal static MambaModelConfig Read(ConfigFields fields)
    {
        string type = fields.Text("model_type", "");
        if (type != ModelType)
        {
            throw fields.Bad("model_type", $"is '{type}'; this model reads '{ModelType}'");
        }

        int width = fields.Integer("hidden_size", null, 1, MaximumWidth);
        return Common(
            new MambaModelConfig
            {
                VocabularySize = fields.Integer("vocab_size", null, 1, MaximumVocabulary),
                HiddenSize = width,
                Layers = fields.Integer("num_hidden_layers", null, 1, MaximumLayers),
                TieWordEmbeddings = fields.Flag("tie_word_embeddings", true),
                Mixer = MambaConfig.Read(fields, width),
            },
            fields);
    }

    internal override CausalMixer NewMixer(BuildContext context) => new MambaMixer(context, HiddenSize, Mixer, OutputScale);

    private protected override JsonObject MixerFields()
    {
        JsonObject json = Mixer.ToJson();
        json["model_type"] = ModelType;
        if (Mixer.InnerSize % HiddenSize == 0)
        {
            json["expand"] = Mixer.InnerSize / HiddenSize;
        }

        return json;
    }
}
