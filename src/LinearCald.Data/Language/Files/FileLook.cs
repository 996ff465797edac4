using System.Text;

namespace LinearCald.Data.Language.Files;

/// <summary>What a file is, by its first bytes: for messages about files that are not what they should be.</summary>
internal static class FileLook
{
    private static readonly (byte[] Magic, string What)[] Known =
    [
        ("TNTIDX\0\0"u8.ToArray(), "an index of the older, not memory-mapped kind (TNTIDX): write the data again with the mmap implementation"),
        ("version https://git-lfs"u8.ToArray(), "a Git LFS pointer: the real file was never fetched (git lfs pull)"),
        ([0x93, .. "NUMPY"u8], "a NumPy array"),
        ([0x1F, 0x8B], "gzip: unpack it first"),
        ([0xFD, .. "7zXZ\0"u8], "xz: unpack it first (xz -dk)"),
        ([0x28, 0xB5, 0x2F, 0xFD], "zstd: unpack it first (zstd -d)"),
        ([.. "PK"u8, 3, 4], "a zip archive or a PyTorch file"),
        ("<!DOCTYPE"u8.ToArray(), "a web page: the download went wrong"),
        ("<html"u8.ToArray(), "a web page: the download went wrong"),
    ];

    /// <summary>A few words that fit after "it looks like".</summary>
    public static string Describe(ReadOnlySpan<byte> start)
    {
        if (start.IsEmpty)
            return "an empty file";
        foreach ((byte[] magic, string what) in Known)
        {
            if (start.StartsWith(magic))
                return what;
        }

        if (start.IndexOfAnyExcept((byte)0) < 0)
            return "zeros: an incomplete download";
        return start.ContainsAnyExceptInRange((byte)9, (byte)126) ? $"something else (first bytes {Convert.ToHexString(start[..Math.Min(8, start.Length)])})"
            : $"text (\"{Encoding.ASCII.GetString(start[..Math.Min(16, start.Length)]).ReplaceLineEndings(" ")}…\")";
    }

    /// <summary>The name of the packing that a file's first bytes tell, null for none; with the command that unpacks it.</summary>
    public static (string Name, string Command)? Packing(ReadOnlySpan<byte> start) =>
        start.StartsWith((ReadOnlySpan<byte>)[0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0]) ? ("xz", "xz -dk")
        : start.StartsWith((ReadOnlySpan<byte>)[0x28, 0xB5, 0x2F, 0xFD]) ? ("zstd", "zstd -d")
        : start.StartsWith("PK\u0003\u0004"u8) ? ("zip", "unzip")
        : start.StartsWith("BZh"u8) ? ("bzip2", "bzip2 -dk")
        : null;
}
