using System.Diagnostics;
using LinearCald.Distillation.Guidance;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Training;
using LinearCald.Nn;
using LinearCald.Nn.Optimisers;
using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Cli.Benchmarks;

/// <summary>What a step of the method is taken on.</summary>
/// <param name="Teacher">Belongs to the step.</param>
/// <param name="Student">Belongs to the step.</param>
/// <param name="Input">Always the same micro-batch; belongs to the step.</param>
/// <param name="Positions">Positions that count.</param>
/// <param name="Losses">How the layer loss is taken.</param>
/// <param name="LayerWeight">Its weight; the task's is 1.</param>
/// <param name="OutputWeight">Weight of the loss of the outputs; 0 for none.</param>
/// <param name="Prepare">Called before every step that is not a replay.</param>
internal sealed record StepCase(
    TaskModel Teacher, TaskModel Student, TaskInput Input, int Positions, GuidanceRecipe Losses, double LayerWeight, double OutputWeight = 0, Action? Prepare = null);

/// <summary>
/// One step of the method as the peers' script takes it: the teacher's forward pass, the student's forward and backward passes (dropout on where the model has any), clipping at 1,
/// AdamW. Recorded where the device can.
/// </summary>
internal sealed class DistillationStep : IDisposable
{
    private readonly Device _device;
    private readonly StepCase _case;
    private readonly AdamW _optimiser;
    private readonly Tensor _total;
    private readonly DType? _type;
    private readonly RandomGenerator _dropout = new(1);
    private readonly DistillationLoss _loss;
    private readonly Parameter[] _parameters;
    private RecordedWork? _recorded;
    private long _runs;

    /// <param name="device">Where it runs.</param>
    /// <param name="precision">Of activations and products.</param>
    /// <param name="step">Models and data; disposed of with the step.</param>
    public DistillationStep(Device device, Precision precision, StepCase step)
    {
        precision.Apply(device);
        _device = device;
        _type = precision.ComputeType();
        _case = step;
        _loss = new DistillationLoss(step.Losses);
        _optimiser = new AdamW(step.Student.Module.NamedParameters(), new AdamWOptions(WeightDecay: 0.01));
        _parameters = [.. step.Student.Module.NamedParameters().Select(p => p.Parameter)];
        _total = Tensor.Zeros(device, DType.Float64, new Shape(1));
    }

    /// <summary>For the report.</summary>
    public StepRecording Recording { get; } = new();

    public void Run()
    {
        _dropout.SeekStep(_runs);
        if (_recorded is null)
        {
            _case.Prepare?.Invoke();
        }

        if (_runs == 2 && _device.RunsAhead)
        {
            _recorded = _device.Record(RandomGenerator.FirstOf(_runs), Work);
            Recording.Contents = _recorded?.Contents;
        }

        if (_recorded is null)
        {
            Work();
        }
        else
        {
            long start = Stopwatch.GetTimestamp();
            _recorded.Replay(RandomGenerator.FirstOf(_runs));
            Recording.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            foreach (Parameter parameter in _parameters)
            {
                parameter.HasGradient = true;
            }
        }

        _optimiser.Update(1e-4, 1, 1, _total);
        _case.Student.Module.ClearGradients();
        _runs++;
    }

    public void Dispose()
    {
        _recorded?.Dispose();
        _total.Dispose();
        _optimiser.Dispose();
        _case.Input.Dispose();
        _case.Student.Dispose();
        _case.Teacher.Dispose();
    }

    private void Work()
    {
        using MemoryScope scope = MemoryScope.Begin();
        TaskPass teacher;
        using (Tape.Paused())
        {
            teacher = _case.Teacher.Run(_case.Input, new ForwardContext { HiddenStates = true, ComputeType = _type }).Detached();
        }

        using Tape tape = Tape.Record();
        TaskPass student = _case.Student.Run(_case.Input, new ForwardContext { Dropout = _dropout, HiddenStates = true, ComputeType = _type });
        Tensor layers = _loss.Layers(student.HiddenStates!, teacher.HiddenStates!, _case.Input.Lengths, _case.Positions);
        Tensor loss = student.Loss.Add(layers.Affine(_case.LayerWeight));
        if (_case.OutputWeight != 0)
        {
            Tensor outputs = _loss.Outputs(student.Logits, teacher.Logits, _case.Input.Lengths, _case.Positions);
            loss = loss.Add(outputs.Affine(_case.OutputWeight));
        }

        tape.Backward(loss);
    }
}
