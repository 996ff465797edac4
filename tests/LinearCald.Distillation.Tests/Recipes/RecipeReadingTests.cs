using LinearCald.Distillation.Recipes;

namespace LinearCald.Distillation.Tests.Recipes;

/// <summary>What is accepted, what is refused and in which words.</summary>
public sealed class RecipeReadingTests
{
    [Fact]
    public void EmptyTextIsAllDefaults()
    {
        Assert.Equal(new Recipe(), Recipe.Parse(""));
        Assert.Equal(new Recipe(), Recipe.Parse("# nothing\ntraining:\nguidance:\n"));
    }

    [Fact]
    public void EveryDefaultIsInsideItsOwnBounds()
    {
        foreach (RecipeKey key in RecipeSchema.Keys.Where(key => key.Section is not null && key.Default != "[]"))
            Assert.Equal(new Recipe(), Recipe.Parse("", "recipe", $"{key.Path}={key.Default}"));
    }

    [Fact]
    public void ValuesOfEveryTypeAreRead()
    {
        Recipe recipe = Recipe.Parse("""
            name: mine
            faithful: false
            task: { kind: tsv, data: "some folder", labels: [b, a], text_columns: [0, 1] }
            training:
              lr: 2e-3
              warmup_steps: 7
              dropout: 0.25
              activation_checkpointing: true
            guidance:
              mode: source-init
            """);
        Assert.Equal("mine", recipe.Name);
        Assert.Equal((TaskKind.Tsv, "some folder"), (recipe.Task.Kind, recipe.Task.Data));
        Assert.Equal(["b", "a"], recipe.Task.Labels);
        Assert.Equal((2e-3, 7, 0.25, true),
            (recipe.Training.Lr, recipe.Training.WarmupSteps, recipe.Training.Dropout, recipe.Training.ActivationCheckpointing));
        Assert.Equal(GuidanceMode.SourceInit, recipe.Guidance.Mode);
    }

    [Theory]
    [InlineData("trainnig:\n  lr: 1", "r.yaml:1: unknown key 'trainnig'; did you mean 'training'?")]
    [InlineData("training:\n  epocs: 1", "r.yaml:2: unknown key 'epocs' in section 'training'; did you mean 'epochs'?")]
    [InlineData("# c\nguidance:\n\n  alpha_layr: 1", "r.yaml:4: unknown key 'alpha_layr' in section 'guidance'; did you mean 'alpha_layer'?")]
    [InlineData("share_mode: kv", "r.yaml:1: unknown key 'share_mode'; did you mean 'student.share_mode'?")]
    [InlineData("extend: demo", "r.yaml:1: unknown key 'extend'; did you mean 'extends'?")]
    [InlineData("student:\n  xyzzy: 1", "r.yaml:2: unknown key 'xyzzy' in section 'student'; known ones: mixer, rank, share_mode, projection_init, init_noise, sizes, expand, state_size, conv_kernel, head_size, residual_inside")]
    [InlineData("training:\n  lr: fast", "r.yaml:2: training.lr: 'fast' is not allowed; give a number from 0 to 100")]
    [InlineData("training:\n  lr: -1", "r.yaml:2: training.lr: '-1' is not allowed; give a number from 0 to 100")]
    [InlineData("training:\n  lr: .nan", "r.yaml:2: training.lr: '.nan' is not allowed; give a number from 0 to 100")]
    [InlineData("training:\n  lr: NaN", "r.yaml:2: training.lr: 'NaN' is not allowed; give a number from 0 to 100")]
    [InlineData("training:\n  lr:", "r.yaml:2: training.lr: null is not allowed; give a number from 0 to 100")]
    [InlineData("training:\n  eps: 0", "r.yaml:2: training.eps: '0' is not allowed; give a number above 0 up to 1")]
    [InlineData("training:\n  batch_size: 1.5", "r.yaml:2: training.batch_size: '1.5' is not allowed; give a whole number from 1 to 1048576")]
    [InlineData("training:\n  max_steps: 99999999999", "r.yaml:2: training.max_steps: '99999999999' is not allowed; give a whole number from 0 up")]
    [InlineData("training:\n  batch_size: [1, 2]", "r.yaml:2: training.batch_size: a list is not allowed; give a whole number from 1 to 1048576")]
    [InlineData("training:\n  batch_size: {a: 1}", "r.yaml:2: training.batch_size must be a single value or a list of values")]
    [InlineData("task:\n  bucketing: yes", "r.yaml:2: task.bucketing: 'yes' is not allowed; give true or false")]
    [InlineData("student:\n  share_mode: layers", "r.yaml:2: student.share_mode: 'layers' is not allowed; did you mean 'layer'?; give none, kv, layer")]
    [InlineData("training: 3", "r.yaml:1: 'training' must hold keys of its own, one a line and indented")]
    [InlineData("- a\n- b", "r.yaml:1: a recipe is a list of `key: value` lines")]
    [InlineData("a: 1\n---\nb: 2", "r.yaml: holds 2 YAML documents; a recipe is one")]
    [InlineData("variants:\n  target:\n    name: x", "r.yaml:3: variant 'target': unknown key 'name'; a variant may hold `like` and sections")]
    [InlineData("variants:\n  a:\n    like: b", "r.yaml:2: variant 'a' is like 'b', which is not written above it")]
    [InlineData("variants:\n  fast:\n    training: {lr: 1}", "recipe r.yaml: variant 'fast' has no guidance.mode; set it, start it `like` another variant, or name it after a mode (unguided, target, source-init, trajectory, waypoint, hybrid)")]
    [InlineData("variants: {../x: {guidance: {mode: target}}}", "recipe r.yaml: variant '../x': letters, digits, -, _ and . make the name of a variant, because its run folder is called so")]
    [InlineData("variants: {..: {guidance: {mode: target}}}", "recipe r.yaml: variant '..': letters, digits, -, _ and . make the name of a variant, because its run folder is called so")]
    [InlineData("training: {batch_size: 30, gradient_accumulation: 4}", "recipe r.yaml: training.gradient_accumulation 4 does not divide training.batch_size 30")]
    [InlineData("training: {schedule: exponential}", "recipe r.yaml: training.schedule exponential needs training.final_lr above 0")]
    [InlineData("teacher: {lr: 0.001, final_lr: 0.01}", "recipe r.yaml: teacher.final_lr 0.01 is above teacher.lr 0.001")]
    [InlineData("task: {labels: [a, a]}", "recipe r.yaml: task.labels names a class twice")]
    [InlineData("task: {text_columns: [a]}", "recipe r.yaml: task.text_columns is for task.kind tsv, jsonl, corpus and transcripts; sample has columns of its own")]
    [InlineData("extends: demmo", "no recipe 'demmo' (extended by r.yaml): there is no such file and no embedded recipe of that name; did you mean 'demo'? (`cald recipes` lists them)")]
    public void MistakesAreNamed(string yaml, string message)
    {
        CaldException error = Assert.Throws<CaldException>(() => Recipe.Parse(yaml, "r.yaml"));
        Assert.Equal(message, error.Message);
    }

