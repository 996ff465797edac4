namespace LinearCald.Distillation.Tests;

/// <summary>A fact over golden fixtures that are not part of the sources; skipped, with the reason, where the environment names no folder of them.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class GoldenFolderFactAttribute : FactAttribute
{
    private const string Variable = "LINEARCALD_FIXTURES";

    public GoldenFolderFactAttribute()
    {
        if (Folder is null)
        {
            Skip = $"needs {Variable} in the environment, naming a folder of golden fixtures";
        }
    }

    /// <summary>The folder; null when there is none.</summary>
    public static string? Folder => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } folder ? folder : null;
}
