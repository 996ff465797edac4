using LinearCald.Distillation.Recipes;

namespace LinearCald.Distillation.Tests.Recipes;

/// <summary>The embedded recipes against the paper's Table 4 and the step counts that follow from the task sizes, typed out again here.</summary>
public sealed class Table4Tests
{
    // task, mode, lr, layer weight, share mode, T_u, micro-batch.
    public static TheoryData<string, string, double, double, ShareMode, int, int> Cells => new()
    {
        { "qnli", "unguided", 1e-5, 0, ShareMode.Kv, 1, 32 },
        { "qqp", "unguided", 1e-5, 0, ShareMode.Layer, 1, 32 },
        { "sst2", "unguided", 3e-5, 0, ShareMode.Kv, 1, 32 },
        { "imdb", "unguided", 1e-5, 0, ShareMode.Kv, 1, 32 },
        { "qnli", "target", 1e-4, 25, ShareMode.Layer, 1, 16 },
        { "qqp", "target", 1e-4, 20, ShareMode.Layer, 1, 16 },
        { "sst2", "target", 1e-4, 10, ShareMode.Kv, 1, 16 },
        { "imdb", "target", 3e-4, 15, ShareMode.Kv, 1, 16 },
        { "qnli", "source-init", 1e-4, 25, ShareMode.Layer, 1, 16 },
        { "qqp", "source-init", 1e-4, 20, ShareMode.Layer, 1, 16 },
        { "sst2", "source-init", 1e-4, 10, ShareMode.Kv, 1, 16 },
        { "imdb", "source-init", 3e-4, 15, ShareMode.Kv, 1, 16 },
        { "qnli", "trajectory", 3e-4, 30, ShareMode.Layer, 5, 16 },
        { "qqp", "trajectory", 1e-4, 25, ShareMode.Kv, 1, 16 },
        { "sst2", "trajectory", 1e-4, 30, ShareMode.Kv, 3, 16 },
        { "imdb", "trajectory", 3e-4, 40, ShareMode.Kv, 3, 16 },
        { "qnli", "waypoint", 1e-4, 10, ShareMode.Kv, 1, 16 },
        { "qqp", "waypoint", 1e-4, 20, ShareMode.Layer, 1, 16 },
        { "sst2", "waypoint", 1e-4, 5, ShareMode.Kv, 1, 16 },
        { "imdb", "waypoint", 3e-4, 25, ShareMode.Kv, 1, 16 },
        { "qnli", "hybrid", 1e-4, 25, ShareMode.Layer, 1, 16 },
        { "qqp", "hybrid", 1e-4, 20, ShareMode.Layer, 1, 16 },
        { "sst2", "hybrid", 1e-4, 10, ShareMode.Kv, 1, 16 },
        { "imdb", "hybrid", 3e-4, 15, ShareMode.Kv, 1, 16 },
    };

    [Theory]
    [MemberData(nameof(Cells))]
    public void CellEqualsThePaper(string task, string mode, double lr, double alpha, ShareMode share, int cycle, int microBatch)
    {
        Recipe recipe = Recipe.Load($"glue/{task}/{mode}");
        Assert.Equal($"glue/{task}/{mode}", recipe.Name);
        Assert.Equal(task, RecipeSchema.NameOf(recipe.Task.Kind));
        Assert.Equal(mode, RecipeSchema.NameOf(recipe.Guidance.Mode));
        Assert.Equal(lr, recipe.Training.Lr);
        Assert.Equal(share, recipe.Student.ShareMode);
        Assert.Equal(microBatch, recipe.Training.MicroBatchSize);
        Assert.Equal(cycle, recipe.Guidance.UpdateCycle);
        Assert.Equal(new LossWeights(1, 0, alpha), recipe.Guidance.WeightsAt(0, 1000, recipe.Training.GradientAccumulation));

        // ≥ in the script of unguided, target, source-init and hybrid; > in the others.
        Assert.Equal(mode is "trajectory" or "waypoint" ? BestRule.First : BestRule.Last, recipe.Training.BestRule);
        CheckCommon(recipe);
    }

