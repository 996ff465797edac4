using Xunit;

namespace LinearCald.Testing;

/// <summary>A fact that needs shared material which a fresh clone does not have; skipped, with the reason, where it is absent.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SharedFactAttribute : FactAttribute
{
    /// <param name="relativePath">File or folder within the shared material.</param>
    public SharedFactAttribute(string relativePath) => Skip = SharedMaterial.SkipReason(relativePath);
}

/// <summary>A theory that needs shared material; skipped, with the reason, where it is absent.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SharedTheoryAttribute : TheoryAttribute
{
    /// <param name="relativePath">File or folder within the shared material.</param>
    public SharedTheoryAttribute(string relativePath) => Skip = SharedMaterial.SkipReason(relativePath);
}

/// <summary>What the two attributes have in common.</summary>
internal static class SharedMaterial
{
    /// <summary>Null when the material is there.</summary>
    public static string? SkipReason(string relativePath) =>
        TestFiles.InShared(relativePath) is null
            ? $"needs shared/{relativePath} beside the checkout, or {TestFiles.SharedVariable} naming the shared folder"
            : null;
}
