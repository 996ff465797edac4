using LinearCald.Data.Tasks.Files;

namespace LinearCald.Data.Tasks;

/// <summary>Samples that travel with the program; their origin is told in Samples/README.md.</summary>
public static class SampleTasks
{
    /// <summary>The archive section of a software package from its description; single texts of up to 250 characters.</summary>
    public static TextTask Sections() => Sections(new TaskOptions());

    /// <summary>The same, with the row limits, the held-out rows and the class order of <paramref name="options"/>.</summary>
    internal static TextTask Sections(TaskOptions options)
    {
        options.RefuseColumns();
        RawPart train = Read("sections-train.tsv.gz");
        return TaskAssembly.Assemble(
            options, "sections", ClassNames.Of(options, train), train, options.HeldOutRows > 0 ? null : Read("sections-valid.tsv.gz"), null, []);
    }

    private static RawPart Read(string name) => TsvReader.ReadPart(
        $"sample {name}", TextLineReader.Read(name, () => typeof(SampleTasks).Assembly.GetManifestResourceStream(name)!));
}
