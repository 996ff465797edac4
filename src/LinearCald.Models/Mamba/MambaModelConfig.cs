using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using LinearCald.Models.Language;
using LinearCald.Nn;

namespace LinearCald.Models.Mamba;

/// <summary>What <c>config.json</c> says of a Mamba language model in HuggingFace's form.</summary>
public sealed record MambaModelConfig : MambaBackboneConfig
{
    public const string ModelType = "mamba";

    public MambaModelConfig()
    {
    }

    [SetsRequiredMembers]
    private MambaModelConfig(ConfigFields fields)
        : base(fields, ModelType, tied: true) => Mixer = MambaConfig.Read(fields, HiddenSize);

    public required MambaConfig Mixer { get; init; }

    /// <inheritdoc/>
    public override string Architecture => "MambaForCausalLM";

    /// <summary>Reads the <c>config.json</c> of a model folder.</summary>
    /// <exception cref="CaldException">No such file, not JSON, another model type, or a field is missing, out of range or not supported.</exception>
    public static MambaModelConfig Read(string folder) => Read(ConfigFields.Of(folder));

    internal static MambaModelConfig Read(ConfigFields fields) => new(fields);

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