    [Theory]
    [InlineData("training:\n  lr: 1\n  lr: 2", "r.yaml:3: not valid YAML")]
    [InlineData("training: [", "r.yaml:2: not valid YAML")]
    [InlineData("training: {'a: }", "r.yaml:1: not valid YAML")]
    [InlineData("a: &x 1\nb: *x", "r.yaml:2: YAML aliases are not supported")]
    public void BrokenYamlIsNamedWithItsLine(string yaml, string start)
    {
        CaldException error = Assert.Throws<CaldException>(() => Recipe.Parse(yaml, "r.yaml"));
        Assert.StartsWith(start, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void HostileYamlIsRefusedQuickly()
    {
        Assert.Contains("nested too deeply", Assert.Throws<CaldException>(() => Recipe.Parse(new string('[', 100_000))).Message, StringComparison.Ordinal);
        Assert.Contains("too many", Assert.Throws<CaldException>(() => Recipe.Parse(new string(' ', 2_000_000))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("training.lr", "--set training.lr: expected section.key=value, for example --set training.lr=2e-3")]
    [InlineData("=1", "--set =1: expected section.key=value, for example --set training.lr=2e-3")]
    [InlineData("lr=1", "--set lr=1: unknown key 'lr'; did you mean 'teacher.lr'?")]
    [InlineData("trainig.lr=1", "--set trainig.lr=1: unknown section 'trainig'; did you mean 'training'? (sections: task, model, student, teacher, training, guidance)")]
    [InlineData("training.learning=1", "--set training.learning=1: unknown key 'learning' in section 'training'")]
    [InlineData("training=1", "--set training=1: 'training' is a section, not a key; its keys: lr, epochs")]
    [InlineData("training.epochs=-1", "--set training.epochs=-1: training.epochs: '-1' is not allowed; give a whole number from 0 to 1000000")]
    [InlineData("variants.target=1", "--set variants.target=1: expected variants.NAME.section.key=value")]
    public void WrongOverridesAreNamed(string assignment, string start)
    {
        CaldException error = Assert.Throws<CaldException>(() => Recipe.Load("demo", assignment));
        Assert.StartsWith(start, error.Message, StringComparison.Ordinal);
    }
}
