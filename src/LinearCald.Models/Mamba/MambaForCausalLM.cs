using LinearCald.Nn;

namespace LinearCald.Models.Mamba;

/// <summary>HuggingFace's Mamba language model.</summary>
public sealed class MambaForCausalLM : MambaLanguageModel
{
    public MambaForCausalLM(BuildContext context, MambaModelConfig config)
        : base(context, config)
    {
        Config = config;
    }

    public MambaModelConfig Config { get; }
}
