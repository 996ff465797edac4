namespace LinearCald.Testing;

/// <summary>Finds <c>tests/fixtures</c> from wherever the tests were built.</summary>
public static class FixtureFolder
{
    private static readonly string Root = Find();

    /// <summary>The path of a fixture file or case, such as <c>seed0/roberta-mlm</c>.</summary>
    public static string PathOf(string name) => Path.Combine(Root, name);

    private static string Find()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string fixtures = Path.Combine(folder.FullName, "tests", "fixtures");
            if (Directory.Exists(fixtures))
                return fixtures;
        }

        throw new DirectoryNotFoundException($"no tests/fixtures above {AppContext.BaseDirectory}");
    }
}
