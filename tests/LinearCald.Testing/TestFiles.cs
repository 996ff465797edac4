namespace LinearCald.Testing;

/// <summary>Where tests find files: in the checkout they were built from, and in the shared material that may stand beside it.</summary>
public static class TestFiles
{
    /// <summary>Names the folder of the shared material when it does not stand beside the checkout.</summary>
    public const string SharedVariable = "CALD_SHARED";

    private static readonly Lazy<string> RootFolder = new(FindRoot);

    /// <summary>A file or folder of the checkout, by its path from the root.</summary>
    public static string InCheckout(string relativePath) => Path.Combine(RootFolder.Value, relativePath);

    /// <summary>
    /// A file or folder of the shared material, or null where it is absent: under the folder that <see cref="SharedVariable"/> names, else
    /// under a folder <c>shared</c> in any folder above the checkout.
    /// </summary>
    public static string? InShared(string relativePath)
    {
        if (Environment.GetEnvironmentVariable(SharedVariable) is { Length: > 0 } named)
        {
            return Existing(Path.Combine(named, relativePath));
        }

        for (DirectoryInfo? folder = new DirectoryInfo(RootFolder.Value).Parent; folder is not null; folder = folder.Parent)
        {
            if (Existing(Path.Combine(folder.FullName, "shared", relativePath)) is { } found)
            {
                return found;
            }
        }

        return null;
    }

    private static string? Existing(string path) => Directory.Exists(path) || File.Exists(path) ? path : null;

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "LinearCald.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"no LinearCald.sln above {AppContext.BaseDirectory}: tests run from within the checkout");
    }
}
