using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using LinearCald.Models.Language;
using LinearCald.Nn;

namespace LinearCald.Models.Mamba;

/// <summary>What the configs of Mamba and Mamba-2 language models have in common.</summary>
public abstract record MambaBackboneConfig : LanguageModelConfig
{
    private protected MambaBackboneConfig()
    {
    }

    /// <summary>Reads what does not belong to the mixer.</summary>
    /// <param name="fields">The <c>config.json</c>.</param>
    /// <param name="type">Its <c>model_type</c>.</param>
    /// <param name="tied">Whether the embeddings are tied when it does not say.</param>
    [SetsRequiredMembers]
    private protected MambaBackboneConfig(ConfigFields fields, string type, bool tied)
    {
        fields.RequireModelType(type);
        HiddenSize = fields.Integer("hidden_size", null, 1, MaximumWidth);
        VocabularySize = fields.Integer("vocab_size", null, 1, MaximumVocabulary);
        Layers = fields.Integer("num_hidden_layers", null, 1, MaximumLayers);
        TieWordEmbeddings = fields.Flag("tie_word_embeddings", tied);
        NormEpsilon = fields.Number("layer_norm_epsilon", 1e-5, 0, 1);
        ResidualInFloat32 = fields.Flag("residual_in_fp32", true);
        RescaleResidual = fields.Flag("rescale_prenorm_residual", false);
        InitialiserRange = fields.Number("initializer_range", 0.1, 0, 100);
        StartToken = fields.Token("bos_token_id");
        EndToken = fields.Token("eos_token_id");
    }

    /// <summary>ε of all norms.</summary>
    public double NormEpsilon { get; init; } = 1e-5;

    /// <summary>Whether the residual stream stays in float32 when the compute type is narrower.</summary>
    public bool ResidualInFloat32 { get; init; } = true;

    /// <summary>Whether out_proj starts smaller by √layers, as GPT-2's residual maps.</summary>
    public bool RescaleResidual { get; init; }

    /// <summary>Factor on the start of out_proj.</summary>
    internal double OutputScale => RescaleResidual ? 1 / Math.Sqrt(Layers) : 1;

    internal abstract CausalMixer NewMixer(BuildContext context);

    private protected override void Write(JsonObject json)
    {
        json["layer_norm_epsilon"] = NormEpsilon;
        json["rescale_prenorm_residual"] = RescaleResidual;
        json["residual_in_fp32"] = ResidualInFloat32;
        json["rms_norm"] = true;
        foreach ((string name, JsonNode? value) in MixerFields())
        {
            json[name] = value?.DeepClone();
        }
    }

    private protected abstract JsonObject MixerFields();
}
