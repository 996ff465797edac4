using System.Diagnostics;

namespace LinearCald.Gpu.Tests;

public sealed class ReadmeTests
{
    private static readonly string Root = FindRoot();

    [Fact]
    public void Shows_the_sample_that_is_built()
    {
        string readme = File.ReadAllText(Path.Combine(Root, "src", "LinearCald.Gpu", "README.md"));
        string program = File.ReadAllText(Path.Combine(Root, "samples", "FirstKernels", "Program.cs"));
        Assert.Contains(program, readme, StringComparison.Ordinal);
    }

    [Fact]
    public void The_sample_prints_what_the_readme_says()
    {
        string readme = File.ReadAllText(Path.Combine(Root, "src", "LinearCald.Gpu", "README.md"));
        using Process process = Process.Start(new ProcessStartInfo("dotnet", [typeof(FirstKernels).Assembly.Location, "debug"]) { RedirectStandardOutput = true })!;
        string printed = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        Assert.Contains(printed.Trim(), readme, StringComparison.Ordinal);
    }

    private static string FindRoot()
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "LinearCald.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("the tests run outside of the repository");
        }

        return folder;
    }
}
