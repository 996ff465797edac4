using System.Runtime.InteropServices;

namespace LinearCald.Nn.Files;

/// <summary>
/// Makes names durable. A rename survives a power cut only when the folder that holds the name has reached the disk too;
/// .NET has no call for that, so on Unix this asks the C library. On Windows, whose file systems journal names, it does nothing.
/// </summary>
internal static partial class FolderSync
{
    /// <summary>Writes the folder's list of names to the disk, as far as the file system knows how: some network file systems refuse, which is no error.</summary>
    public static void Flush(string folder)
    {
        if (OperatingSystem.IsWindows())
            return;
        int descriptor = Open(folder, 0);
        if (descriptor >= 0)
        {
            _ = Sync(descriptor);
            _ = Close(descriptor);
        }
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Sync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
