using LinearCald.Distillation.Recipes;
using LinearCald.Nn;
using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;

namespace LinearCald.Distillation.Training;

/// <summary>A model in the hands of the trainer: what training, guidance and checkpoints need, whatever the task. Owns the module.</summary>
public abstract class TaskModel : IDisposable
{
    /// <summary>The parameters.</summary>
    public abstract Module Module { get; }

    /// <summary>Whether its mixers are those of a conversion; false for the transformer.</summary>
    public abstract bool IsStudent { get; }

    /// <summary>Number of layers; a pass has one hidden state more.</summary>
    public abstract int Layers { get; }

    /// <summary>
    /// Floating-point operations a position in a forward pass over texts of <paramref name="length"/>: two for each weight that a product uses, and what the mixers
    /// do between positions. A backward pass takes twice as many.
    /// </summary>
    public double ForwardFlops(int length)
    {
        double weights = 0;
        foreach ((string name, Parameter parameter) in Module.NamedParameters())
        {
            if (parameter.Value.Shape.Rank == 2 && IsProduct(name))
            {
                weights += parameter.Value.Count;
            }
        }

        return (2 * weights) + (Layers * MixingFlops(length));
    }

    /// <summary>Runs the model on a micro-batch of its task.</summary>
    public abstract TaskPass Run(TaskInput input, ForwardContext context);

    /// <summary>Writes a model folder in HuggingFace layout; it appears whole or not at all.</summary>
    /// <param name="folder">Where; an earlier model there is replaced.</param>
    /// <param name="more">Adds files to the folder that is being written.</param>
    public abstract void Save(string folder, Action<string>? more = null);

    /// <summary>Whether a parameter belongs to what the conversion adds: it trains while the rest is frozen.</summary>
    public abstract bool IsNew(string parameter);

    /// <summary>Whether a parameter is never trained.</summary>
    public virtual bool IsFrozen(string parameter) => false;

    /// <summary>Whether weight decay applies to a parameter.</summary>
    public bool IsDecayed(string parameter, DecayRule rule) => rule switch
    {
        DecayRule.Weights => IsWeight(parameter),
        DecayRule.Mixer => IsNew(parameter) && IsWeight(parameter),
        DecayRule.Whole => parameter.Split('.') is not ([.., "bias"] or [.., "layer_norm", _]),
        _ => IsNew(parameter) && !parameter.EndsWith("bias", StringComparison.Ordinal) && !parameter.EndsWith("norm.weight", StringComparison.Ordinal),
    };

    /// <summary>Whether a matrix is the factor of a product, and not a table that rows are looked up in.</summary>
    protected abstract bool IsProduct(string parameter);

    /// <summary>Operations a position that a layer's mixer does between positions.</summary>
    protected abstract double MixingFlops(int length);

    /// <summary>Whether a parameter is the weight of a linear map, convolution, embedding or projection, and not a bias, of a norm, or of a recurrence.</summary>
    protected abstract bool IsWeight(string parameter);

    public void Dispose()
    {
        Module.Dispose();
        GC.SuppressFinalize(this);
    }
}

/// <summary>What one pass of a model computed. Logits and loss are formed when they are first asked for.</summary>
public sealed class TaskPass
{
    private readonly Func<Tensor> _formLogits;
    private readonly Func<Tensor> _formLoss;
    private Tensor? _logits;
    private Tensor? _loss;

    /// <param name="logits">Forms the outputs, [..., classes].</param>
    /// <param name="loss">Forms the task loss, one element; it may go without <see cref="Logits"/>.</param>
    /// <param name="hiddenStates">[B, L, d] each, entry 0 the embeddings; null unless asked for.</param>
    public TaskPass(Func<Tensor> logits, Func<Tensor> loss, IReadOnlyList<Tensor>? hiddenStates)
    {
        _formLogits = logits;
        _formLoss = loss;
        HiddenStates = hiddenStates;
    }

    /// <summary>[..., classes].</summary>
    public Tensor Logits => _logits ??= _formLogits();

    /// <summary>The task loss: the mean over the micro-batch's examples or positions.</summary>
    public Tensor Loss => _loss ??= _formLoss();

    /// <summary>[B, L, d] each, entry 0 the embeddings; null unless asked for.</summary>
    public IReadOnlyList<Tensor>? HiddenStates { get; }

    /// <summary>The same results, through which no gradient flows.</summary>
    public TaskPass Detached() => new(() => Still(() => Logits), () => Still(() => Loss), HiddenStates?.Select(h => h.Detach()).ToArray());

    private static Tensor Still(Func<Tensor> form)
    {
        using Tape.Pause pause = Tape.Paused();
        return form().Detach();
    }
}
