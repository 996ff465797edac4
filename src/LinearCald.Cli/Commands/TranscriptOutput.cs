using LinearCald.Distillation.Speech.Transcription;
using LinearCald.Nn.Files;

namespace LinearCald.Cli.Commands;

/// <summary>How a transcript is written.</summary>
internal enum TranscriptForm
{
    Text,
    Json,
    Srt,
}

/// <summary>Where transcripts go: standard output, or a file each.</summary>
internal sealed record TranscriptOutput
{
    private readonly Session _session;
    private readonly TranscriptForm _form;
    private readonly string? _folder;
    private readonly bool _several;

    /// <param name="session">Where to print.</param>
    /// <param name="form">What is printed.</param>
    /// <param name="folder">For files; null for standard output.</param>
    /// <param name="files">All recordings.</param>
    /// <exception cref="CaldException">Two recordings would go to one place.</exception>
    public TranscriptOutput(Session session, TranscriptForm form, string? folder, string[] files)
    {
        _session = session;
        _form = form;
        _folder = folder;
        _several = files.Length > 1;
        if (files.Count(f => f == "-") > 1)
            throw new CaldException("standard input (-) can be read once only");
        if (folder is null && _several && form == TranscriptForm.Srt)
            throw new CaldException("subtitles of several recordings need a file each: give --out FOLDER");
        IGrouping<string, string>? clash = folder is null ? null : files.GroupBy(PathOf).FirstOrDefault(group => group.Count() > 1);
        if (clash is not null)
            throw new CaldException($"{string.Join(" and ", clash)} would both be written to {clash.Key}; transcribe them into different folders");
        if (File.Exists(folder))
            throw new CaldException($"--out {folder} is a file; give a folder, into which a file a recording is written");
        if (folder is not null)
            Directory.CreateDirectory(folder);
    }

    /// <summary>Folder of the model.</summary>
    public string Model { get; init; } = "";

    /// <summary>Where it runs.</summary>
    public string Device { get; init; } = "";

    public void Write(TranscribedClip clip)
    {
        string text = _form switch
        {
            TranscriptForm.Json => clip.ToJson(Model, Device) + "\n",
            TranscriptForm.Srt => Subtitles.ToSrt(Subtitles.Group(clip.Words)),
            _ when _several && _folder is null => $"{clip.Name}: {clip.Text}\n",
            _ => clip.Text + "\n",
        };
        if (_folder is null)
        {
            _session.Terminal.Out.Write(text);
            _session.Terminal.Out.Flush();
            return;
        }

        AtomicFile.WriteText(PathOf(clip.Name), text);
    }

    private string PathOf(string file) =>
        Path.Combine(_folder!, Path.GetFileNameWithoutExtension(TranscribeCommand.NameOf(file)) + (_form switch { TranscriptForm.Json => ".json", TranscriptForm.Srt => ".srt", _ => ".txt" }));
}
