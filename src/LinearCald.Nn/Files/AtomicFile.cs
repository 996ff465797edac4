using System.Text;

namespace LinearCald.Nn.Files;

/// <summary>
/// Writes a file whole or not at all: into <c>NAME.tmp</c> beside it, then to the disk, then renamed over the old one. Whoever opens the file,
/// after whatever crash, finds the old contents or the new ones. A temporary left by a killed process is overwritten by the next write.
/// </summary>
public static class AtomicFile
{
    /// <summary>What is appended to the name while the contents are incomplete.</summary>
    public const string TemporarySuffix = ".tmp";

    /// <summary>Replaces <paramref name="path"/> by what <paramref name="write"/> puts into the stream. Creates the folder when it is missing.</summary>
    /// <param name="path">The file to write.</param>
    /// <param name="byteCount">How many bytes will come, reserved on the disk beforehand; 0 when unknown.</param>
    /// <param name="write">Writes the contents from start to end.</param>
    /// <exception cref="CaldException">The disk is full, or the folder may not be written. The temporary is gone, the earlier file as it was.</exception>
    public static void Write(string path, long byteCount, Action<Stream> write)
    {
        string full = Path.GetFullPath(path);
        string folder = Path.GetDirectoryName(full) ?? throw new CaldException($"Cannot write {path}: it is a root folder, not a file name.");
        string temporary = full + TemporarySuffix;
        long written = 0;
        try
        {
            Directory.CreateDirectory(folder);
            using (FileStream stream = new(temporary, new FileStreamOptions
            {
                Mode = FileMode.Create,
                Access = FileAccess.Write,
                Share = FileShare.None,
                PreallocationSize = byteCount,
            }))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
                written = stream.Length;
            }

            File.Move(temporary, full, overwrite: true);
        }
        catch (Exception e)
        {
            Delete(temporary);
            if (e is IOException or UnauthorizedAccessException)
                throw Failed(path, folder, Math.Max(byteCount, written), e);
            throw;
        }

        FolderSync.Flush(folder);
    }

    /// <summary>Replaces <paramref name="path"/> by UTF-8 text.</summary>
    public static void WriteText(string path, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Write(path, bytes.Length, stream => stream.Write(bytes));
    }

    /// <summary>The message for a write that the system refused: how much was needed, how much there is, and what to do.</summary>
    internal static CaldException Failed(string path, string folder, long byteCount, Exception cause)
    {
        long? free = FreeBytes(folder);
        string reason = IsDiskFull(cause) || byteCount > free ? "the disk is full" : cause.Message.TrimEnd('.');
        string space = (byteCount > 0, free) switch
        {
            (true, long bytes) => $" {byteCount} bytes are needed, {bytes} are free.",
            (true, null) => $" {byteCount} bytes are needed.",
            (false, long bytes) => $" {bytes} bytes are free.",
            _ => "",
        };
        return new CaldException(
            $"Cannot write {path}: {reason}.{space} Any earlier file there is unchanged. " +
            "Free some space or choose a folder that may be written, then run the command again.",
            cause);
    }

    /// <summary>ENOSPC on Unix; ERROR_DISK_FULL or ERROR_HANDLE_DISK_FULL on Windows.</summary>
    private static bool IsDiskFull(Exception cause) =>
        cause is IOException && (OperatingSystem.IsWindows() ? (cause.HResult & 0xFFFF) is 112 or 39 : cause.HResult == 28);

    private static long? FreeBytes(string folder)
    {
        try
        {
            return new DriveInfo(folder).AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }

    private static void Delete(string temporary)
    {
        try
        {
            File.Delete(temporary);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The cause is about to be reported; the next write removes the temporary.
        }
    }
}
