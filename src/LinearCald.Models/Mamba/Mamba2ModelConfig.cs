using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using LinearCald.Models.Language;
using LinearCald.Nn;

namespace LinearCald.Models.Mamba;

/// <summary>What <c>config.json</c> says of a Mamba-2 language model in HuggingFace's form.</summary>
public sealed record Mamba2ModelConfig : MambaBackboneConfig
{
    public const string ModelType = "mamba2";

    public Mamba2ModelConfig()
    {
    }

    [SetsRequiredMembers]
    private Mamba2ModelConfig(ConfigFields fields)
        : base(fields, ModelType, tied: false) => Mixer = Mamba2Config.Read(fields, HiddenSize);

    public required Mamba2Config Mixer { get; init; }

    /// <inheritdoc/>
    public override string Architecture => "Mamba2ForCausalLM";

    /// <summary>Reads the <c>config.json</c> of a model folder.</summary>
    /// <exception cref="CaldException">No such file, not JSON, another model type, or a field is missing, out of range or not supported.</exception>
    public static Mamba2ModelConfig Read(string folder) => Read(ConfigFields.Of(folder));

    internal static Mamba2ModelConfig Read(ConfigFields fields) => new(fields);

    internal override CausalMixer NewMixer(BuildContext context) => new Mamba2Mixer(context, HiddenSize, Mixer, NormEpsilon, OutputScale);

    private protected override JsonObject MixerFields()
    {
        JsonObject json = Mixer.ToJson();
        json["expand"] = Mixer.InnerSize / HiddenSize;
        json["model_type"] = ModelType;
        return json;
    }
}
