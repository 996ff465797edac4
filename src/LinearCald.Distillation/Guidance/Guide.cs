using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Training;
using LinearCald.Nn;
using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;

namespace LinearCald.Distillation.Guidance;

/// <summary>
/// Answers, for every update of the student: which teacher now, and which weights on which loss now. One micro-batch is <see cref="Observe"/>, the
/// student's own pass, <see cref="Learn"/>; an update ends with <see cref="EndUpdate"/>.
/// </summary>
public abstract class Guide : IDisposable
{
    /// <summary>The type of the student's activations, which the teacher's must have too; null for float32.</summary>
    public DType? ComputeType { get; set; }

    /// <summary>Weights of the losses in the update after <paramref name="completed"/> ones.</summary>
    public abstract LossWeights WeightsAt(int completed);

    /// <summary>
    /// What <see cref="Observe"/> and <see cref="Learn"/> will do in the coming update, as a number: equal numbers mean the same work on the same tensors, so that a recording
    /// of it may be replayed. Negative: it must not be recorded.
    /// </summary>
    public virtual int Phase => 0;

    /// <summary>Prepares the teacher for the update after <paramref name="completed"/> ones: loads a waypoint, chooses dropout masks.</summary>
    public virtual void BeginUpdate(int completed)
    {
    }

    /// <summary>Before each micro-batch of the update.</summary>
    public virtual void BeginMicroBatch(int completed, int index)
    {
    }

    /// <summary>The teacher's view of a micro-batch, free of gradients; null when there is no teacher now.</summary>
    public virtual TaskPass? Observe(TaskInput input, bool hiddenStates) => null;

    /// <summary>Operations a position that guiding takes, see <see cref="TaskModel.ForwardFlops"/>.</summary>
    public virtual double Flops(int length) => 0;

    /// <summary>Lets a teacher that is trained alongside learn from the micro-batch just observed.</summary>
    /// <param name="share">The micro-batch's share of the batch.</param>
    public virtual void Learn(double share)
    {
    }

    /// <summary>After the student's update.</summary>
    public virtual void EndUpdate(int completed)
    {
    }

    /// <summary>State that a checkpoint must keep, by name; empty when the step alone decides everything.</summary>
    public virtual IEnumerable<(string Name, Tensor Value)> State() => [];

    /// <summary>Whole-number state to keep beside <see cref="State"/>.</summary>
    public virtual long Counter { get; set; }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
    }
}

/// <summary>Mode <c>unguided</c>, and ordinary fine-tuning: the task loss alone.</summary>
public sealed class NoGuide : Guide
{
    private readonly double _alphaTask;

    public NoGuide(double alphaTask = 1) => _alphaTask = alphaTask;

    public override LossWeights WeightsAt(int completed) => new(_alphaTask, 0, 0);
}

/// <summary>Modes <c>target</c>, <c>source-init</c> and, with a switch, <c>hybrid</c>: a frozen teacher until the guided updates are over.</summary>
public class FrozenGuide : Guide
{
    private readonly GuidanceRecipe _recipe;
    private readonly int _totalUpdates;
    private readonly int _accumulation;
    private readonly RandomGenerator _dropout;

    /// <param name="teacher">Belongs to the guide from here on.</param>
    /// <param name="recipe">Mode, weights and the teacher's mode.</param>
    /// <param name="totalUpdates">Updates of the whole run.</param>
    /// <param name="accumulation">Micro-batches an update.</param>
    /// <param name="seed">Of the teacher's own dropout masks, should it run in train mode.</param>
    public FrozenGuide(TaskModel teacher, GuidanceRecipe recipe, int totalUpdates, int accumulation, ulong seed)
    {
        Teacher = teacher;
        _recipe = recipe;
        _totalUpdates = totalUpdates;
        _accumulation = accumulation;
        _dropout = new RandomGenerator(seed);
    }

    protected TaskModel Teacher { get; set; }

    public override LossWeights WeightsAt(int completed) => _recipe.WeightsAt(completed, _totalUpdates, _accumulation);

    public override void BeginMicroBatch(int completed, int index) => _dropout.SeekStep(completed, index);

    public override TaskPass? Observe(TaskInput input, bool hiddenStates)
    {
        using Tape.Pause pause = Tape.Paused();
        return Teacher.Run(input, Context(hiddenStates)).Detached();
    }

    public override double Flops(int length) => Teacher.ForwardFlops(length);

    protected ForwardContext Context(bool hiddenStates) => new()
    {
        Dropout = _recipe.TeacherMode == TeacherMode.Train ? _dropout : null,
        HiddenStates = hiddenStates,
        ComputeType = ComputeType,
    };

    protected override void Dispose(bool disposing)
    {
        Teacher.Dispose();
        base.Dispose(disposing);
    }
}
