using System.IO.Compression;
using System.Text;
using LinearCald.Data.Tasks;

namespace LinearCald.Data.Tests.Tasks;

/// <summary>A temporary folder of data files.</summary>
internal sealed class TaskFolder : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public string Path => _folder.Path;

    /// <summary>Writes lines, each ended by LF.</summary>
    public TaskFolder With(string name, params string[] lines) => WithBytes(name, Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => line + "\n"))));

    public TaskFolder WithBytes(string name, byte[] bytes)
    {
        _folder.Write(name, bytes);
        return this;
    }

    public TaskFolder WithGzip(string name, params string[] lines)
    {
        using MemoryStream packed = new();
        using (GZipStream gzip = new(packed, CompressionLevel.Fastest))
            gzip.Write(Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => line + "\n"))));
        return WithBytes(name, packed.ToArray());
    }

    public TextTask Load(TaskFormat format, Func<TaskOptions, TaskOptions>? change = null)
    {
        TaskOptions options = new() { Format = format, Folder = Path };
        return TaskLoader.Load(change is null ? options : change(options));
    }

    /// <summary>Loads what cannot be loaded, and checks that the message says these things.</summary>
    public void Refuses(TaskFormat format, Func<TaskOptions, TaskOptions>? change, params string[] said)
    {
        CaldException error = Assert.Throws<CaldException>(() => Load(format, change));
        Assert.All(said, part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
    }

    public void Dispose() => _folder.Dispose();
}
