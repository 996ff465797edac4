using LinearCald.Models.Mamba;
using LinearCald.Nn;
using LinearCald.Tensors;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Models.Wav2Vec2;

/// <summary>
/// y = forward(x) + backward(x) (+ x): two Mamba-2 that read each utterance from its first frame to its last valid one, and the other way round; <c>fw_mamba</c>,
/// <c>bw_mamba</c>. Nothing is flipped: the way back is a matter of the kernels.
/// </summary>
internal sealed class BiMamba2Mixer : TokenMixer
{
    private readonly BiMamba2Config _config;
    private readonly Mamba2Mixer _forward;
    private readonly Mamba2Mixer _backward;

    public BiMamba2Mixer(BuildContext context, int width, BiMamba2Config config)
    {
        _config = config;
        _forward = AddModule("fw_mamba", new Mamba2Mixer(context, width, config.Mixer, config.NormEpsilon, outScale: 1));
        _backward = AddModule("bw_mamba", new Mamba2Mixer(context, width, config.Mixer, config.NormEpsilon, outScale: 1, reverse: true));
    }

    /// <summary>[B, T, d] → [B, T, d] in the parameters' type, that of the residual stream; the directions' sum is 0 on padding.</summary>
    public override Tensor Forward(Tensor x, Tensor? lengths, ForwardContext context)
    {
        (Tensor h, GradientScale? scale) = MixerFormat.Enter(x, context);
        DType type = _forward.ParameterType;
        Tensor y = Direction(_forward, h, lengths, scale, type).Add(Direction(_backward, h, lengths, scale, type));
        if (_config.Mixer.UseBias)
        {
            y = y.MaskRows(lengths); // without a bias each direction is 0 there
        }

        y = MixerFormat.Leave(y, scale, type);
        return _config.ResidualInside ? y.Add(x.To(y.Type)) : y;
    }

    /// <summary>What one direction needs on its way is given back before the other begins.</summary>
    private static Tensor Direction(Mamba2Mixer mixer, Tensor x, Tensor? lengths, GradientScale? scale, DType type)
    {
        using MemoryScope scope = MemoryScope.Begin();
        return scope.Keep(mixer.Mixed(x, lengths, scale, MixerFormat.Sums(x.Type, type)));
    }
}
