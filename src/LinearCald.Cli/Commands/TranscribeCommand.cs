using System.CommandLine;
using System.Globalization;
using LinearCald.Data.Audio;
using LinearCald.Data.Speech;
using LinearCald.Distillation.Conversion;
using LinearCald.Distillation.Speech.Transcription;
using LinearCald.Distillation.Training;
using LinearCald.Models.Wav2Vec2;
using LinearCald.Nn;
using LinearCald.Tensors;

namespace LinearCald.Cli.Commands;

/// <summary>`cald transcribe`: text, subtitles or timed words of recordings.</summary>
internal sealed class TranscribeCommand : CaldCommand
{
    private const string StandardInput = "-";

    /// <summary>Samples that are read before they are transcribed together: ten minutes at 16 kHz.</summary>
    private const long SamplesAtOnce = 9_600_000;

    private static readonly Argument<string[]> Files = new("FILE")
    {
        Description = "Recordings: WAV, FLAC, SPHERE; Ogg, MP3 and others where libsndfile is installed. - reads one from standard input",
        Arity = ArgumentArity.OneOrMore,
    };

    private static readonly Option<string> Model = new("--model")
    {
        Description = "Model folder (config.json, safetensors, vocab.json) of a speech recogniser, transformer or student",
        HelpName = "DIR",
        Required = true,
    };

    private static readonly Option<string?> Format = new("--format") { Description = "text (default), json (one object a recording with timed words) or srt (subtitles)", HelpName = "FORM" };

    private static readonly Option<string?> Out = new("--out") { Description = "Write one file a recording into this folder instead of to standard output", HelpName = "DIR" };

    public TranscribeCommand()
        : base(
            "transcribe",
            "Writes down what recordings say, each in one pass of the model however long it is.",
            "--model STUDENT talk.wav",
            "--model STUDENT talk.flac --format srt --out subtitles",
            "--model STUDENT *.wav --json # text, timed words, real-time factor",
            "--model STUDENT --beam 64 --lm words.arpa --lm-weight 0.6 talk.wav",
            "--model STUDENT - < talk.wav")
    {
        CommonOptions.AcceptOnly(Format, "text", "json", "srt");
        Add(Files);
        Add(Model);
        Add(Format);
        Add(Out);
        DecodingOptions.AddTo(this);
        CommonOptions.AddCompute(this);
        Add(CommonOptions.Json);
    }

    public override int Execute(Session session)
    {
        string[] files = session.Arguments.GetRequiredValue(Files);
        TranscriptForm form = FormOf(session);
        string? folder = session.Arguments.GetValue(Out);
        TranscriptOutput output = new(session, form, folder, files);
        string source = ModelSource.Resolve(session.Arguments.GetRequiredValue(Model), "--model FOLDER");
        ModelKinds.RequireRecogniser(source);
        Device device = RunOptions.DeviceOf(session);
        DType? type = session.Arguments.GetValue(CommonOptions.Precision)?.ComputeType();
        SpeechDecoder decoder = DecodingOptions.DecoderOf(session, CharacterVocabulary.Load(source));
        using Wav2Vec2ForCTC model = Wav2Vec2Files.LoadCtc(source, BuildContext.For(device, 0));
        Transcriber transcriber = new(model, device, decoder, type);
        return Run(session, transcriber, files, output with { Model = source, Device = device.Name });
    }

    private static int Run(Session session, Transcriber transcriber, string[] files, TranscriptOutput output)
    {
        using ConsoleProgress progress = session.Progress();
        List<(string Name, AudioClip Audio)> waiting = [];
        long samples = 0;
        int done = 0, failed = 0;
        double seconds = 0, computing = 0;
        foreach (string file in files)
        {
            progress.Show($"reading {file} · {done}/{files.Length} transcribed");
            try
            {
                AudioClip audio = Read(session, file, transcriber.SampleRate);
                transcriber.Check(NameOf(file), audio);
                waiting.Add((NameOf(file), audio));
                samples += audio.Samples.Length;
            }
            catch (Exception e) when (files.Length > 1 && e is CaldException or IOException or UnauthorizedAccessException)
            {
                // The others do not depend on this one; it is in the exit code.
                progress.Clear();
                session.Terminal.Fail(e.Message);
                failed++;
            }

            if (samples >= SamplesAtOnce)
                Flush();
        }

        Flush();
        progress.Clear();
        session.Note(string.Create(CultureInfo.InvariantCulture,
            $"{done} recording{(done == 1 ? "" : "s")}, {Length(seconds)} of audio in {computing:F2} s{(done > 0 ? string.Create(CultureInfo.InvariantCulture, $": real-time factor {computing / seconds:0.0000}") : "")}{(failed > 0 ? $"; {failed} could not be read" : "")}"));
        return failed > 0 ? CommandLine.Failed : CommandLine.Done;

        void Flush()
        {
            progress.Show(string.Create(CultureInfo.InvariantCulture, $"transcribing {Length(samples / (double)transcriber.SampleRate)} · {done}/{files.Length} transcribed"));
            foreach (TranscribedClip clip in transcriber.Transcribe(waiting, (n, _) => progress.Show($"{done + n}/{files.Length} transcribed")))
            {
                progress.Clear();
                output.Write(clip);
                seconds += clip.Seconds;
                computing += clip.ComputeSeconds;
                done++;
            }

            waiting.Clear();
            samples = 0;
        }
    }

    private static AudioClip Read(Session session, string file, int rate)
    {
        if (file != StandardInput)
            return AudioFile.Read(file, rate);
        using Stream input = session.Terminal.Input();
        return AudioFile.Read(input, NameOf(file), rate);
    }

    private static TranscriptForm FormOf(Session session) => (session.Arguments.GetValue(Format), session.Json) switch
    {
        (null or "json", true) or ("json", _) => TranscriptForm.Json,
        (null or "text", false) => TranscriptForm.Text,
        ("srt", false) => TranscriptForm.Srt,
        ({ } other, _) => throw new CaldException($"--json and --format {other} exclude each other; give one of them"),
    };

    private static string Length(double seconds) => seconds < 120
        ? string.Create(CultureInfo.InvariantCulture, $"{seconds:F1} s")
        : string.Create(CultureInfo.InvariantCulture, $"{seconds / 60:F1} min");

    internal static string NameOf(string file) => file == StandardInput ? "stdin" : file;
}
