using System.Globalization;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Training;
using LinearCald.Nn.Optimisers;
using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;

namespace LinearCald.Distillation.Guidance;

/// <summary>
/// Mode <c>trajectory</c>: the teacher is fine-tuned from the source on the same batches, once in T_u updates of the student; the student sees it as it is
/// before that update. Its forward pass serves both its own loss and the guidance.
/// </summary>
public sealed class TrajectoryGuide : FrozenGuide
{
    private readonly AdamW _optimiser;
    private readonly Func<long, double> _learningRate;
    private readonly int _cycle;
    private readonly double _clipNorm;
    private bool _learns;
    private Tape? _tape;
    private Tensor? _loss;

    /// <param name="teacher">With source weights; belongs to the guide from here on.</param>
    /// <param name="optimiser">Over the teacher's parameters; belongs to the guide from here on.</param>
    /// <param name="learningRate">Rate of the teacher's update t = 0, 1, ….</param>
    /// <param name="clipNorm">Largest gradient norm of the teacher; 0: no clipping.</param>
    /// <param name="recipe">Weights and T_u.</param>
    /// <param name="totalUpdates">Updates of the student.</param>
    /// <param name="accumulation">Micro-batches an update.</param>
    /// <param name="seed">Of the teacher's dropout masks.</param>
    public TrajectoryGuide(
        TaskModel teacher,
        AdamW optimiser,
        Func<long, double> learningRate,
        double clipNorm,
        GuidanceRecipe recipe,
        int totalUpdates,
        int accumulation,
        ulong seed)
        : base(teacher, recipe, totalUpdates, accumulation, seed)
    {
        _optimiser = optimiser;
        _learningRate = learningRate;
        _clipNorm = clipNorm;
        _cycle = recipe.UpdateCycle;
    }

    public override int Phase => _learns ? -1 : 0;

    public override long Counter
    {
        get => _optimiser.Step;
        set => _optimiser.Step = value;
    }

    public override void BeginUpdate(int completed)
    {
        base.BeginUpdate(completed);
        _learns = (completed + 1) % _cycle == 0;
    }

    public override TaskPass? Observe(TaskInput input, bool hiddenStates)
    {
        if (!_learns)
        {
            return base.Observe(input, hiddenStates);
        }

        _tape = Tape.Record();
        TaskPass pass = Teacher.Run(input, Context(hiddenStates));
        _loss = pass.Loss;
        return pass.Detached();
    }

    public override void Learn(double share)
    {
        if (_tape is null)
        {
            return;
        }

        Tensor loss = _loss!;
        _tape.Backward(loss, Tensor.Full(loss.Device, loss.Type, loss.Shape, share));
        _tape.Dispose();
        _tape = null;
        _loss = null;
    }

    public override void EndUpdate(int completed)
    {
        if (!_learns)
        {
            return;
        }

        double lr = _learningRate(_optimiser.Step);
        double norm = _optimiser.Update(lr, _clipNorm > 0 ? _clipNorm : double.PositiveInfinity);
        if (!double.IsFinite(norm))
        {
            throw new CaldException(string.Create(
                CultureInfo.InvariantCulture,
                $"trajectory: the gradient of the teacher is not finite at update {completed + 1} (lr {lr:G4}); lower guidance.teacher_lr or set teacher.clip_norm, and start in another folder"));
        }

        Teacher.Module.ClearGradients();
    }

    public override IEnumerable<(string Name, Tensor Value)> State()
    {
        foreach ((string name, Nn.Parameter parameter) in Teacher.Module.NamedParameters())
        {
            yield return ("teacher." + name, parameter.Value);
        }

        foreach ((string name, Tensor value) in _optimiser.State())
        {
            yield return ("teacher." + name, value);
        }
    }

    protected override void Dispose(bool disposing)
    {
        _tape?.Dispose();
        _optimiser.Dispose();
        base.Dispose(disposing);
    }
}
