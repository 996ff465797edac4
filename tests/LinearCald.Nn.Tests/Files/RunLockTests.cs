using System.Diagnostics;
using System.Globalization;
using LinearCald.Nn.Files;

namespace LinearCald.Nn.Tests.Files;

public class RunLockTests
{
    [Fact]
    public void A_second_run_on_the_folder_is_refused_until_the_first_ends()
    {
        using TemporaryFolder folder = new();
        using (RunLock.Acquire(folder["run"]))
        {
            CaldException error = Assert.Throws<CaldException>(() => RunLock.Acquire(folder["run"]));
            Assert.Contains($"in use by another run (process {Environment.ProcessId} on ", error.Message, StringComparison.Ordinal);
            Assert.Contains("--out", error.Message, StringComparison.Ordinal);
        }

        RunLock.Acquire(folder["run"]).Dispose();
    }

    [Fact]
    public void The_lock_of_a_killed_process_is_taken_over()
    {
        using TemporaryFolder folder = new();
        using Process other = StartHolder(folder.Path);
        try
        {
            Assert.Equal("held", other.StandardOutput.ReadLine());
            string message = Assert.Throws<CaldException>(() => RunLock.Acquire(folder.Path)).Message;
            Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"process {other.Id} on "), message, StringComparison.Ordinal);
        }
        finally
        {
            other.Kill(); // as kill -9
        }

        Assert.True(other.WaitForExit(10_000));
        RunLock.Acquire(folder.Path).Dispose();
    }

    [Fact]
    public void Leftover_lock_files_do_not_lock()
    {
        using TemporaryFolder folder = new();
        folder.Write(".lock", []);
        folder.Write(".lock.owner", "process 1 on elsewhere"u8);
        RunLock.Acquire(folder.Path).Dispose();
    }

    [Fact]
    public void A_file_is_no_run_folder()
    {
        using TemporaryFolder folder = new();
        Assert.Contains("it is a file", Assert.Throws<CaldException>(() => RunLock.Acquire(folder.Write("run", []))).Message, StringComparison.Ordinal);
    }

    /// <summary>This test assembly as a program of its own; see <see cref="LockHolder"/>.</summary>
    private static Process StartHolder(string folder)
    {
        string assembly = typeof(RunLockTests).Assembly.Location;
        ProcessStartInfo start = new(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", ["exec", assembly, folder])
        {
            RedirectStandardOutput = true,
        };
        return Process.Start(start)!;
    }
}
