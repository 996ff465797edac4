using LinearCald.Distillation.Classification;
using LinearCald.Distillation.Guidance;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Training;
using LinearCald.Models.Roberta;
using LinearCald.Nn;
using LinearCald.Tensors.Autograd;

namespace LinearCald.Distillation.Tests.Training;

/// <summary>Who guides when: the teacher of every update, and what may change it.</summary>
public sealed class GuidanceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(3, 10)] // cycle 3: 0 0 0 1 1 1 2 2 2 2
    [InlineData(4, 10)] // cycle 2: 0 0 1 1 2 2 3 3 3 3
    [InlineData(3, 2)] // more waypoints than updates: one each, the last never
    public void WaypointOfEveryUpdateIsAsTheFormulaSays(int count, int updates)
    {
        IReadOnlyList<string> waypoints = TinyRun.SaveWaypoints(_folder, count);
        List<string> loaded = [];
        using WaypointGuide guide = new(waypoints, Load, (_, _) => { }, new GuidanceRecipe { Mode = GuidanceMode.Waypoint }, updates, 1, 0);
        for (int step = 0; step < updates; step++)
        {
            guide.BeginUpdate(step);
            Assert.Equal(waypoints[Math.Min(step / Math.Max(1, updates / count), count - 1)], loaded[^1]);
        }

        ClassifierModel Load(string path)
        {
            loaded.Add(path);
            return new ClassifierModel(RobertaFiles.LoadClassifier(path, BuildContext.For(TinyTask.Cpu, 0)));
        }
    }

    [Fact]
    public void AResumedRunGoesOnWithTheWaypointOfItsUpdate()
    {
        IReadOnlyList<string> waypoints = TinyRun.SaveWaypoints(_folder, 3);
        TinyRun run = new() { Waypoints = waypoints, Guidance = new TinyRun().Guidance with { Mode = GuidanceMode.Waypoint } };
        (run with { StopAfter = 7 }).RunAndStop(_folder["run"]);
        Assert.Equal([(3, waypoints[1]), (6, waypoints[2])], run.Switches);
        run.Switches.Clear();
        run.Run(_folder["run"], resume: true);
        Assert.Equal([(7, waypoints[2])], run.Switches);
    }

    [Fact]
    public void NoWaypointsIsAnErrorThatSaysWhatToDo()
    {
        CaldException error = Assert.Throws<CaldException>(() => new WaypointGuide([], _ => throw new InvalidOperationException(), (_, _) => { }, new GuidanceRecipe(), 4, 1, 0));
        Assert.Contains("waypoints_per_epoch", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void HybridIsTargetUntilTheSwitchAndUnguidedAfterIt()
    {
        TinyRun run = new();
        List<int> observed = [];
        List<(double Layer, double Kl)> terms = [];
        TinyRun hybrid = run with
        {
            Guidance = run.Guidance with { Mode = GuidanceMode.Hybrid },
            OnStep = (step, _) => terms.Add((step.LayerLoss, step.KlLoss)),
        };
        hybrid = hybrid with { Guide = () => new CountingGuide(TinyTask.Transformer(5), hybrid.Guidance, observed) };
        hybrid.Run(_folder["hybrid"]);
        Assert.Equal([0, 1, 2, 3], observed);
        Assert.All(terms.Take(4), t => Assert.True(t.Layer > 0 && t.Kl > 0));
        Assert.All(terms.Skip(4), t => Assert.True(double.IsNaN(t.Layer) && double.IsNaN(t.Kl)));

        // The same bits as four updates with the teacher followed by six that never heard of one.
        TinyRun target = run with { Guidance = run.Guidance with { Mode = GuidanceMode.Target }, StopAfter = 4 };
        target.RunAndStop(_folder["parts"]);
        (run with { Guidance = run.Guidance with { Mode = GuidanceMode.Unguided } }).Run(_folder["parts"], resume: true);
        string last = Path.Combine("checkpoints", "step-000010", "model.safetensors");
        Assert.Equal(TinyRun.Outcome(_folder["hybrid"])[last], TinyRun.Outcome(_folder["parts"])[last]);
    }

    [Fact]
    public void ATeacherInTrainModeDropsAndOneInEvalModeDoesNot()
    {
        string first = LossesOf(TeacherMode.Train, 7);
        Assert.NotEqual(first, LossesOf(TeacherMode.Train, 8));
        string still = LossesOf(TeacherMode.Eval, 7);
        Assert.NotEqual(first, still);
        Assert.Equal(still, LossesOf(TeacherMode.Eval, 8));

        string LossesOf(TeacherMode mode, ulong seed)
        {
            TinyRun run = new();
            GuidanceRecipe guidance = run.Guidance with { Mode = GuidanceMode.Target, TeacherMode = mode };
            List<double> losses = [];
            (run with
            {
                Optimisation = run.Optimisation with { MaxSteps = 2 },
                Guidance = guidance,
                Guide = () => new FrozenGuide(new ClassifierModel(TinyTask.Transformer(5)), guidance, 2, 1, seed),
                OnStep = (step, _) => losses.Add(step.LayerLoss),
            }).Run(_folder[$"{mode}-{seed}"]);
            return string.Join(' ', losses);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void TheTrajectoryTeacherLearnsOnceInACycle(int cycle)
    {
        TinyRun run = new();
        run = run with { Guidance = run.Guidance with { Mode = GuidanceMode.Trajectory, UpdateCycle = cycle }, Dropout = 0 };
        RobertaForSequenceClassification teacher = TinyTask.Transformer(3, 0);
        Dictionary<string, float[]> source = TinyTask.Weights(teacher);
        Dictionary<string, float[]> before = source;
        List<int> learnt = [];
        run = run with
        {
            Guide = () => new WatchedTrajectory(run.Trajectory(teacher), teacher),
            OnStep = (step, _) =>
            {
                Dictionary<string, float[]> now = TinyTask.Weights(teacher);
                if (TinyTask.Changed(before, now).Length > 0)
                {
                    learnt.Add(step.Step);
                }

                before = now;
            },
        };
        run.Run(_folder["run"]);
        Assert.Equal(Enumerable.Range(1, 10).Where(step => step % cycle == 0), learnt);
        string[] moved = TinyTask.Changed(source, before);
        Assert.Contains("roberta.embeddings.word_embeddings.weight", moved);
        Assert.Contains("classifier.out_proj.weight", moved);
    }

    [Fact]
    public void TheTrajectoryTeacherIsTheOneThatOrdinaryFineTuningMakes()
    {
        // Distillation losses that reached the teacher, or a batch seen twice or at another rate, would show in its weights.
        TinyRun run = new();
        run = run with
        {
            Optimisation = run.Optimisation with { Lr = 1e-3, WarmupFraction = 0, GradientAccumulation = 2 },
            Dropout = 0,
        };
        RobertaForSequenceClassification teacher = TinyTask.Transformer(3, 0);
        Dictionary<string, float[]>? guided = null;
        TinyRun trajectory = run with { Guidance = run.Guidance with { Mode = GuidanceMode.Trajectory, UpdateCycle = 1 } };
        (trajectory with { Guide = () => trajectory.Trajectory(teacher), OnStep = (_, _) => guided = TinyTask.Weights(teacher) }).Run(_folder["trajectory"]);
        Dictionary<string, float[]>? tuned = null;
        (run with
        {
            Guidance = run.Guidance with { Mode = GuidanceMode.Unguided },
            Model = () => TinyTask.Transformer(3, 0),
            OnStep = (_, model) => tuned = TinyTask.Weights(model),
        }).Run(_folder["tuned"]);
        Assert.Empty(TinyTask.Changed(tuned!, guided!));
    }

    [Fact]
    public void WhileFrozenOnlyProjectionsMove()
    {
        TinyRun run = new();
        Dictionary<string, float[]>? before = null;
        List<string[]> changed = [];
        run = run with
        {
            Optimisation = run.Optimisation with { WarmupFraction = 0 }, // in the first update of a warm-up the rate is 0
            Guidance = run.Guidance with { Mode = GuidanceMode.Target, FreezeSteps = 3 },
            OnStep = (_, model) =>
            {
                Dictionary<string, float[]> now = TinyTask.Weights(model);
                changed.Add(TinyTask.Changed(before!, now));
                before = now;
            },
        };
        using (RobertaForSequenceClassification start = TinyTask.Student(3))
        {
            before = TinyTask.Weights(start);
        }

        run.Run(_folder["run"]);
        string[] projections = [.. before.Keys.Where(RobertaFiles.IsProjection)];
        Assert.Equal(3, projections.Length);
        Assert.All(changed.Take(3), names => Assert.Equal(projections, names));
        Assert.All(changed.Skip(3).Take(6), names => Assert.Contains("classifier.dense.weight", names));
    }

    /// <summary>A trajectory guide that makes sure that what the student is shown is the teacher as it is before the update.</summary>
    private sealed class WatchedTrajectory(TrajectoryGuide guide, RobertaForSequenceClassification teacher) : Guide
    {
        public override LossWeights WeightsAt(int completed) => guide.WeightsAt(completed);

        public override void BeginUpdate(int completed) => guide.BeginUpdate(completed);

        public override TaskPass? Observe(TaskInput input, bool hiddenStates)
        {
            float[] expected;
            using (Tape.Pause pause = Tape.Paused())
            {
                expected = teacher.Forward(((ClassificationInput)input).Texts, ForwardContext.Inference).Logits.ToArray<float>();
            }

            TaskPass shown = guide.Observe(input, hiddenStates)!;
            Assert.Equal(expected, shown.Logits.ToArray<float>());
            Assert.False(shown.Logits.RequiresGradient);
            return shown;
        }

        public override void Learn(double share)
        {
            // The student's backward pass is over: nothing of it may have come here.
            Assert.All(teacher.NamedParameters(), p => Assert.Null(p.Parameter.Value.Gradient));
            guide.Learn(share);
        }

        public override void EndUpdate(int completed) => guide.EndUpdate(completed);

        protected override void Dispose(bool disposing)
        {
            guide.Dispose();
            base.Dispose(disposing);
        }
    }

    private sealed class CountingGuide(RobertaForSequenceClassification teacher, GuidanceRecipe recipe, List<int> observed) : FrozenGuide(new ClassifierModel(teacher), recipe, 10, 1, 7)
    {
        private int _update;

        public override void BeginUpdate(int completed)
        {
            base.BeginUpdate(completed);
            _update = completed;
        }

        public override TaskPass? Observe(TaskInput input, bool hiddenStates)
        {
            observed.Add(_update);
            return base.Observe(input, hiddenStates);
        }
    }
}
