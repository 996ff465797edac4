using LinearCald.Tensors;
using LinearCald.Tensors.Ops;

namespace LinearCald.Nn.Optimisers;

/// <summary>Settings of AdamW that stay fixed during a run.</summary>
/// <param name="Beta1">Decay of the running mean of gradients.</param>
/// <param name="Beta2">Decay of the running mean of squared gradients.</param>
/// <param name="Epsilon">Keeps the division finite.</param>
/// <param name="WeightDecay">Decoupled decay of the parameters that the decay rule picks.</param>
public sealed record AdamWOptions(double Beta1 = 0.9, double Beta2 = 0.999, double Epsilon = 1e-8, double WeightDecay = 0);

/// <summary>AdamW (Loshchilov and Hutter 2019) over the parameters of a module, with clipping by the global norm folded into the update.</summary>
public sealed class AdamW : IDisposable
{
    private readonly List<Slot> _slots = [];
    private readonly List<AdamWSlot> _trained = [];
    private readonly List<Tensor> _others = [];
    private readonly AdamWOptions _options;
    private Tensor? _veto;
    private Tensor? _leftOut;
    private long _step;

    /// <param name="parameters">What to update, with full names; the names appear in checkpoints.</param>
    /// <param name="options">Fixed settings.</param>
    /// <param name="decays">Which names the weight decay applies to; null for all.</param>
    public AdamW(IEnumerable<(string Name, Parameter Parameter)> parameters, AdamWOptions options, Predicate<string>? decays = null)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        _options = options;
        foreach ((string name, Parameter parameter) in parameters)
        {
            Tensor value = parameter.Value;
            _slots.Add(new Slot(
                name,
                parameter,
                Tensor.Persistent(() => Tensor.Zeros(value.Device, value.Type, value.Shape)),
                Tensor.Persistent(() => Tensor.Zeros(value.Device, value.Type, value.Shape)),
                decays?.Invoke(name) ?? true));
        }
    }

    /// <summary>
    /// Updates made so far. One that the device left out counts until <see cref="Settle"/>; the bias correction goes by those that took place, which the device counts itself.
    /// </summary>
    public long Step
    {
        get => _step;
        set
        {
            _step = value;
            _leftOut?.FillWith(0);
        }
    }

    /// <summary>
    /// Updates every trainable parameter that has a gradient, without waiting for the device. Gradients are multiplied by <paramref name="scale"/>, then scaled
    /// down so that their global norm is at most <paramref name="clipNorm"/>; a norm that is not finite leaves all parameters as they are.
    /// </summary>
    /// <param name="learningRate">Of this update.</param>
    /// <param name="clipNorm">0: no clipping.</param>
    /// <param name="scale">Undoes a scale of the loss.</param>
    /// <param name="total">
    /// float64 [1] on the parameters' device: receives the sum of squares of all gradients, before <paramref name="scale"/>; NaN where one of <paramref name="losses"/> is not finite.
    /// </param>
    /// <param name="losses">Numbers that must be finite, too, for the update to take place; on the parameters' device, the same shape every time. A loss can overflow and have finite gradients all the same.</param>
    public void Update(double learningRate, double clipNorm, double scale, Tensor total, Tensor? losses = null)
    {
        _step++;
        Gather();
        if (losses is not null)
        {
            Veto(losses);
        }

        _leftOut ??= Tensor.Persistent(() => Tensor.Zeros(total.Device, DType.Float64, new Shape(1)));
        AdamWStep step = new(learningRate, _options.Beta1, _options.Beta2, _options.Epsilon, _options.WeightDecay, scale, _step);
        _trained.UpdateAdamW(_others, step, clipNorm > 0 ? clipNorm : double.PositiveInfinity, total, _leftOut);
    }

    /// <summary>Waits for all updates and takes those that did not take place out of <see cref="Step"/>.</summary>
    public void Settle()
    {
        long missing = (long)(_leftOut?.Item() ?? 0);
        if (missing > 0)
        {
            Step -= missing;
        }
    }

    /// <summary>Waits for the last update, and takes it out of <see cref="Step"/> if it did not take place.</summary>
    /// <param name="total">What that update wrote.</param>
    /// <param name="scale">As given to it.</param>
    /// <returns>The global norm of all gradients times <paramref name="scale"/>, before clipping; not finite where nothing was updated.</returns>
    public double Wait(Tensor total, double scale)
    {
        ArgumentNullException.ThrowIfNull(total);
        double norm = Math.Sqrt(total.Item()) * scale;
        if (!double.IsFinite(norm))
        {
            Settle();
        }

        return norm;
    }

    /// <summary>Updates and waits.</summary>
    /// <returns>As <see cref="Wait"/>.</returns>
    public double Update(double learningRate, double clipNorm = 0, double scale = 1)
    {
        if (_slots.Count == 0)
        {
            return 0;
        }

        using Tensors.Memory.MemoryScope scope = Tensors.Memory.MemoryScope.Begin();
        Tensor total = Tensor.Empty(_slots[0].Parameter.Value.Device, DType.Float64, new Shape(1));
        Update(learningRate, clipNorm, scale, total);
        return Wait(total, scale);
    }

    /// <summary>The state to save, by name: <c>NAME.exp_avg</c> and <c>NAME.exp_avg_sq</c>. Writing into the tensors restores it.</summary>
    public IEnumerable<(string Name, Tensor Value)> State()
    {
        foreach (Slot slot in _slots)
        {
            yield return (slot.Name + ".exp_avg", slot.Mean);
            yield return (slot.Name + ".exp_avg_sq", slot.Square);
        }
    }

    /// <summary>The names that weight decay applies to.</summary>
    public IEnumerable<string> Decayed() => _slots.Where(s => s.Decays).Select(s => s.Name);

    public void Dispose()
    {
        foreach (Slot slot in _slots)
        {
            slot.Mean.Dispose();
            slot.Square.Dispose();
        }

        _slots.Clear();
        _veto?.Dispose();
        _leftOut?.Dispose();
    }

    /// <summary>What this update is about: which parameters train and have gradients may change from step to step.</summary>
    private void Gather()
    {
        _trained.Clear();
        _others.Clear();
        foreach (Slot slot in _slots)
        {
            if (slot.Parameter.Value.Gradient is not { } gradient)
            {
                continue;
            }

            if (slot.Parameter.Trainable)
            {
                _trained.Add(new AdamWSlot(slot.Parameter.Value, gradient, slot.Mean, slot.Square, slot.Decays));
            }
            else
            {
                _others.Add(gradient);
            }
        }
    }

    /// <summary>Makes the losses count in the norm with 0 · loss: 0, or NaN where a loss is not finite.</summary>
    private void Veto(Tensor losses)
    {
        if (_veto is null || _veto.Shape != losses.Shape)
        {
            _veto?.Dispose();
            _veto = Tensor.Persistent(() => Tensor.Empty(losses.Device, losses.Type, losses.Shape));
        }

        using Tensors.Memory.MemoryScope scope = Tensors.Memory.MemoryScope.Begin();
        _veto.CopyFrom(losses.Detach().Affine(0));
        _others.Add(_veto);
    }

    private sealed record Slot(string Name, Parameter Parameter, Tensor Mean, Tensor Square, bool Decays);
}
