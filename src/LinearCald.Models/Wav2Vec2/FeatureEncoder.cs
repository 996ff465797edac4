using LinearCald.Nn;
using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Models.Wav2Vec2;

/// <summary>
/// The convolutions that make frames of a wave: <c>conv_layers.0</c>, <c>conv_layers.1</c>, …. Where no gradient is wanted, many waves pass a few at a time, and a long one
/// in pieces: a frame sees <see cref="Wav2Vec2Config.ReceptiveField"/> samples, so that a piece needs that many less one stride more than its own, and memory does not grow
/// with the wave.
/// </summary>
/// <remarks>
/// Seven layers of rounded operands and results stand before everything else, and made nearly all of the error of every gradient behind them. So in tf32 the forward products
/// and the input gradients of the later layers take operands of two terms, and in bf16 the convolutions compute in Float16, at the same cost. Waves are normalised and the published encoders were trained in Float16, so that its range is enough; gradients pass through a <see cref="GradientScale"/>.
/// </remarks>
internal sealed class FeatureEncoder : Module
{
    /// <summary>Samples that pass at once: the first convolution makes a hundred numbers of each.</summary>
    private const int SamplesAtOnce = 640_000;

    /// <summary>
    /// The longest wave that passes whole. A group norm reads a longer one on the host first, which recorded work must not do: training and its evaluation stay below.
    /// </summary>
    private const int LongestWhole = 3 * SamplesAtOnce;

    private readonly Wav2Vec2Config _config;
    private readonly FeatureLayer[] _layers;

    public FeatureEncoder(BuildContext context, Wav2Vec2Config config)
    {
        _config = config;
        _layers = new FeatureLayer[config.ConvolutionChannels.Count];
        for (int i = 0; i < _layers.Length; i++)
        {
            _layers[i] = AddModule($"conv_layers.{i}", new FeatureLayer(context, config, i));
        }
    }

    /// <summary>[B, S] → [B, T, channels] in the parameters' type.</summary>
    /// <exception cref="CaldException">The waves are shorter than one frame.</exception>
    public Tensor Forward(Tensor samples, ForwardContext context)
    {
        int length = samples.Shape[1];
        if (length < _config.ReceptiveField)
        {
            throw new CaldException($"a wave of {length} samples is shorter than the {_config.ReceptiveField} that one frame needs; leave it out, or pad it with zeros");
        }

        bool gradient = Tape.IsRecording && (samples.RequiresGradient || NamedParameters().Any(p => p.Parameter.Trainable));
        return gradient || samples.Count <= SamplesAtOnce ? Whole(samples, context)
            : length <= LongestWhole ? InRows(samples, context, Math.Max(1, SamplesAtOnce / length))
            : InPieces(samples, context, Math.Max(1, (SamplesAtOnce - _config.ReceptiveField) / _config.Stride));
    }

    /// <summary>All at once.</summary>
    internal Tensor Whole(Tensor samples, ForwardContext context)
    {
        using MemoryScope scope = MemoryScope.Begin();
        GradientScale? scale = context.FineType != context.ComputeType && Tape.IsRecording ? new GradientScale(samples.Device) : null;
        Tensor y = Through(0, _layers.Length, Channel(samples, context), scale);
        return scope.Keep(scale?.Leave(y) ?? y.To(_layers[0].Type));
    }

    /// <summary>The same, <paramref name="rows"/> waves at a time.</summary>
    internal Tensor InRows(Tensor samples, ForwardContext context, int rows)
    {
        using Tape.Pause pause = Tape.Paused();
        Tensor features = Empty(samples);
        for (int b = 0; b < samples.Shape[0]; b += rows)
        {
            using MemoryScope scope = MemoryScope.Begin();
            int count = Math.Min(rows, samples.Shape[0] - b);
            features.Narrow(0, b, count).CopyFrom(Whole(samples.Narrow(0, b, count), context));
        }

        return features;
    }

    /// <summary>The same, <paramref name="frames"/> frames of one wave at a time.</summary>
    internal Tensor InPieces(Tensor samples, ForwardContext context, int frames)
    {
        using Tape.Pause pause = Tape.Paused();
        Tensor features = Empty(samples);
        for (int b = 0; b < samples.Shape[0]; b++)
        {
            using MemoryScope scope = MemoryScope.Begin();
            Tensor wave = samples.Narrow(0, b, 1);
            Tensor target = features.Narrow(0, b, 1);
            (Tensor, Tensor)? folded = _layers[0].LooksEverywhere ? _layers[0].Folded(Moments(wave)) : null;
            for (int first = 0; first < features.Shape[1]; first += frames)
            {
                using MemoryScope piece = MemoryScope.Begin();
                int count = Math.Min(frames, features.Shape[1] - first);
                Tensor x = Channel(wave.Narrow(1, first * _config.Stride, (int)_config.SamplesOf(count)), context); // [1, S′, 1]
                int layer = 0;
                if (folded is { } parameters)
                {
                    x = _layers[layer++].ForwardFolded(x, parameters);
                }

                target.Narrow(1, first, count).CopyFrom(Through(layer, _layers.Length, x, null));
            }
        }

        return features;
    }

    /// <summary>Layers <paramref name="first"/> … <paramref name="end"/> − 1. Each gives the memory of its input back.</summary>
    private Tensor Through(int first, int end, Tensor x, GradientScale? scale)
    {
        if (first == end)
        {
            return x;
        }

        using MemoryScope scope = MemoryScope.Begin();
        return scope.Keep(_layers[end - 1].Forward(Through(first, end - 1, x, scale), scale));
    }

    private PatchMoments Moments(Tensor wave)
    {
        float[] samples = wave.Contiguous().To(DType.Float32).ToArray<float>();
        return PatchMoments.Of(samples, _layers[0].Kernel, _layers[0].Stride);
    }

    private Tensor Empty(Tensor samples) => Tensor.Empty(
        samples.Device, _layers[0].Type, new Shape(samples.Shape[0], _config.Frames(samples.Shape[1]), _config.ConvolutionChannels[^1]));

    /// <summary>[B, S] → [B, S, 1] in the type of the convolutions.</summary>
    private Tensor Channel(Tensor samples, ForwardContext context) => samples.Reshape(samples.Shape[0], samples.Shape[1], 1).To(context.FineType ?? _layers[0].Type);
}
