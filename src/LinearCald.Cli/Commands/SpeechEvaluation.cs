using System.CommandLine;
using System.Globalization;
using LinearCald.Data.Speech;
using LinearCald.Data.Speech.Scoring;
using LinearCald.Distillation.Reporting;
using LinearCald.Distillation.Speech.Evaluation;
using LinearCald.Distillation.Speech.Transcription;
using LinearCald.Distillation.Training;
using LinearCald.Models.Wav2Vec2;
using LinearCald.Nn;
using LinearCald.Tensors;

namespace LinearCald.Cli.Commands;

/// <summary>The part of `cald eval` that is for speech models.</summary>
internal static class SpeechEvaluation
{
    private const string Recognition = "speech-recognition";
    private const string Classification = "speech-classification";

    private static readonly Dictionary<string, SpeechFormat?> Formats = new()
    {
        ["transcripts"] = SpeechFormat.Transcripts,
        ["ted-lium"] = SpeechFormat.TedLium,
        ["slurp"] = SpeechFormat.Slurp,
        ["vox-celeb"] = SpeechFormat.VoxCeleb,
        ["libri-speech"] = SpeechFormat.LibriSpeech,
        ["speech-sample"] = null,
    };

    private static readonly Option<string?> Format = new("--format")
    {
        Description = $"Speech: form of the corpus: {string.Join(", ", Formats.Keys)} (the digits that travel with the program; no --data) (default: transcripts)",
        HelpName = "FORM",
    };

    private static readonly Option<string[]> Target = new("--target")
    {
        Description = "Speech: column or field of what the model tells, where its config.json has no names; in its order, once a target (speaker, scenario, …)",
        HelpName = "NAME",
        AllowMultipleArgumentsPerToken = false,
    };

    private static readonly Option<string?> Language = new("--language") { Description = "Speech: only utterances of this language, where the corpus names one", HelpName = "LANG" };

    private static readonly Option<bool> SkipBad = new("--skip-bad") { Description = "Speech: leave out utterances that cannot be used and count them, instead of an error that lists them" };

    private static readonly Option<int?> Worst = CommonOptions.WholeNumber("--worst", "Speech: show the N utterances with most words wrong, aligned word by word (default: 0)", 0, int.MaxValue);

    /// <summary>Those that only speech models have.</summary>
    public static IEnumerable<Option> Options => [Format, Target, Language, SkipBad, Worst, .. DecodingOptions.All];

    public static void AddTo(Command command)
    {
        CommonOptions.AcceptOnly(Format, [.. Formats.Keys]);
        foreach (Option option in Options)
            command.Add(option);
    }

    /// <summary>What was asked for.</summary>
    public sealed record Request(string Folder, string? Task, string? Data, string Split, int? Limit, int? BatchSize, string? Predictions);

    /// <summary>Evaluates and prints.</summary>
    /// <returns>The exit code.</returns>
    public static int Run(Session session, Request request)
    {
        bool recogniser = ModelKinds.IsRecogniser(request.Folder);
        string can = recogniser ? Recognition : Classification;
        if (request.Task is not null && request.Task != can)
            throw new CaldException($"{request.Folder} has a speech {(recogniser ? "recogniser" : "classifier")}: --task is {can} (or left out), not {request.Task}");
        IEnumerable<Option> foreign = recogniser ? [Target] : [Worst, .. DecodingOptions.All];
        if (foreign.FirstOrDefault(session.IsGiven) is { } option)
            throw new CaldException($"{option.Name} does not go with {request.Folder}, which has a speech {(recogniser ? "recogniser" : "classifier")} (see `cald eval --help`)");
        Device device = RunOptions.DeviceOf(session);
        SpeechEvaluationOptions options = new() { ComputeType = session.Arguments.GetValue(CommonOptions.Precision)?.ComputeType() };
        if (request.BatchSize is { } size)
            options = options with { Batches = new SpeechBatchRule(size) };
        return recogniser ? Recognise(session, request, device, options) : Classify(session, request, device, options);
    }

    private static int Recognise(Session session, Request request, Device device, SpeechEvaluationOptions options)
    {
        SpeechDecoder decoder = DecodingOptions.DecoderOf(session, CharacterVocabulary.Load(request.Folder));
        IReadOnlyList<SpeechExample> examples = Read(session, request, Wav2Vec2Config.Read(request.Folder), []);
        if (examples.All(e => e.Transcript.Length == 0))
            throw new CaldException($"{request.Data ?? "the corpus"} has no transcripts to compare with; choose another corpus, or use `cald transcribe`");
        using PredictionOutput? predictions = PredictionOutput.Begin(request.Predictions);
        using Wav2Vec2ForCTC model = Wav2Vec2Files.LoadCtc(request.Folder, BuildContext.For(device, 0));
        using ConsoleProgress progress = session.Progress();
        RecognitionResult result = SpeechEvaluator.Recognise(model, device, examples, decoder, options with { Progress = Show(progress) });
        progress.Clear();
        predictions?.Write(result.Utterances.Select(u => u.ToJson()));
        predictions?.Commit();
        Rows rows = new(session, model.Config.BiMamba2 is null ? "teacher" : "student", request.Split, examples.Count, result.Seconds, result.AudioSeconds, model.ParameterCount());
        int worst = session.Arguments.GetValue(Worst) ?? 0;
        if (session.Json)
        {
            rows.Print("wer", result.Report.Words);
            rows.Print("cer", result.Report.Characters);
        }
        else
        {
            result.Report.Write(session.Terminal.Out, worst);
        }

        rows.Print("loss", result.Loss, isFraction: false, result.Infeasible);
        rows.End();
        return CommandLine.Done;
    }