    [Theory]
    [InlineData("qnli", 3e-5)]
    [InlineData("qqp", 3e-5)]
    [InlineData("sst2", 3e-5)]
    [InlineData("imdb", 1e-5)]
    public void TeacherEqualsThePaper(string task, double lr)
    {
        Recipe recipe = Recipe.Load($"glue/{task}/teacher");
        Assert.Equal(lr, recipe.Teacher.Lr);
        Assert.Equal(lr, recipe.Variant("trajectory").Guidance.TeacherLr);
        Assert.Equal(1, recipe.Teacher.GradientAccumulation);
        Assert.Equal(1, recipe.Teacher.WaypointsPerEpoch);
        Assert.Equal(BestRule.First, recipe.Teacher.BestRule);
        CheckCommon(recipe);
    }

    // rows of the training part, updates an epoch, in all, of warm-up, between evaluations, until the hybrid switch.
    [Theory]
    [InlineData("qnli", 104_743, 3_274, 32_740, 1_964, 819, 10_000)]
    [InlineData("qqp", 363_846, 11_371, 113_710, 6_823, 2_843, 40_000)]
    [InlineData("sst2", 67_349, 2_105, 21_050, 1_263, 527, 5_000)]
    [InlineData("imdb", 25_000, 782, 7_820, 469, 196, 3_000)]
    public void StepCountsEqualThePublishedRuns(string task, int rows, int perEpoch, int total, int warmup, int evaluation, int switchStep)
    {
        Recipe recipe = Recipe.Load($"glue/{task}/hybrid");
        foreach (OptimisationRecipe run in (OptimisationRecipe[])[recipe.Teacher, recipe.Training])
        {
            Assert.Equal(perEpoch, run.UpdatesPerEpoch(rows));
            Assert.Equal(total, run.TotalUpdates(perEpoch));
            Assert.Equal(warmup, run.WarmupUpdates(total));
            Assert.Equal(evaluation, run.EvaluationInterval(perEpoch));
        }

        Assert.Equal(switchStep, recipe.Guidance.GuidedUpdates(total));
        Assert.True(recipe.Guidance.WeightsAt(switchStep - 1, total).Guided);
        Assert.Equal(new LossWeights(1, 0, 0), recipe.Guidance.WeightsAt(switchStep, total));
    }

    private static void CheckCommon(Recipe recipe)
    {
        foreach (OptimisationRecipe run in (OptimisationRecipe[])[recipe.Teacher, recipe.Training])
        {
            Assert.Equal(10, run.Epochs);
            Assert.Equal(0, run.MaxSteps);
            Assert.Equal(32, run.BatchSize);
            Assert.Equal(ScheduleKind.Linear, run.Schedule);
            Assert.Equal(0, run.FinalLr);
            Assert.Equal(0.06, run.WarmupFraction);
            Assert.Equal(0, run.WeightDecay);
            Assert.Equal(0, run.ClipNorm);
            Assert.Equal((0.9, 0.999, 1e-8), (run.Beta1, run.Beta2, run.Eps));
            Assert.Equal(0, run.Seed);
            Assert.Equal(Precision.Fp32, run.Precision);
        }

        Assert.Equal(512, recipe.Task.MaxLength);
        Assert.False(recipe.Task.Bucketing);
        Assert.Equal(TaskMetric.Accuracy, recipe.Task.Metric);
        Assert.Equal(256, recipe.Student.Rank);
        Assert.Equal(ProjectionInit.Normal, recipe.Student.ProjectionInit);
        Assert.True(recipe.Faithful);
        Assert.Equal((1.0, 0.0, 2.0), (recipe.Guidance.AlphaTask, recipe.Guidance.AlphaKl, recipe.Guidance.Temperature));
        Assert.Equal(LossConvention.Nlp, recipe.Guidance.Convention);
        Assert.Equal((LayerEntries.All, StateNormalisation.None), (recipe.Guidance.Entries, recipe.Guidance.Normalisation));
        Assert.Equal((PaddingRule.Counted, LayerReduction.Sum), (recipe.Guidance.Padding, recipe.Guidance.LayerReduction));
        Assert.Equal((KlReduction.Batch, true), (recipe.Guidance.KlReduction, recipe.Guidance.KlBetaSquared));
        Assert.Equal((TeacherMode.Train, TeacherSchedule.Student), (recipe.Guidance.TeacherMode, recipe.Guidance.TeacherSchedule));
        Assert.Equal(0, recipe.Guidance.FreezeSteps);
    }
}
