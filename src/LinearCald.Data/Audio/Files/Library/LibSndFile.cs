using System.Reflection;
using System.Runtime.InteropServices;

namespace LinearCald.Data.Audio.Files.Library;

/// <summary>What is used of libsndfile's C interface, version 1.0.25 or later.</summary>
internal static unsafe partial class LibSndFile
{
    /// <summary>Opens for reading.</summary>
    public const int ReadMode = 0x10;

    /// <summary>A command: names the format that <see cref="FormatInfo.Format"/> has.</summary>
    public const int GetFormatInfo = 0x1028;

    /// <summary>The container's part of a format.</summary>
    public const int ContainerMask = 0x0FFF0000;

    /// <summary>The encoding's part of a format.</summary>
    public const int EncodingMask = 0x0000FFFF;

    private const string Library = "sndfile";

    private static readonly string[] s_names =
        OperatingSystem.IsWindows() ? ["sndfile.dll", "libsndfile-1.dll", "libsndfile.dll"]
        : OperatingSystem.IsMacOS() ? ["libsndfile.1.dylib", "libsndfile.dylib", "/opt/homebrew/lib/libsndfile.1.dylib"]
        : ["libsndfile.so.1", "libsndfile.so"];

    private static readonly Lazy<nint> s_handle = new(Load);

    static LibSndFile() => NativeLibrary.SetDllImportResolver(typeof(LibSndFile).Assembly, Resolve);

    /// <summary>The file that is looked for first.</summary>
    public static string FileName => s_names[0];

    /// <summary>Whether the library can be loaded.</summary>
    public static bool IsPresent => s_handle.Value != 0;

    [LibraryImport(Library, EntryPoint = "sf_open_virtual")]
    public static partial nint Open(VirtualFile* file, int mode, StreamInfo* info, nint user);

    [LibraryImport(Library, EntryPoint = "sf_close")]
    public static partial int Close(nint handle);

    [LibraryImport(Library, EntryPoint = "sf_readf_float")]
    public static partial long Read(nint handle, float* samples, long frames);

    [LibraryImport(Library, EntryPoint = "sf_seek")]
    public static partial long Seek(nint handle, long frames, int origin);

    [LibraryImport(Library, EntryPoint = "sf_error")]
    public static partial int Error(nint handle);

    [LibraryImport(Library, EntryPoint = "sf_strerror")]
    public static partial byte* ErrorText(nint handle);

    [LibraryImport(Library, EntryPoint = "sf_command")]
    public static partial int Command(nint handle, int command, void* data, int bytes);

    private static nint Load()
    {
        foreach (string name in s_names)
        {
            if (NativeLibrary.TryLoad(name, out nint handle))
            {
                return handle;
            }
        }

        return 0;
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) => name == Library ? s_handle.Value : 0;

    /// <summary>SF_INFO.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct StreamInfo
    {
        public long Frames;
        public int SampleRate;
        public int Channels;
        public int Format;
        public int Sections;
        public int Seekable;
    }

    /// <summary>SF_FORMAT_INFO.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct FormatInfo
    {
        public int Format;
        public byte* Name;
        public byte* Extension;
    }

    /// <summary>SF_VIRTUAL_IO: how the library reads a file that we hold.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct VirtualFile
    {
        public delegate* unmanaged[Cdecl]<nint, long> Length;
        public delegate* unmanaged[Cdecl]<long, int, nint, long> Seek;
        public delegate* unmanaged[Cdecl]<byte*, long, nint, long> Read;
        public delegate* unmanaged[Cdecl]<byte*, long, nint, long> Write;
        public delegate* unmanaged[Cdecl]<nint, long> Tell;
    }
}
