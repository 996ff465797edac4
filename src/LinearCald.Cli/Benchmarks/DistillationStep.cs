using LinearCald.Distillation.Guidance;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Training;
using LinearCald.Models.Linformer;
using LinearCald.Models;
using LinearCald.Models.Roberta;
using LinearCald.Nn;
using LinearCald.Nn.Optimisers;
using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Cli.Benchmarks;

/// <summary>
/// One step of the method as the peers' script takes it: the teacher's forward pass, the student's forward and backward passes (dropout 0.1, rank 256, task loss + 20 · mean of the
/// layers' squared distances over valid positions), clipping at 1, AdamW. Lengths are uniform in 32 … L. Recorded where the device can.
/// </summary>
internal sealed class DistillationStep : IDisposable
{
    private const double LayerWeight = 20;
    private readonly Device _device;
    private readonly RobertaForSequenceClassification _teacher;
    private readonly RobertaForSequenceClassification _student;
    private readonly AdamW _optimiser;
    private readonly RobertaInput _input;
    private readonly Tensor _labels;
    private readonly Tensor _total;
    private readonly DType? _type;
    private readonly RandomGenerator _dropout = new(1);
    private readonly DistillationLoss _loss = new(new GuidanceRecipe { Entries = LayerEntries.Outputs, LayerReduction = LayerReduction.Mean });
    private readonly Parameter[] _parameters;
    private RecordedWork? _recorded;
    private long _runs;

    /// <param name="device">Where it runs.</param>
    /// <param name="config">The teacher's.</param>
    /// <param name="precision">Of activations and products.</param>
    /// <param name="batch">B.</param>
    /// <param name="length">L.</param>
    public DistillationStep(Device device, RobertaConfig config, Precision precision, int batch, int length)
    {
        precision.Apply(device);
        _device = device;
        _type = precision.ComputeType();
        RobertaConfig student = config with { Linformer = new LinformerConfig(256, ProjectionSharing.Kv, config.MaximumPositions) };
        _teacher = new RobertaForSequenceClassification(BuildContext.For(device, 0), config);
        _student = new RobertaForSequenceClassification(BuildContext.For(device, 1), student);
        _optimiser = new AdamW(_student.NamedParameters(), new AdamWOptions(WeightDecay: 0.01));
        _parameters = [.. _student.NamedParameters().Select(p => p.Parameter)];
        Random random = new(0);
        int[] lengths = [.. Enumerable.Range(0, batch).Select(_ => random.Next(Math.Min(32, length), length + 1))];
        int[] ids = new int[batch * length];
        for (int i = 0; i < ids.Length; i++)
        {
            ids[i] = i % length < lengths[i / length] ? random.Next(5, config.VocabularySize) : config.PaddingId;
        }

        ValidTokens = lengths.Sum();
        _input = RobertaInput.Create(config, device, ids, lengths);
        _labels = Tensor.From(device, new Shape(batch), lengths.Select(n => n % 2).ToArray());
        _total = Tensor.Zeros(device, DType.Float64, new Shape(1));
    }

    /// <summary>Σ lengths.</summary>
    public int ValidTokens { get; }

    public void Run()
    {
        _dropout.SeekStep(_runs);
        if (_runs == 2 && _device.RunsAhead)
        {
            _recorded = _device.Record(RandomGenerator.FirstOf(_runs), Work);
        }

        if (_recorded is null)
        {
            Work();
        }
        else
        {
            _recorded.Replay(RandomGenerator.FirstOf(_runs));
            foreach (Parameter parameter in _parameters)
            {
                parameter.HasGradient = true;
            }
        }

        _optimiser.Update(1e-4, 1, 1, _total);
        _student.ClearGradients();
        _runs++;
    }

    public void Dispose()
    {
        _recorded?.Dispose();
        _total.Dispose();
        _optimiser.Dispose();
        _student.Dispose();
        _teacher.Dispose();
    }

    private void Work()
    {
        using MemoryScope scope = MemoryScope.Begin();
        ModelOutput teacher;
        using (Tape.Paused())
        {
            teacher = _teacher.Forward(_input, new ForwardContext { HiddenStates = true, ComputeType = _type });
        }

        using Tape tape = Tape.Record();
        ModelOutput student = _student.Forward(_input, new ForwardContext { Dropout = _dropout, HiddenStates = true, ComputeType = _type });
        Tensor layers = _loss.Layers(student.HiddenStates!, teacher.HiddenStates!, _input.Lengths, ValidTokens);
        tape.Backward(student.Logits.CrossEntropy(_labels).Add(layers.Affine(LayerWeight)));
    }
}
