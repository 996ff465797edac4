using System.Globalization;
using System.Text;

namespace LinearCald.Nn.Files;

/// <summary>
/// Keeps a run folder for one process. The lock is the open handle of <c>.lock</c>, not the file's existence: when the process ends, however
/// it ends, the system releases it and the next run takes over. <c>.lock.owner</c> says who holds it, for the other run's message.
/// </summary>
public sealed class RunLock : IDisposable
{
    private const string LockName = ".lock";
    private const string OwnerName = ".lock.owner";

    private readonly FileStream _handle;

    private RunLock(FileStream handle) => _handle = handle;

    /// <summary>Takes the folder, creating it when missing.</summary>
    /// <exception cref="CaldException">Another run has it, or it cannot be written.</exception>
    public static RunLock Acquire(string folder)
    {
        string path = Path.Combine(folder, LockName);
        string owner = Path.Combine(folder, OwnerName);
        FileStream handle;
        if (File.Exists(folder))
            throw new CaldException($"Cannot use {folder} as run folder: it is a file. Choose another with --out.");
        try
        {
            Directory.CreateDirectory(folder);
            handle = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or DirectoryNotFoundException or PathTooLongException)
        {
            throw new CaldException($"Cannot use {folder} as run folder: {e.Message} Choose another with --out.", e);
        }
        catch (IOException e) when (File.Exists(path))
        {
            throw new CaldException($"{folder} is in use by another run{Owner(owner)}. Wait until it ends, or choose another folder with --out.", e);
        }
        catch (IOException e)
        {
            throw AtomicFile.Failed(path, folder, 0, e);
        }

        try
        {
            string since = DateTime.UtcNow.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
            AtomicFile.WriteText(owner, $"process {Environment.ProcessId} on {Environment.MachineName}, since {since} UTC");
            return new RunLock(handle);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Gives the folder back. The lock file stays: deleting it could race with a run that has just opened it.</summary>
    public void Dispose() => _handle.Dispose();

    private static string Owner(string path)
    {
        try
        {
            const int Limit = 200;
            string text = File.ReadAllText(path, Encoding.UTF8);
            return text.Length is > 0 and <= Limit ? $" ({text})" : "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return ""; // the other run has just begun, or ended
        }
    }
}
