using System.IO.Compression;

namespace LinearCald.Data.Speech;

/// <summary>Spoken digit strings that travel with the program, for demonstrations; their origin is told in Samples/README.md.</summary>
public static class SampleSpeech
{
    /// <summary>The name of the sample, for run folders and messages.</summary>
    public const string Name = "digits";

    private static readonly Lazy<string> Unpacked = new(UnpackForThisProcess);

    /// <summary>
    /// A folder with the sample as any other data set of its form has it: transcripts.tsv and FLAC files below it. It is unpacked once a process, below the
    /// system's folder for temporary files, and deleted when the process ends.
    /// </summary>
    public static string Folder => Unpacked.Value;

    /// <summary>The sample as a corpus. <c>speaker</c> can be a target: ten voices, each as often as any other in every part.</summary>
    /// <param name="options">What to read of it; null for recognition of all of it.</param>
    public static SpeechCorpus Read(SpeechOptions? options = null) =>
        SpeechCorpora.Read(SpeechFormat.Transcripts, Folder, options ?? new SpeechOptions()) with { Name = Name };

    /// <summary>Writes the sample into a folder: transcripts.tsv and flac/*.flac.</summary>
    /// <param name="folder">Made if it is not there; files of the same names are replaced.</param>
    public static void Extract(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        using Stream packed = typeof(SampleSpeech).Assembly.GetManifestResourceStream("digits.zip")!;
        using ZipArchive archive = new(packed, ZipArchiveMode.Read);
        archive.ExtractToDirectory(folder, overwriteFiles: true);
    }

    private static string UnpackForThisProcess()
    {
        string folder = Directory.CreateTempSubdirectory("cald-digits-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Delete(folder);
        Extract(folder);
        return folder;
    }

    // At the end of a process nobody is left to be told: what cannot be deleted stays for the system to clear.
    private static void Delete(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }
}
