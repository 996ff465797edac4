using System.Text.Json.Nodes;

namespace LinearCald.Cli.Tests;

/// <summary>`cald ptx` lists the GPU backend's kernels and prints what they are compiled to, with no GPU.</summary>
public sealed class PtxCommandTests
{
    [Fact]
    public void TheListNamesEachKernelOnce()
    {
        Capture run = Capture.Run("ptx", "--list", "--json");
        Assert.Equal(0, run.ExitCode);
        Assert.Empty(run.Error);
        JsonNode[] rows = [.. run.Out.TrimEnd().Split('\n').Select(l => JsonNode.Parse(l)!)];
        string[] names = [.. rows.Select(r => (string)r["name"]!)];
        Assert.Equal(names.Distinct(), names);
        Assert.Contains("adamw", names);
        Assert.All(rows, r => Assert.InRange((int)r["threads"]!, 1, 1024));
        Assert.All(rows, r => Assert.Matches(@"^\w+\.\w+$", (string)r["method"]!));

        Capture text = Capture.Run("ptx", "--list");
        Assert.Equal(names, text.Out.TrimEnd().Split('\n').Select(l => l.Split(' ')[0]));
    }

    [Theory]
    [InlineData("sm_80")]
    [InlineData("sm_90")]
    [InlineData("sm_90a")]
    public void AKernelIsPrintedForTheTargetAskedFor(string target)
    {
        Capture run = Capture.Run("ptx", "softmax", "--target", target);
        Assert.Equal(0, run.ExitCode);
        Assert.Empty(run.Error);
        string[] lines = run.Out.TrimEnd().Split('\n');
        Assert.Matches(@"^\.version \d\.\d$", lines[0]);
        Assert.Equal($".target {target}", lines[1]);
        Assert.Contains(".visible .entry softmax(", lines);
        Assert.Equal("}", lines[^1]);
    }

    [Fact]
    public void ANumberChoosesAVariant() => Assert.NotEqual(Capture.Run("ptx", "softmax:1").Out, Capture.Run("ptx", "softmax:2").Out);

    [Theory]
    [InlineData(1, "error: cald ptx: name a kernel, or list all with --list", "ptx")]
    [InlineData(1, "error: no kernel is called 'sofmax'; cald ptx --list shows all", "ptx", "sofmax")]
    [InlineData(2, "error: --target: 'sm_70' is not allowed; give sm_80, sm_90 or sm_90a", "ptx", "softmax", "--target", "sm_70")]
    public void AMistakeIsOneSentence(int exitCode, string start, params string[] arguments)
    {
        Capture run = Capture.Run(arguments);
        Assert.Equal(exitCode, run.ExitCode);
        Assert.StartsWith(start, run.Error, StringComparison.Ordinal);
        Assert.Single(run.Error.TrimEnd().Split('\n'));
        Assert.Empty(run.Out);
    }
}
