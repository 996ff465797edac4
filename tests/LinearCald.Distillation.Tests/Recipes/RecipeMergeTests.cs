using LinearCald.Distillation.Recipes;

namespace LinearCald.Distillation.Tests.Recipes;

/// <summary>What wins over what: extends, several recipes, variants, presets, --set.</summary>
public sealed class RecipeMergeTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("recipes").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string Write(string name, string yaml)
    {
        string path = Path.Combine(folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, yaml);
        return path;
    }

    [Fact]
    public void LaterRecipesWinKeyByKey()
    {
        string a = Write("a.yaml", "training: { lr: 0.5, epochs: 7 }\nstudent: { rank: 8 }");
        string b = Write("b.yaml", "training: { lr: 0.25 }");
        Recipe merged = Recipe.Load([a, b], ["training.seed=3"]);
        Assert.Equal((0.25, 7, 3, 8), (merged.Training.Lr, merged.Training.Epochs, merged.Training.Seed, merged.Student.Rank));
        Assert.Equal("b", merged.Name);
        Assert.Equal(0.5, Recipe.Load([b, a], []).Training.Lr);
    }

    [Fact]
    public void ExtendsReadsRelativeFilesAndEmbeddedRecipes()
    {
        Write("parts/base.yaml", "student: { rank: 5 }");
        string leaf = Write("leaf.yaml", "extends: [demo, parts/base.yaml]\ntraining: { epochs: 1 }");
        Recipe recipe = Recipe.Load(leaf);
        Assert.Equal(("leaf", 5, 1, 48), (recipe.Name, recipe.Student.Rank, recipe.Training.Epochs, recipe.Task.MaxLength));
        Assert.Contains("target", recipe.Variants.Names);
    }

    [Fact]
    public void CirclesAreRefused()
    {
        string a = Write("a.yaml", "extends: b.yaml");
        Write("b.yaml", "extends: a.yaml");
        Assert.Contains("extends itself", Assert.Throws<CaldException>(() => Recipe.Load(a)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void VariantsWinOverTheirOwnRecipeAndOverridesOverVariants()
    {
        const string yaml = "training: { lr: 0.1 }\nvariants:\n  target: { training: { lr: 0.2 } }\n  hybrid: {}";
        Recipe recipe = Recipe.Parse(yaml);
        Assert.Equal((0.2, GuidanceMode.Target), (recipe.Variant("target").Training.Lr, recipe.Variant("target").Guidance.Mode));
        Assert.Equal((0.1, GuidanceMode.Hybrid), (recipe.Variant("hybrid").Training.Lr, recipe.Variant("hybrid").Guidance.Mode));
        Assert.Equal(0.3, Recipe.Parse(yaml, "r", "training.lr=0.3").Variant("target").Training.Lr);
        Assert.Equal(0.3, recipe.With("training.lr=0.3").Variant("target").Training.Lr);
        Recipe one = Recipe.Parse(yaml, "r", "variants.hybrid.training.lr=0.4");
        Assert.Equal((0.2, 0.4), (one.Variant("target").Training.Lr, one.Variant("hybrid").Training.Lr));
        Assert.Equal("r/target", Recipe.Parse(yaml, "r").Variant("target").Name);
        Assert.Empty(recipe.Variant("target").Variants.Names);
        Assert.Equal((0.1, GuidanceMode.Waypoint), (recipe.ForMode(GuidanceMode.Waypoint).Training.Lr, recipe.ForMode(GuidanceMode.Waypoint).Guidance.Mode));
        Assert.Contains("did you mean 'target'?", Assert.Throws<CaldException>(() => recipe.Variant("targt")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AVariantLikeAnotherStartsFromItAndMayDiffer()
    {
        Recipe recipe = Recipe.Load("demo");
        Recipe pool = recipe.Variant("target-pool");
        Recipe target = recipe.Variant("target");
        Assert.Equal(ProjectionInit.Pool, pool.Student.ProjectionInit);
        Assert.Equal(target, pool with { Name = target.Name, Student = target.Student });
    }

    [Fact]
    public void AConventionIsAPresetThatSingleKeysOverride()
    {
        GuidanceRecipe lm = Recipe.Parse("guidance: { padding: counted, convention: lm }").Guidance;
        Assert.Equal((LayerEntries.Inner, StateNormalisation.Layernorm, PaddingRule.Counted), (lm.Entries, lm.Normalisation, lm.Padding));
        Assert.Equal((LayerReduction.Mean, KlReduction.Tokens, false), (lm.LayerReduction, lm.KlReduction, lm.KlBetaSquared));

        // A convention set later replaces what earlier layers said about its keys, in variants as well.
        const string yaml = "guidance: { convention: nlp, entries: inner }\nvariants:\n  target: { guidance: { entries: outputs } }";
        Recipe set = Recipe.Parse(yaml, "r", "guidance.convention=speech");
        Assert.Equal(LayerEntries.Outputs, set.Guidance.Entries);
        Assert.True(set.Guidance.DivideByAccumulation);
        Assert.Equal(LayerEntries.Inner, Recipe.Parse(yaml).Guidance.Entries);
        Assert.Equal(LayerEntries.All, Recipe.Parse(yaml, "r", "guidance.convention=masked").Variant("target").Guidance.Entries);
    }

    [Fact]
    public void SpeechDividesDistillationByTheMicroBatches()
    {
        GuidanceRecipe speech = Recipe.Parse("guidance: { convention: speech, alpha_layer: 8, alpha_kl: 4 }").Guidance;
        Assert.Equal(new LossWeights(1, 1, 2), speech.WeightsAt(0, 10, accumulation: 4));
        GuidanceRecipe masked = Recipe.Parse("guidance: { alpha_layer: 8, alpha_kl: 4 }").Guidance;
        Assert.Equal(new LossWeights(1, 4, 8), masked.WeightsAt(0, 10, accumulation: 4));
    }

    [Fact]
    public void FaithfulDecidesWhatWeMended()
    {
        GuidanceRecipe Of(string yaml, params string[] set) => Recipe.Parse(yaml, "r", set).Guidance;
        GuidanceRecipe faithful = Of("faithful: true");
        Assert.Equal((LossConvention.Nlp, PaddingRule.Counted, TeacherMode.Train, TeacherSchedule.Student),
            (faithful.Convention, faithful.Padding, faithful.TeacherMode, faithful.TeacherSchedule));
        GuidanceRecipe mended = Of("faithful: true", "faithful=false");
        Assert.Equal(new GuidanceRecipe(), mended);
        Assert.Equal(LossConvention.Lm, Of("guidance: { convention: lm }", "faithful=true").Convention);
        Assert.Equal(TeacherMode.Eval, Of("faithful: true\nguidance: { teacher_mode: eval }").TeacherMode);
    }

    [Fact]
    public void HybridSwitchesByStepOrFraction()
    {
        GuidanceRecipe fraction = Recipe.Parse("guidance: { mode: hybrid, switch_fraction: 0.25 }").Guidance;
        Assert.Equal(25, fraction.GuidedUpdates(100));
        GuidanceRecipe step = Recipe.Parse("guidance: { mode: hybrid, switch_step: 40 }").Guidance;
        Assert.Equal((40, 30), (step.GuidedUpdates(100), step.GuidedUpdates(30)));
        Assert.Equal(0, Recipe.Parse("guidance: { mode: unguided }").Guidance.GuidedUpdates(100));
        Assert.Equal(100, Recipe.Parse("guidance: { mode: waypoint }").Guidance.GuidedUpdates(100));
    }

    [Fact]
    public void ComparedEntriesFollowTheReference()
    {
        Assert.Equal((0, 12), Recipe.Parse("guidance: { convention: nlp }").Guidance.EntryRange(12));
        Assert.Equal((1, 15), Recipe.Parse("guidance: { convention: lm }").Guidance.EntryRange(16));
        Assert.Equal((1, 24), Recipe.Parse("guidance: { convention: speech }").Guidance.EntryRange(24));
    }

    [Fact]
    public void TheBestRuleDecidesTiesAndNeverTakesNaN()
    {
        TrainingRecipe first = new() { BestRule = BestRule.First };
        TrainingRecipe last = new() { BestRule = BestRule.Last };
        Assert.False(first.IsBetter(TaskMetric.Accuracy, 0.5, 0.5));
        Assert.True(last.IsBetter(TaskMetric.Accuracy, 0.5, 0.5));
        Assert.True(first.IsBetter(TaskMetric.Perplexity, 30, 31) && !first.IsBetter(TaskMetric.Perplexity, 31, 30));
        Assert.True(first.IsBetter(TaskMetric.Accuracy, 0.6, 0.5));
        Assert.False(first.IsBetter(TaskMetric.Accuracy, double.NaN, 0.5) || last.IsBetter(TaskMetric.Accuracy, double.NaN, 0.5) || first.IsBetter(TaskMetric.Perplexity, double.NaN, 0.5));
    }

    [Fact]
    public void DataIsAskedForWhereTheTaskNeedsIt()
    {
        CaldException error = Assert.Throws<CaldException>(() => Recipe.Load("glue/qnli/target").Task.RequireData());
        Assert.Equal("task.kind qnli needs a data folder: set task.data in the recipe or add --data FOLDER", error.Message);
        Assert.Equal("here", Recipe.Load("glue/qnli/target", "task.data=here").Task.RequireData());
    }
}
