using LinearCald.Distillation.Guidance;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Training;
using LinearCald.Models.Roberta;
using LinearCald.Tensors;

namespace LinearCald.Distillation.Tests.Training;

/// <summary>The training loop: threads, accumulation, choice of the best evaluation, and losses that are no numbers.</summary>
public sealed class TrainerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(GuidanceMode.Unguided)]
    [InlineData(GuidanceMode.Trajectory)]
    public void ResultsDoNotDependOnThreads(GuidanceMode mode)
    {
        TinyRun run = new();
        run = run with
        {
            Data = TinyTask.Data(48, 32, 20, 40),
            Optimisation = run.Optimisation with { BatchSize = 16, Epochs = 1 },
            Guidance = run.Guidance with { Mode = mode, UpdateCycle = 1 },
        };
        int before = Device.Threads;
        try
        {
            foreach (int threads in (int[])[1, 2, 3])
            {
                Device.UseThreads(threads);
                run.Run(_folder[$"{threads}"]);
            }
        }
        finally
        {
            Device.UseThreads(before);
        }

        Assert.Equal(TinyRun.Outcome(_folder["1"]), TinyRun.Outcome(_folder["2"]));
        Assert.Equal(TinyRun.Outcome(_folder["1"]), TinyRun.Outcome(_folder["3"]));
    }

    [Theory]
    [InlineData(GuidanceMode.Unguided, 3)]
    [InlineData(GuidanceMode.Target, 11)] // the layer loss is a mean over a micro-batch's positions: equal only for texts of one length
    [InlineData(GuidanceMode.Trajectory, 11)]
    public void ABatchInPartsIsTheBatch(GuidanceMode mode, int shortest)
    {
        TinyRun run = new();
        run = run with
        {
            Data = TinyTask.Data(22, 8, shortest), // the last batch has 2 examples
            Dropout = 0,
            Guidance = run.Guidance with { Mode = mode },
            Optimisation = run.Optimisation with { Epochs = 1, Eps = 1e-3 },
        };
        List<double> losses = [];
        run = run with { OnStep = (step, _) => losses.Add(step.TaskLoss) };
        (_, Dictionary<string, float[]> whole) = run.Run(_folder["whole"]);
        double[] expected = [.. losses];
        losses.Clear();
        (_, Dictionary<string, float[]> parts) = (run with { Optimisation = run.Optimisation with { GradientAccumulation = 2 } }).Run(_folder["parts"]);
        Assert.Equal(6, expected.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i], losses[i], 1e-4);
        }

        foreach ((string name, float[] values) in whole)
        {
            double worst = values.Zip(parts[name], (a, b) => Math.Abs(a - b)).Max();
            Assert.True(worst < 1e-4, $"{name} differs by {worst}");
        }
    }

    [Theory]
    [InlineData(BestRule.First, 3)]
    [InlineData(BestRule.Last, 10)]
    public void OfEqualEvaluationsTheRuleChooses(BestRule rule, int expected)
    {
        TinyRun run = new();
        run = run with { Optimisation = run.Optimisation with { Lr = 0, BestRule = rule }, Guidance = run.Guidance with { Mode = GuidanceMode.Unguided } };
        (TrainingResult result, _) = run.Run(_folder["run"]);
        Assert.Equal([3, 5, 8, 10], result.Evaluations.Select(e => e.Step));
        Assert.Single(result.Evaluations.Select(e => e.Value).Distinct());
        Assert.Equal(expected, result.BestStep);
    }

    [Fact]
    public void TheBestWeightsAreInTheModelAndInItsFolder()
    {
        TinyRun run = new();
        Dictionary<string, float[]>? best = null;
        List<double> values = [];
        run = run with
        {
            Optimisation = run.Optimisation with { Lr = 0.05, EvaluationsPerEpoch = 5 },
            Guidance = run.Guidance with { Mode = GuidanceMode.Unguided },
            OnEvaluation = (evaluation, model) =>
            {
                values.Add(evaluation.Value);
                best = evaluation.IsBest ? TinyTask.Weights(model) : best;
            },
        };
        (TrainingResult result, Dictionary<string, float[]> weights) = run.Run(_folder["run"]);
        Assert.Equal(values.IndexOf(values.Max()) + 1, result.BestStep);
        Assert.True(result.BestStep < 10, "the last evaluation is the best: the test shows nothing");
        Assert.Equal(values.Max(), result.Best.Of(TaskMetric.Accuracy));
        Assert.Empty(TinyTask.Changed(best!, weights));
        using RobertaForSequenceClassification saved = RobertaFiles.LoadClassifier(Path.Combine(_folder["run"], "model"), Nn.BuildContext.For(TinyTask.Cpu, 0));
        Assert.Empty(TinyTask.Changed(best!, TinyTask.Weights(saved)));
    }

    [Fact]
    public void ALossThatIsNoNumberStopsTheRunAndLeavesTheCheckpointSound()
    {
        TinyRun run = new() { Guidance = new TinyRun().Guidance with { Mode = GuidanceMode.Unguided } };
        run.Run(_folder["whole"]);
        RobertaForSequenceClassification? model = null;
        TinyRun broken = run with
        {
            Model = () => model = TinyTask.Student(3),
            Guide = () => new BreakingGuide(() => model!.NamedParameters().First().Parameter.Value.FillWith(double.NaN)),
        };
        CaldException error = Assert.Throws<CaldException>(() => broken.Run(_folder["broken"]));
        Assert.StartsWith("tiny: the loss is not finite at update 5 (task NaN", error.Message, StringComparison.Ordinal);
        Assert.Contains("lower lr", error.Message, StringComparison.OrdinalIgnoreCase);
        run.Run(_folder["broken"], resume: true);
        Assert.Equal(TinyRun.Outcome(_folder["whole"]), TinyRun.Outcome(_folder["broken"]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void AGradientThatOverflowsNeverReachesTheWeights(double clipNorm)
    {
        TinyRun run = new();
        run = run with { Optimisation = run.Optimisation with { ClipNorm = clipNorm, CheckpointEvery = 1 }, Guide = () => new NoGuide(1e39) };
        CaldException error = Assert.Throws<CaldException>(() => run.Run(_folder["run"]));
        Assert.StartsWith("tiny: the gradient is not finite at update 1", error.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_folder["run"], "checkpoints")));
    }

    [Fact]
    public void NoUpdatesIsAnError()
    {
        TinyRun run = new() { Optimisation = new TrainingRecipe { Epochs = 0 } };
        Assert.Contains("0 updates", Assert.Throws<CaldException>(() => run.Run(_folder["run"])).Message, StringComparison.Ordinal);
    }

    private sealed class BreakingGuide(Action damage) : Guide
    {
        public override LossWeights WeightsAt(int completed) => new(1, 0, 0);

        public override void BeginUpdate(int completed)
        {
            if (completed == 4)
            {
                damage();
            }
        }
    }
}