    private static int Classify(Session session, Request request, Device device, SpeechEvaluationOptions options)
    {
        Wav2Vec2Config config = Wav2Vec2Config.Read(request.Folder);
        SpeechTarget[] targets = Named(session, config, request.Folder);
        IReadOnlyList<SpeechExample> examples = Read(session, request, config, targets);
        using PredictionOutput? predictions = PredictionOutput.Begin(request.Predictions);
        using Wav2Vec2ForSequenceClassification model = Wav2Vec2Files.LoadClassifier(request.Folder, BuildContext.For(device, 0));
        using ConsoleProgress progress = session.Progress();
        ClassificationResult result = SpeechEvaluator.Classify(model, device, examples, options with { Progress = Show(progress) });
        progress.Clear();
        predictions?.Write(result.Utterances.Select(u => u.ToJson(targets)));
        predictions?.Commit();
        Rows rows = new(session, model.Config.BiMamba2 is null ? "teacher" : "student", request.Split, examples.Count, result.Seconds, result.AudioSeconds, model.ParameterCount());
        foreach ((string metric, double value) in result.Metrics)
            rows.Print(metric, value, isFraction: true);
        rows.Print("loss", result.Loss, isFraction: false);
        rows.End();
        return CommandLine.Done;
    }

    private static IReadOnlyList<SpeechExample> Read(Session session, Request request, Wav2Vec2Config config, IReadOnlyList<SpeechTarget> targets)
    {
        ProblemRule rule = session.Arguments.GetValue(SkipBad) ? ProblemRule.Skip : ProblemRule.Error;
        SpeechOptions options = new()
        {
            Targets = [.. targets.Select(t => t.Name)],
            Classes = targets,
            Language = session.Arguments.GetValue(Language),
            Frames = config.Frames,
            ReceptiveField = config.ReceptiveField,
            MissingFiles = rule,
            UnreadableFiles = rule,
            ShortClips = rule,
        };
        string form = session.Arguments.GetValue(Format) ?? "transcripts";
        SpeechCorpus corpus;
        if (Formats[form] is { } format)
        {
            corpus = SpeechCorpora.Read(
                format, request.Data ?? throw new CaldException("evaluating a speech model needs --data FOLDER, the folder of the corpus, or --format speech-sample"), options);
        }
        else
        {
            corpus = request.Data is null ? SampleSpeech.Read(options) : throw new CaldException("--format speech-sample travels with the program and takes no --data");
        }

        foreach (string note in corpus.Notes)
            session.Note(note);
        IReadOnlyList<SpeechExample> part = request.Split switch { "train" => corpus.Parts.Train, "test" => corpus.Parts.Test, _ => corpus.Parts.Validation };
        return part.Count == 0
            ? throw new CaldException($"{corpus.Name} has no utterances in its {request.Split} part; it has train {corpus.Parts.Train.Count}, validation {corpus.Parts.Validation.Count}, test {corpus.Parts.Test.Count}")
            : [.. part.Take(request.Limit ?? int.MaxValue)];
    }

    // A model of HuggingFace has classes but no name for what they are.
    private static SpeechTarget[] Named(Session session, Wav2Vec2Config config, string folder)
    {
        string[] names = session.Arguments.GetValue(Target) is { Length: > 0 } given ? given : [.. config.Targets.Select(t => t.Name)];
        if (names.Length != config.Targets.Count)
            throw new CaldException($"{folder} tells {config.Targets.Count} thing{(config.Targets.Count == 1 ? "" : "s")}, and --target names {names.Length}");
        return names.Contains(ClassificationTarget.Unnamed)
            ? throw new CaldException($"{folder} has {config.Targets[0].Labels.Count} classes without a name for what they are: give --target, for example --target speaker")
            : [.. config.Targets.Zip(names, (target, name) => new SpeechTarget(name, target.Labels))];
    }

    private static Action<int, int> Show(ConsoleProgress progress) => (done, all) => progress.Show($"{done}/{all} utterances");

    /// <summary>The rows of one evaluation.</summary>
    private sealed record Rows(Session Session, string Mode, string Split, int Examples, double Seconds, double AudioSeconds, long Parameters)
    {
        public void Print(string metric, EditScore score) => Session.Terminal.Out.WriteLine(Row(metric, score.Rate)
            .Add("substitutions", score.Substitutions).Add("insertions", score.Insertions).Add("deletions", score.Deletions).Add("reference", score.ReferenceLength));

        public void Print(string metric, double value, bool isFraction, int infeasible = 0)
        {
            if (Session.Json)
                Session.Terminal.Out.WriteLine(Row(metric, value).Add("infeasible", infeasible > 0 ? infeasible : null));
            else
                Session.Terminal.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{metric,-9} {(isFraction ? $"{100 * value:F2} %" : $"{value:F4}")}{(infeasible > 0 ? $" ({infeasible} transcripts do not fit their frames)" : "")}"));
        }

        public void End()
        {
            if (!Session.Json)
            {
                Session.Terminal.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{Examples} {Split} utterances, {AudioSeconds / 60:F1} min of audio, in {Seconds:F1} s (real-time factor {Seconds / AudioSeconds:0.0000})"));
            }
        }

        private JsonLine Row(string metric, double value) => new JsonLine().Add("mode", Mode).Add("metric", metric).Add("value", value).Add("split", Split)
            .Add("examples", Examples).Add("seconds", Math.Round(Seconds, 3)).Add("parameters", Parameters)
            .Add("audio_seconds", Math.Round(AudioSeconds, 2)).Add("real_time_factor", Math.Round(Seconds / AudioSeconds, 5));
    }
}
