using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Reporting;
using LinearCald.Distillation.Training;
using LinearCald.Gpu.Tests.Driver;
using LinearCald.Tensors;
using LinearCald.Tensors.Cuda;
using LinearCald.Testing.Ptx;

namespace LinearCald.Distillation.Tests.Training;

/// <summary>
/// Training with recorded steps: the same bits as without, from run to run too, and no memory that grows. In the emulator in small, on a GPU as long as it should be.
/// Nothing else may run at the same time: devices are shared, and the process's memory is looked at.
/// </summary>
[Collection(nameof(RecordedTrainingTests))]
[CollectionDefinition(nameof(RecordedTrainingTests), DisableParallelization = true)]
public class RecordedTrainingTests
{
    [Fact]
    public void Micro_batches_of_any_share_are_replayed_to_the_same_bits()
    {
        using TinyConversion text = TinyConversion.Text(layers: 1);
        TinyConversion uneven = text with
        {
            Data = new WeighedData(text.Data),
            Training = text.Training with { MaxSteps = 4, BatchSize = 3, GradientAccumulation = 3 },
        };
        using EmulatorAccelerator emulator = new();
        GpuDevice device = new(emulator);
        ConversionOutcome plain = uneven.Run(device, recordings: 0);
        ConversionOutcome recorded = uneven.Run(device, recordings: 4);
        Assert.Equal((0, 0), (plain.Kinds, plain.Replays));

        // The first micro-batch of an update replaces gradients, the others add to them: 4 and 8 of them, each kind done twice before it is recorded.
        Assert.Equal((2, 8), (recorded.Kinds, recorded.Replays));
        plain.AssertSame(recorded);

        ConversionOutcome even = (uneven with { Data = text.Data, Training = uneven.Training with { MaxSteps = 1 } }).Run(device, recordings: 0);
        Assert.NotEqual(recorded.Losses[0], even.Losses[0]); // the shares do matter
    }

    /// <summary>In bf16 the convolutions compute in float16, with a scale that each step finds on the device.</summary>
    [Fact]
    public void Convolutions_over_waves_are_trained_in_bf16_recorded_or_not()
    {
        using TinyConversion made = TinyConversion.Speech(freezesEncoder: false);
        TinyConversion speech = made with { Training = made.Training with { MaxSteps = 3, BatchSize = 1, GradientAccumulation = 1, Precision = Precision.Bf16 } };
        using EmulatorAccelerator emulator = new();
        GpuDevice device = new(emulator) { PoisonMemory = true };
        ConversionOutcome plain = speech.Run(device, recordings: 0), recorded = speech.Run(device, recordings: 4);
        Assert.True(recorded.Replays > 0);
        plain.AssertSame(recorded);
        Assert.All(plain.Losses, loss => Assert.True(double.IsFinite(loss)));
    }

    [Fact]
    public void An_update_that_is_not_finite_is_left_out_recorded_or_not()
    {
        using TinyConversion text = TinyConversion.Text(layers: 1);
        TinyConversion strange = text with
        {
            Data = new WeighedData(text.Data) { Endless = 5 }, // one text of an epoch: its share is no number
            Training = text.Training with { MaxSteps = 6, BatchSize = 4, Precision = Precision.Bf16 },
        };
        using EmulatorAccelerator emulator = new();
        GpuDevice device = new(emulator);
        List<StepReport> steps = [];
        ConversionOutcome plain = strange.Run(device, recordings: 0, steps.Add), recorded = strange.Run(device, recordings: 4);
        Assert.Equal(6, steps.Count);
        StepReport leftOut = Assert.Single(steps, step => !double.IsFinite(step.TaskLoss));
        Assert.All(steps, step => Assert.Equal(step.Step < leftOut.Step ? 0 : 1, step.Skipped));
        Assert.True(recorded.Replays > 0);
        plain.AssertSameBits(recorded);
        Assert.All(plain.Weights.Values, values => Assert.All(values, v => Assert.True(float.IsFinite(v))));
    }

