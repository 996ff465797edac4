namespace LinearCald.Data.Tasks;

/// <summary>The one entry to all task readers.</summary>
public static class TaskLoader
{
    /// <summary>Reads all parts of a task into memory.</summary>
    /// <exception cref="CaldException">
    /// A part is missing, empty, or damaged; a row has the wrong columns, a label outside the classes, or bytes that are not UTF-8; the
    /// message names the file and the line.
    /// </exception>
    public static TextTask Load(TaskOptions options) => options.Format switch
    {
        TaskFormat.Sample => SampleTasks.Sections(options),
        TaskFormat.Tsv => TsvReader.Read(options),
        TaskFormat.Jsonl => JsonlReader.Read(options),
        TaskFormat.Imdb => ImdbReader.Read(options),
        _ => GlueReader.Read(options),
    };
}
