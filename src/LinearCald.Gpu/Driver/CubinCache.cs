using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace LinearCald.Gpu.Driver;

/// <summary>
/// Assembled kernels on disk, so that a second run starts without assembling. A file a kernel, named by the SHA-256 of PTX text, driver and
/// architecture; its first 32 bytes are the SHA-256 of the rest, so that a damaged file is noticed and written anew. Files appear by renaming, so
/// several processes may share the folder. A folder that cannot be written costs time, never an error.
/// </summary>
internal sealed class CubinCache
{
    private const string Extension = ".cubin";
    private const int ReadsBetweenSizings = 64;
    private int _untilSizing;

    /// <param name="folder">Made when the first entry is written.</param>
    /// <param name="capacity">Bytes above which the entries unused for longest are removed.</param>
    public CubinCache(string folder, long capacity = 512L << 20)
    {
        Folder = folder;
        Capacity = capacity;
    }

    public string Folder { get; }

    public long Capacity { get; }

    /// <summary>XDG_CACHE_HOME/linearcald/kernels, ~/.cache/linearcald/kernels, or the local application data of Windows.</summary>
    public static string DefaultFolder()
    {
        string root;
        if (OperatingSystem.IsWindows())
        {
            root = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData);
        }
        else
        {
            // The specification of these folders tells to ignore relative paths.
            root = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") ?? "";
            if (!Path.IsPathRooted(root))
            {
                root = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
            }
        }

        return Path.Combine(root, "linearcald", "kernels");
    }

    /// <summary>The name under which a text's machine code is kept.</summary>
    /// <param name="ptx">The module's text.</param>
    /// <param name="driver">Version of the driver, whose assembler it is.</param>
    /// <param name="capability">Of the device, as in <see cref="DeviceLimits.Capability"/>.</param>
    public static string Key(string ptx, string driver, int capability)
    {
        string text = string.Create(CultureInfo.InvariantCulture, $"{driver}\n{capability}\n{ptx}");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }

    /// <summary>The machine code of a key, or null when there is none that is intact.</summary>
    public byte[]? Read(string key)
    {
        string path = PathOf(key);
        try
        {
            byte[] file = File.ReadAllBytes(path);
            if (file.Length <= SHA256.HashSizeInBytes ||
                !SHA256.HashData(file.AsSpan(SHA256.HashSizeInBytes)).AsSpan().SequenceEqual(file.AsSpan(0, SHA256.HashSizeInBytes)))
            {
                Remove(key);
                return null;
            }

            File.SetLastWriteTimeUtc(path, DateTime.UtcNow);
            return file[SHA256.HashSizeInBytes..];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Keeps machine code under a key.</summary>
    public void Write(string key, ReadOnlySpan<byte> image)
    {
        string temporary = Path.Combine(Folder, $"{key}.{Environment.ProcessId}.{Guid.NewGuid():N}.tmp");
        try
        {
            Directory.CreateDirectory(Folder);
            using (FileStream file = File.Create(temporary))
            {
                file.Write(SHA256.HashData(image));
                file.Write(image);
            }

            File.Move(temporary, PathOf(key), overwrite: true);
            if (_untilSizing-- <= 0)
            {
                _untilSizing = ReadsBetweenSizings;
                Shrink();
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            TryDelete(temporary);
        }
    }

    /// <summary>Forgets a key, for instance because the driver refused its image.</summary>
    public void Remove(string key) => TryDelete(PathOf(key));

    /// <summary>Bytes and number of the entries.</summary>
    public (long Bytes, int Entries) Size()
    {
        try
        {
            FileInfo[] files = Files();
            return (files.Sum(f => f.Length), files.Count(f => f.Extension == Extension));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return (0, 0);
        }
    }

    /// <summary>Removes the entries unused for longest until three quarters of the capacity are left, and what interrupted writers left behind.</summary>
    public void Shrink()
    {
        FileInfo[] files = Files();
        foreach (FileInfo stale in files.Where(f => f.Extension != Extension && f.LastWriteTimeUtc < DateTime.UtcNow.AddHours(-1)))
        {
            TryDelete(stale.FullName);
        }

        long bytes = files.Sum(f => f.Length);
        if (bytes <= Capacity)
        {
            return;
        }

        foreach (FileInfo file in files.Where(f => f.Extension == Extension).OrderBy(f => f.LastWriteTimeUtc))
        {
            if (bytes <= Capacity / 4 * 3)
            {
                break;
            }

            bytes -= file.Length;
            TryDelete(file.FullName);
        }
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Another process uses it, or the folder is read-only: then it stays.
        }
    }

    private FileInfo[] Files()
    {
        DirectoryInfo folder = new(Folder);
        return folder.Exists ? folder.GetFiles() : [];
    }

    private string PathOf(string key) => Path.Combine(Folder, key + Extension);
}
