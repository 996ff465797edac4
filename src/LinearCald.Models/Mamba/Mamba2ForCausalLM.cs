using LinearCald.Nn;

namespace LinearCald.Models.Mamba;

/// <summary>HuggingFace's Mamba-2 language model.</summary>
public sealed class Mamba2ForCausalLM : MambaLanguageModel
{
    public Mamba2ForCausalLM(BuildContext context, Mamba2ModelConfig config)
        : base(context, config)
    {
        Config = config;
    }

    public Mamba2ModelConfig Config { get; }
}
