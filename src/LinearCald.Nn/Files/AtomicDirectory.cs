using Microsoft.Win32.SafeHandles;

namespace LinearCald.Nn.Files;

/// <summary>
/// Writes a folder whole or not at all: files go into <c>NAME.tmp</c>, reach the disk, and then the folder gets its name. An older folder of
/// that name steps aside as <c>NAME.old</c> first; <see cref="Recover"/> puts things right when the process died between the two renames.
/// </summary>
public static class AtomicDirectory
{
    private const string OldSuffix = ".old";

    /// <summary>Replaces <paramref name="path"/> by a folder with the files that <paramref name="fill"/> writes.</summary>
    /// <param name="path">The folder to write; the folders above it are created.</param>
    /// <param name="fill">Gets the path of an empty folder and writes files (and folders) into it.</param>
    /// <exception cref="CaldException">The disk is full, or the folder may not be written. The temporary is gone, the earlier folder as it was.</exception>
    public static void Write(string path, Action<string> fill)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        string parent = Path.GetDirectoryName(full) ?? throw new CaldException($"Cannot write {path}: it is a root folder.");
        string temporary = full + AtomicFile.TemporarySuffix;
        try
        {
            Recover(full);
            Directory.CreateDirectory(temporary);
            fill(temporary);
            Flush(temporary);
            string old = full + OldSuffix;
            if (Directory.Exists(full))
                Directory.Move(full, old);
            Directory.Move(temporary, full);
            FolderSync.Flush(parent);
            Restore(full);
        }
        catch (Exception e)
        {
            Restore(full);
            if (e is IOException or UnauthorizedAccessException)
                throw AtomicFile.Failed(path, parent, 0, e);
            throw;
        }
    }

    /// <summary>Clears what a process that died while writing <paramref name="path"/> left behind: an incomplete new folder goes, an old one returns.</summary>
    public static void Recover(string path)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        Delete(full + AtomicFile.TemporarySuffix);
        string old = full + OldSuffix;
        if (Directory.Exists(old))
        {
            if (Directory.Exists(full))
                Delete(old);
            else
                Directory.Move(old, full);
        }
    }

    /// <summary><see cref="Recover"/> where a failure is not worth reporting.</summary>
    private static void Restore(string full)
    {
        try
        {
            Recover(full);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Leftovers cost only space; the next write tries again.
        }
    }

    private static void Flush(string folder)
    {
        foreach (string file in Directory.EnumerateFiles(folder))
        {
            // Windows syncs only what may be written; elsewhere a file copied from a read-only one is synced as well.
            using SafeFileHandle handle = File.OpenHandle(file, FileMode.Open, OperatingSystem.IsWindows() ? FileAccess.ReadWrite : FileAccess.Read);
            RandomAccess.FlushToDisk(handle);
        }

        foreach (string inner in Directory.EnumerateDirectories(folder))
            Flush(inner);
        FolderSync.Flush(folder);
    }

    private static void Delete(string folder)
    {
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }
}
