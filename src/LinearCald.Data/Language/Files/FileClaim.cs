namespace LinearCald.Data.Language.Files;

/// <summary>
/// Keeps something for one process: the open handle of a lock file. When the process ends, however it ends, the system gives it free. The
/// file stays: deleting it could race with a process that has just opened it.
/// </summary>
internal sealed class FileClaim : IDisposable
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);

    private readonly FileStream _handle;

    private FileClaim(FileStream handle) => _handle = handle;

    /// <summary>Takes the lock file at <paramref name="path"/>, waiting while another process has it.</summary>
    /// <param name="path">The file; its folder must exist.</param>
    /// <param name="waiting">Called now and then while it waits.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public static FileClaim Take(string path, Action waiting, CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                return new FileClaim(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0));
            }
            catch (UnauthorizedAccessException e)
            {
                throw new CaldException($"{path} cannot be written: {e.Message} Choose another cache folder.", e);
            }
            catch (IOException e) when (!File.Exists(path))
            {
                throw new CaldException($"{path} cannot be written: {e.Message} Choose another cache folder.", e);
            }
            catch (IOException)
            {
                waiting();
                cancellation.WaitHandle.WaitOne(Poll);
                cancellation.ThrowIfCancellationRequested();
            }
        }
    }

    public void Dispose() => _handle.Dispose();
}
