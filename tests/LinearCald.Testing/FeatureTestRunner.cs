using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;

namespace LinearCald.Testing;

/// <summary>
/// Runs a test body again in child processes whose runtime is told to leave out instruction sets, so that the narrower paths of a SIMD kernel
/// are tested on any machine. The child checks that the setting took effect before it runs the body.
/// </summary>
public static class FeatureTestRunner
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(3);

    /// <summary>Runs <paramref name="test"/> once a level, each in a process of its own. Levels that this machine lacks are left out.</summary>
    /// <param name="test">A static method without parameters (a method group, not a lambda), public or not; it fails by throwing.</param>
    /// <returns>The levels that ran.</returns>
    /// <exception cref="InvalidOperationException">A child failed; the message holds its output.</exception>
    public static IReadOnlyList<SimdLevel> Run(Action test, params SimdLevel[] levels)
    {
        MethodInfo method = test.Method;
        if (!method.IsStatic || method.DeclaringType is null)
        {
            throw new ArgumentException($"{method.Name} must be a static method: the child process calls it by name.", nameof(test));
        }

        SimdLevel[] possible = [.. levels.Where(SimdLevels.IsPossible)];
        foreach (SimdLevel level in possible)
        {
            RunChild(method, level);
        }

        return possible;
    }

    private static void RunChild(MethodInfo method, SimdLevel level)
    {
        string assembly = method.Module.FullyQualifiedName;
        ProcessStartInfo start = new(HostPath()) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        string[] arguments =
        [
            "exec",
            "--depsfile", Path.ChangeExtension(assembly, ".deps.json"),
            "--runtimeconfig", Path.ChangeExtension(assembly, ".runtimeconfig.json"),
            Path.Combine(Path.GetDirectoryName(assembly)!, typeof(FeatureTestRunner).Assembly.GetName().Name + ".dll"),
            assembly, method.DeclaringType!.FullName!, method.Name, level.ToString(),
        ];
        Array.ForEach(arguments, start.ArgumentList.Add);
        Array.ForEach(SimdLevels.Variables, name => start.Environment.Remove(name));
        if (SimdLevels.Variable(level) is { } variable)
        {
            start.Environment[variable.Name] = variable.Value;
        }

        using Process child = Process.Start(start) ?? throw new InvalidOperationException($"Could not start {start.FileName}.");
        Task<string> output = child.StandardOutput.ReadToEndAsync();
        Task<string> error = child.StandardError.ReadToEndAsync();
        if (!child.WaitForExit(s_limit))
        {
            child.Kill(entireProcessTree: true);
            throw new InvalidOperationException($"{method.Name} at {level} did not end within {s_limit.TotalSeconds:0} s.");
        }

        string said = output.GetAwaiter().GetResult() + error.GetAwaiter().GetResult();
        if (child.ExitCode != 0)
        {
            throw new InvalidOperationException($"{method.Name} failed at {level} (exit code {child.ExitCode}):\n{said}");
        }
    }

    /// <summary>The <c>dotnet</c> that hosts this process's own runtime: three folders above it.</summary>
    private static string HostPath() => Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../..", OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet"));
}