    /// <summary>Ten updates in a row that overflow in the part that computes in float16.</summary>
    [Fact]
    public void Overflow_in_every_update_ends_a_run_in_bf16_with_advice()
    {
        using TinyConversion made = TinyConversion.Language();
        TinyConversion language = made with
        {
            Training = made.Training with { MaxSteps = 12, BatchSize = 1, Precision = Precision.Bf16 },
            Student = device =>
            {
                TaskModel student = made.Student(device);
                Tensor weight = student.Module.NamedParameters().First(p => p.Name.EndsWith("in_proj.weight", StringComparison.Ordinal)).Parameter.Value;
                weight.Set<float>([.. weight.ToArray<float>().Select(w => 1e6f * w)]);
                return student;
            },
        };
        using EmulatorAccelerator emulator = new();
        GpuDevice device = new(emulator);
        CaldException error = Assert.Throws<CaldException>(() => language.Run(device, recordings: 0));
        Assert.Contains("at update 10 ", error.Message, StringComparison.Ordinal);
        Assert.Contains("the last of 10 updates in a row", error.Message, StringComparison.Ordinal);
        Assert.Contains("the first tensor that is not finite is layer 1", error.Message, StringComparison.Ordinal);
        Assert.Contains("tf32", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_kind_of_task_gives_the_same_bits_again_on_the_cpu()
    {
        foreach (Func<TinyConversion> make in (Func<TinyConversion>[])[() => TinyConversion.Text(), TinyConversion.Language, () => TinyConversion.Speech()])
        {
            using TinyConversion made = make();
            TinyConversion conversion = made with { Training = made.Training with { MaxSteps = 6 } };
            Device cpu = Device.Parse("cpu");
            conversion.Run(cpu, recordings: 0).AssertSame(conversion.Run(cpu, recordings: 0));
        }
    }

    [Fact]
    public void Memory_does_not_grow_on_the_cpu()
    {
        using TinyConversion text = TinyConversion.Text();
        AssertSteady(text, Device.Parse("cpu"), 100, 300);
    }

    [CudaFact]
    public void Texts_give_the_same_bits()
    {
        using TinyConversion text = TinyConversion.Text();
        AssertSameBits(text, Precision.Fp32, Precision.Tf32, Precision.Bf16, Precision.Fp16);
    }

    [CudaFact]
    public void Language_gives_the_same_bits()
    {
        using TinyConversion language = TinyConversion.Language();
        AssertSameBits(language, Precision.Fp32, Precision.Bf16);
    }

    [CudaFact]
    public void Speech_gives_the_same_bits()
    {
        using TinyConversion speech = TinyConversion.Speech();
        AssertSameBits(speech, Precision.Fp32, Precision.Bf16);
    }

    [CudaFact]
    public void Memory_does_not_grow_with_texts()
    {
        using TinyConversion text = TinyConversion.Text();
        AssertSteady(text, Device.Parse("cuda"), 128, 1000);
    }

    [CudaFact]
    public void Memory_does_not_grow_with_language()
    {
        using TinyConversion language = TinyConversion.Language();
        AssertSteady(language, Device.Parse("cuda"), 128, 1000);
    }

    [CudaFact]
    public void Memory_does_not_grow_with_speech()
    {
        using TinyConversion speech = TinyConversion.Speech();
        AssertSteady(speech, Device.Parse("cuda"), 128, 1000);
    }

    /// <summary>50 updates, most of them recorded, twice; and the same without recording.</summary>
    private static void AssertSameBits(TinyConversion conversion, params ReadOnlySpan<Precision> precisions)
    {
        Device cuda = Device.Parse("cuda");
        foreach (Precision precision in precisions)
        {
            TinyConversion run = conversion with { Training = conversion.Training with { Precision = precision } };
            ConversionOutcome first = run.Run(cuda);
            ConversionOutcome second = run.Run(cuda);
            ConversionOutcome plain = run.Run(cuda, recordings: 0);
            int microBatches = run.Training.MaxSteps * run.Training.GradientAccumulation;
            Assert.InRange(first.Replays, microBatches * 3 / 4, microBatches);
            Assert.Equal(0, plain.Replays);
            first.AssertSame(second);
            first.AssertSame(plain);
        }

        Precision.Fp32.Apply(cuda);
    }

    /// <summary>
    /// From one update to a later one: not a byte more from the device, less than 1 MB more on the managed heap, less than 32 MB more of the process.
    /// </summary>
    private static void AssertSteady(TinyConversion conversion, Device device, int from, int to)
    {
        (long Device, long Allocations, long Managed, long Process) early = default, late = default;
        (conversion with { Training = conversion.Training with { MaxSteps = to } }).Run(device, onStep: step =>
        {
            // Without collections in between, how much garbage lies about at the end is chance.
            if (step.Step == from)
            {
                early = Measure();
            }
            else if (step.Step == to)
            {
                late = Measure();
            }
            else if (step.Step % 32 == 0)
            {
                GC.Collect();
            }
        });
        Assert.Equal((early.Device, early.Allocations), (late.Device, late.Allocations));
        Assert.True(late.Managed - early.Managed < 1_000_000, $"the managed heap grew from {early.Managed:N0} to {late.Managed:N0} bytes");
        Assert.True(late.Process - early.Process < 32_000_000, $"the process grew from {early.Process:N0} to {late.Process:N0} bytes");

        (long, long, long, long) Measure()
        {
            long managed = GC.GetTotalMemory(forceFullCollection: true);
            return (device.Memory.InUse + device.Memory.Pooled, device.Memory.Allocations, managed, Environment.WorkingSet);
        }
    }

    /// <summary>The same data; a micro-batch counts more the higher the numbers of its examples.</summary>
    private sealed class WeighedData(TrainingData data) : TrainingData
    {
        public override int Rows => data.Rows;

        public override int Count(DataPart part) => data.Count(part);

        public override UpdateOrder Order(OptimisationRecipe recipe) => data.Order(recipe);

        /// <summary>The example that counts infinitely; −1: none.</summary>
        public int Endless { get; init; } = -1;

        public override double Weight(ReadOnlySpan<int> rows)
        {
            double weight = 1;
            foreach (int row in rows)
            {
                weight += row == Endless ? double.PositiveInfinity : row;
            }

            return weight;
        }

        public override TaskBatch Collate(ReadOnlySpan<int> rows, int lengthMultiple, ulong? draw) => data.Collate(rows, lengthMultiple, draw);

        public override TaskInput Upload(Device device, TaskBatch batch) => data.Upload(device, batch);

        public override TaskInput Reserve(Device device, TaskBatch like) => data.Reserve(device, like);

        public override Evaluation Evaluate(TaskModel model, DataPart part, int batchSize, Device device, DType? computeType) =>
            data.Evaluate(model, part, batchSize, device, computeType);
    }
}
