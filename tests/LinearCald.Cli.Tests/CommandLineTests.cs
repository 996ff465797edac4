using System.Diagnostics;
using System.Text.Json;
using LinearCald.Distillation.Recipes;

namespace LinearCald.Cli.Tests;

/// <summary>Help, exit codes, and the one line that every mistake gets.</summary>
public sealed class CommandLineTests
{
    [Fact]
    public void HelpListsTheCommands()
    {
        Capture help = Capture.Run("--help");
        Assert.Equal(0, help.ExitCode);
        Assert.Contains("cald [command] [options]", help.Out, StringComparison.Ordinal);
        Assert.Contains("recipes", help.Out, StringComparison.Ordinal);
        Assert.Empty(help.Error);
    }

    [Theory]
    [InlineData("recipes", "--help")]
    [InlineData("recipes", "-h")]
    [InlineData("recipes", "--unknown", "--help")]
    public void HelpOfACommandHasOptionsAndExamples(params string[] arguments)
    {
        Capture help = Capture.Run(arguments);
        Assert.Equal(0, help.ExitCode);
        Assert.Contains("--set <KEY=VALUE>", help.Out, StringComparison.Ordinal);
        Assert.Contains("Examples:", help.Out, StringComparison.Ordinal);
        Assert.Contains("  cald recipes glue/qnli/target", help.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void VersionIsThatOfTheBuild()
    {
        Capture version = Capture.Run("--version");
        Assert.Equal(0, version.ExitCode);
        Assert.Matches(@"^cald \d+\.\d+\.\d+\s*$", version.Out);
    }

    [Theory]
    [InlineData("error: no command given (see `cald --help`)")]
    [InlineData("error: unknown command 'recpies'; did you mean 'recipes'? (see `cald --help`)", "recpies")]
    [InlineData("error: unknown command 'recpies'; did you mean 'recipes'? (see `cald --help`)", "recpies", "--help")]
    [InlineData("error: unknown option '--jsno' (see `cald --help`)", "--jsno")]
    [InlineData("error: unknown option '--jsno'; did you mean '--json'? (see `cald recipes --help`)", "recipes", "--jsno")]
    [InlineData("error: unknown option '--seeed'; did you mean '--seed'? (see `cald recipes --help`)", "recipes", "demo", "--seeed=3")]
    [InlineData("error: --seed: 'x' is not allowed; give a whole number from 0 up (see `cald recipes --help`)", "recipes", "demo", "--seed", "x")]
    [InlineData("error: --seed: '99999999999' is not allowed; give a whole number from 0 to 2147483647 (see `cald recipes --help`)", "recipes", "demo", "--seed", "99999999999")]
    [InlineData("error: --seed: '-1' is not allowed; give a whole number from 0 up (see `cald recipes --help`)", "recipes", "demo", "--seed", "-1")]
    [InlineData("error: Required argument missing for option: '--seed' (see `cald recipes --help`)", "recipes", "demo", "--seed")]
    [InlineData("error: Required argument missing for option: '--set' (see `cald recipes --help`)", "recipes", "--set")]
    [InlineData("error: --data needs the name of a folder (see `cald recipes --help`)", "recipes", "demo", "--data", "")]
    [InlineData("error: --out needs the name of a folder (see `cald finetune --help`)", "finetune", "demo", "--out", "")]
    [InlineData("error: --teacher needs the name of a folder (see `cald convert --help`)", "convert", "demo", "--teacher", " ")]
    [InlineData("error: --lm needs the name of a file (see `cald transcribe --help`)", "transcribe", "clip.wav", "--model", "x", "--lm", "")]
    [InlineData("error: --predictions needs the name of a file (see `cald eval --help`)", "eval", "--model", "x", "--predictions", "")]
    [InlineData("error: --split: 'dev' is not allowed; give validation, test, train (see `cald eval --help`)", "eval", "--model", "x", "--split", "dev")]
    [InlineData("error: --recipe: 'x' is not allowed; give text, lm, speech (see `cald demo --help`)", "demo", "--recipe", "x")]
    [InlineData("error: --format: 'vtt' is not allowed; give text, json, srt (see `cald transcribe --help`)", "transcribe", "clip.wav", "--model", "x", "--format", "vtt")]
    [InlineData("error: --source needs the name of one embedded recipe (see `cald recipes --help`)", "recipes", "--source")]
    [InlineData("error: --keys takes no recipe (see `cald recipes --help`)", "recipes", "demo", "--keys")]
    public void WrongUsageIsOneLineAndExitCode2(string line, params string[] arguments)
    {
        Capture run = Capture.Run(arguments);
        Assert.Equal(line, run.Error.TrimEnd());
        Assert.Empty(run.Out);
        Assert.Equal(2, run.ExitCode);
    }

    [Theory]
    [InlineData("error: no recipe 'dem': there is no such file and no embedded recipe of that name; did you mean 'demo'?", "recipes", "dem")]
    [InlineData("error: no embedded recipe 'glue/qnl'; did you mean 'glue/qnli'?", "recipes", "glue/qnl", "--source")]
    [InlineData("error: --set training.lrr=1: unknown key 'lrr' in section 'training'; did you mean 'lr'?", "recipes", "demo", "--set", "training.lrr=1")]
    public void AFailureIsOneLineAndExitCode1(string start, params string[] arguments)
    {
        Capture run = Capture.Run(arguments);
        Assert.StartsWith(start, run.Error, StringComparison.Ordinal);
        Assert.Single(run.Error.TrimEnd().Split('\n'));
        Assert.Empty(run.Out);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("   at ", Capture.Run([.. arguments, "--verbose"]).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void RecipesListsEveryName()
    {
        Capture list = Capture.Run("recipes");
        Assert.Equal(0, list.ExitCode);
        Assert.All(RecipeLibrary.Names, name => Assert.Contains(name, list.Out, StringComparison.Ordinal));
        string[] names =
        [
            .. Capture.Run("recipes", "--json").Out.Trim().Split('\n')
                .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("name").GetString()!),
        ];
        Assert.Equal(RecipeLibrary.AllNames(), names);
    }

    [Fact]
    public void APrintedRecipeIsTheOneThatWouldRun()
    {
        Capture print = Capture.Run("recipes", "glue/qnli/target", "--data", "some where", "--seed", "5", "--set", "training.seed=6", "--set", "student.rank=64");
        Assert.Equal(0, print.ExitCode);
        Recipe recipe = Recipe.Parse(print.Out);
        Assert.Equal(Recipe.Load("glue/qnli/target", "task.data=some where", "teacher.seed=5", "training.seed=6", "student.rank=64"), recipe);
        Assert.Equal((5, 6, 64), (recipe.Teacher.Seed, recipe.Training.Seed, recipe.Student.Rank));
        Assert.StartsWith("extends: glue/_base", Capture.Run("recipes", "glue/qnli", "--source").Out, StringComparison.Ordinal);
    }

    [Fact]
    public void KeysExplainsAllOfThem()
    {
        string text = Capture.Run("recipes", "--keys").Out;
        Assert.All(RecipeSchema.Keys, key => Assert.Contains($"{key.Path}: {key.Default}\n    {key.Meaning}\n", text, StringComparison.Ordinal));
        Assert.Equal(RecipeSchema.Keys.Count, Capture.Run("recipes", "--keys", "--json").Out.Trim().Split('\n').Length);
    }

    [Fact]
    public void TheProcessItselfReturnsTheExitCode()
    {
        ProcessStartInfo start = new("dotnet", [typeof(Capture).Assembly.Location.Replace("LinearCald.Cli.Tests.dll", "cald.dll", StringComparison.Ordinal), "recpies"])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        using Process process = Process.Start(start)!;
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.Equal("error: unknown command 'recpies'; did you mean 'recipes'? (see `cald --help`)", error.TrimEnd());
        Assert.Equal(2, process.ExitCode);
    }
}
