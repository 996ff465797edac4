using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace LinearCald.Cli.Tests;

/// <summary>`cald doctor` tries each part of the machine: what is absent is no fault.</summary>
public sealed class DoctorCommandTests
{
    [Fact]
    public void EveryPartHasARow()
    {
        Capture run = Capture.Run("doctor", "--json");
        Assert.Equal(0, run.ExitCode);
        Assert.Empty(run.Error);
        JsonNode[] rows = Rows(run);
        string[] parts = [.. rows.Select(r => (string)r["part"]!)];
        Assert.Equal(["processor", "runtime", "driver", "cpu", "debug", "kernel cache"], parts.Where(p => !p.StartsWith("cuda:", StringComparison.Ordinal)));
        Assert.All(rows, r => Assert.NotEmpty((string)r["what"]!));
        foreach (JsonNode row in rows.Where(r => (string)r["part"]! is "cpu" or "debug"))
        {
            Assert.Equal("ok", (string)row["state"]!);
            Assert.InRange((double)row["ms"]!, 0, 60_000);
        }
    }

    [Fact]
    public void WithoutJsonTheSameRowsAreATable()
    {
        Capture run = Capture.Run("doctor", "--device", "cpu");
        Assert.Equal(0, run.ExitCode);
        string[] lines = run.Out.TrimEnd().Split('\n');
        Assert.Matches(@"^part +state +ms +what", lines[0]);
        Assert.Contains(lines, l => Regex.IsMatch(l, @"^cpu +ok +\d+\.\d\d  \S"));
        Assert.DoesNotContain(lines, l => l.StartsWith("debug", StringComparison.Ordinal));
    }

    [Fact]
    public void AGpuThatIsNotThereIsAbsentAndSaysWhatToDo()
    {
        Capture run = Capture.Run("doctor", "--device", "cuda", "--json");
        JsonNode[] rows = Rows(run);
        JsonNode driver = rows.Single(r => (string)r["part"]! == "driver"), gpu = rows.Single(r => (string)r["part"]! == "cuda");
        Assert.Equal(0, run.ExitCode);
        Assert.Equal((string)driver["state"]!, (string)gpu["state"]!);
        if ((string)gpu["state"]! == "absent")
        {
            Assert.EndsWith("use --device cpu", (string)gpu["what"]!, StringComparison.Ordinal);
            Assert.Null(gpu["ms"]);
        }
    }

    [Fact]
    public void AnUnknownDeviceIsAMistakeOfTheCommandLine()
    {
        Capture run = Capture.Run("doctor", "--device", "tpu");
        Assert.Equal(2, run.ExitCode);
        Assert.Equal("error: --device: 'tpu' is not allowed; give cpu, cuda, cuda:N or debug (see `cald doctor --help`)", run.Error.TrimEnd());
        Assert.Empty(run.Out);
    }

    private static JsonNode[] Rows(Capture run) => [.. run.Out.TrimEnd().Split('\n').Select(l => JsonNode.Parse(l)!)];
}
