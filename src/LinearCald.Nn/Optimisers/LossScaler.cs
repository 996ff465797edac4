using LinearCald.Tensors;
using LinearCald.Tensors.Ops;

namespace LinearCald.Nn.Optimisers;

/// <summary>Settings of a <see cref="LossScaler"/>.</summary>
/// <param name="Initial">The first scale.</param>
/// <param name="Interval">Updates without overflow after which the scale doubles.</param>
/// <param name="Least">The scale is not halved below this.</param>
/// <param name="Most">The scale is not doubled above this: float32 losses times it must stay finite.</param>
public sealed record LossScalerOptions(double Initial = 65536, int Interval = 2000, double Least = 1, double Most = 16_777_216);

/// <summary>What a checkpoint keeps of a <see cref="LossScaler"/>.</summary>
/// <param name="Scale">The scale of the next update.</param>
/// <param name="GoodUpdates">Updates since the scale last changed.</param>
public readonly record struct LossScalerState(double Scale, int GoodUpdates);

/// <summary>
/// Dynamic loss scaling for float16 (Micikevicius et al. 2018): gradients of activations below 6·10⁻⁸ would vanish, so backward passes start from the loss times a scale,
/// which the optimiser takes out again. The scale halves when a gradient overflows and doubles after some thousand updates without overflow; being a power
/// of two it changes no digit.
/// <para>
/// An update with a scaler waits for its gradient norm: only then is it known whether the update took place, whether it counts in AdamW's bias correction, and which
/// scale the next backward pass starts from. Waiting costs the time in which the host gives the device its next work, a fraction of a
/// percent of a step of a model worth float16; bfloat16 needs no scale and no waiting. The scale itself lies in device memory, so that recorded work reads it afresh.
/// </para>
/// <code>
/// tape.Backward(loss, scaler.Seed(loss));             // for every micro-batch, also while recording
/// double norm = optimiser.Update(lr, clip, 1 / scaler.Scale);
/// bool updated = scaler.Adapt(norm);                  // false: an overflow; nothing has changed but the scale
/// </code>
/// </summary>
public sealed class LossScaler : IDisposable
{
    private readonly LossScalerOptions _options;
    private readonly Tensor _scale;
    private LossScalerState _state;

    /// <param name="device">Where losses are computed.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="CaldException">The limits do not hold the first scale.</exception>
    public LossScaler(Device device, LossScalerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(device);
        _options = options ?? new LossScalerOptions();
        if (!(_options.Least > 0 && _options.Least <= _options.Initial && _options.Initial <= _options.Most) || _options.Interval < 1)
        {
            throw new CaldException(
                $"loss scaling: the scale must start between its limits and wait at least one update before it grows, but starts at {_options.Initial} between {_options.Least} and {_options.Most} and waits {_options.Interval}");
        }

        _scale = Tensor.Persistent(() => Tensor.Empty(device, DType.Float32, default));
        State = new LossScalerState(_options.Initial, 0);
    }

    /// <summary>What backward passes multiply the loss with until the next <see cref="Adapt"/>.</summary>
    public double Scale => _state.Scale;

    /// <summary>Whether the scale cannot become smaller: further overflows are no matter of scaling.</summary>
    public bool IsExhausted => Scale <= _options.Least;

    /// <summary>To save, and to go on from.</summary>
    /// <exception cref="CaldException">The scale is not a positive number.</exception>
    public LossScalerState State
    {
        get => _state;
        set
        {
            if (!(value.Scale > 0 && double.IsFinite(value.Scale)))
            {
                throw new CaldException($"loss scaling: the scale of the checkpoint is {value.Scale}, not a positive number; the checkpoint is damaged");
            }

            _state = value;
            _scale.Set([(float)value.Scale]);
        }
    }

    /// <summary>The gradient to start the backward pass of a loss from.</summary>
    /// <param name="loss">One element, Float32.</param>
    /// <param name="share">The micro-batch's share of the update's batch, one Float32 element; null for 1.</param>
    /// <returns>Scale · share, computed on the device.</returns>
    public Tensor Seed(Tensor loss, Tensor? share = null)
    {
        ArgumentNullException.ThrowIfNull(loss);
        if (loss.Count != 1 || loss.Type != DType.Float32)
        {
            throw new CaldException($"loss scaling: a loss is one Float32 element, not {loss.Type} {loss.Shape}");
        }

        return (share is null ? _scale.Affine(1) : _scale.Multiply(share)).Reshape(loss.Shape);
    }

    /// <summary>Draws the conclusion from an update.</summary>
    /// <param name="gradientNorm">What <see cref="AdamW.Update(double, double, double)"/> or <see cref="AdamW.Wait"/> returned.</param>
    /// <returns>Whether the update took place.</returns>
    public bool Adapt(double gradientNorm)
    {
        if (!double.IsFinite(gradientNorm))
        {
            State = new LossScalerState(Math.Max(_options.Least, Scale / 2), 0);
            return false;
        }

        _state = _state with { GoodUpdates = _state.GoodUpdates + 1 };
        if (_state.GoodUpdates >= _options.Interval)
        {
            State = new LossScalerState(Math.Min(_options.Most, Scale * 2), 0);
        }

        return true;
    }

    public void Dispose() => _scale.Dispose();
}
