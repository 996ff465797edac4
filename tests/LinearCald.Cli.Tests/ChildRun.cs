using System.Diagnostics;
using System.Globalization;

namespace LinearCald.Cli.Tests;

/// <summary>`cald` as a process of its own, to be interrupted or killed.</summary>
internal sealed class ChildRun : IDisposable
{
    private readonly Process _process;

    private ChildRun(Process process) => _process = process;

    public static ChildRun Start(params IEnumerable<string> arguments)
    {
        string program = typeof(Capture).Assembly.Location.Replace("LinearCald.Cli.Tests.dll", "cald.dll", StringComparison.Ordinal);
        ProcessStartInfo start = new(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", ["exec", program, .. arguments])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        return new ChildRun(Process.Start(start)!);
    }

    /// <summary>Waits for a file or folder that the process is to write.</summary>
    public void WaitFor(string path)
    {
        for (Stopwatch waited = Stopwatch.StartNew(); !Path.Exists(path); Thread.Sleep(2))
        {
            if (_process.HasExited)
                Assert.Fail($"the process ended with {_process.ExitCode} before {path} was there: {_process.StandardError.ReadToEnd()}");
            Assert.True(waited.Elapsed < TimeSpan.FromMinutes(2), $"{path} never came");
        }
    }

    /// <summary>As kill −9.</summary>
    public void Kill()
    {
        Assert.False(_process.HasExited, "the process had already ended: there was nothing to kill");
        _process.Kill();
        _process.WaitForExit();
    }

    /// <summary>As Ctrl+C; as SIGTERM, which means the same, where the shell that runs the tests in its background has SIGINT ignored.</summary>
    /// <returns>The exit code and what was written.</returns>
    public (int ExitCode, string Output, string Error) Interrupt()
    {
        using (Process kill = Process.Start("kill", [IgnoresInterrupt(_process.Id) ? "-TERM" : "-INT", _process.Id.ToString(CultureInfo.InvariantCulture)]))
            kill.WaitForExit();
        Task<string> output = _process.StandardOutput.ReadToEndAsync();
        string error = _process.StandardError.ReadToEnd();
        _process.WaitForExit();
        return (_process.ExitCode, output.Result, error);
    }

    private static bool IgnoresInterrupt(int process)
    {
        const string Field = "SigIgn:";
        const long InterruptBit = 1 << 1;
        string status = string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/status");
        return File.Exists(status) && File.ReadLines(status).FirstOrDefault(l => l.StartsWith(Field, StringComparison.Ordinal)) is { } line
            && (long.Parse(line.AsSpan(Field.Length).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture) & InterruptBit) != 0;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
    }
}
