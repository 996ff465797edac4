using LinearCald.Models.Language;
using LinearCald.Models.Mamba;
using LinearCald.Nn;
using LinearCald.Tensors;

namespace LinearCald.Models.GptNeoX;

/// <summary>The mixer of a student in the place of its attention: <c>mamba</c>. It has no positions.</summary>
internal sealed class GptNeoXMamba : CausalMixer
{
    private readonly MambaMixer _mamba;

    public GptNeoXMamba(BuildContext context, GptNeoXConfig config)
    {
        _mamba = AddModule("mamba", new MambaMixer(context, config.HiddenSize, config.Mamba!));
    }

    public override Tensor Forward(Tensor x, LanguageInput input, ForwardContext context, LayerMemory? memory, DType output) =>
        _mamba.Forward(x, input, context, memory, output);

    public override LayerMemory NewMemory(int batch, int capacity) => _mamba.NewMemory(batch, capacity);
}
