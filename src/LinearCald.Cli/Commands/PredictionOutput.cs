using System.Text;
using LinearCald.Nn.Files;

namespace LinearCald.Cli.Commands;

/// <summary>
/// Lines of --predictions. The file is begun before anything is computed, so that a name that cannot be written costs nothing, and it has its name only when it is whole.
/// </summary>
internal sealed class PredictionOutput : IDisposable
{
    private readonly string path;
    private readonly string temporary;
    private StreamWriter? writer;

    private PredictionOutput(string path)
    {
        this.path = path;
        temporary = path + AtomicFile.TemporarySuffix;
        if (Directory.Exists(path))
            throw new CaldException($"Cannot write {path}: it is a folder; give --predictions the name of a file");
        Guard(() => writer = new StreamWriter(temporary, append: false, new UTF8Encoding(false)));
    }

    /// <summary>Begins a file; null stays null.</summary>
    /// <exception cref="CaldException">It cannot be written.</exception>
    public static PredictionOutput? Begin(string? path) => path is null ? null : new PredictionOutput(path);

    /// <exception cref="CaldException">The disk is full.</exception>
    public void Write(IEnumerable<string> lines) => Guard(() =>
    {
        foreach (string line in lines)
            writer!.WriteLine(line);
    });

    /// <summary>Puts the lines in the place of an earlier file.</summary>
    /// <exception cref="CaldException">The disk is full.</exception>
    public void Commit() => Guard(() =>
    {
        writer!.Dispose();
        writer = null;
        File.Move(temporary, path, overwrite: true);
    });

    /// <summary>Without <see cref="Commit"/> nothing is left.</summary>
    public void Dispose()
    {
        if (writer is null)
            return;
        try
        {
            writer.Dispose();
        }
        catch (IOException)
        {
            // What was not flushed is not wanted either: the error that led here is the one to report.
        }

        writer = null;
        File.Delete(temporary);
    }

    private void Guard(Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CaldException($"Cannot write {path}: {e.Message.TrimEnd('.')}. Any earlier file there is unchanged; free some space or give --predictions another name", e);
        }
    }
}
