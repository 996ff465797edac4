using System.Globalization;
using LinearCald.Data.Tokenizers;
using LinearCald.Data.ZeroShot;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Reporting;
using LinearCald.Distillation.Scoring;
using LinearCald.Distillation.Training;
using LinearCald.Models.Language;
using LinearCald.Nn;
using LinearCald.Tensors;

namespace LinearCald.Cli.Commands;

/// <summary>The part of `cald eval` that is for language models.</summary>
internal static class LanguageEvaluation
{
    private const string Perplexity = "perplexity";

    /// <summary>What was asked for.</summary>
    public sealed record Request(string Folder, string? Task, string? Data, string Split, int? Limit, int? BatchSize, int? Context, string? Predictions, string? Against);

    /// <summary>Evaluates and prints.</summary>
    /// <returns>The exit code.</returns>
    public static int Run(Session session, Request request)
    {
        if (request.Task is null)
            throw new CaldException($"{request.Folder} has a language model: give --task perplexity, or zero-shot tasks ({string.Join(", ", ZeroShotTasks.Published)}), or all");
        if (request.Data is null)
            throw new CaldException($"--task {request.Task} needs --data: a text file or folder for perplexity, the folder of the tasks' JSON-lines files otherwise");
        if (request.Task == Perplexity && (request.Predictions ?? request.Against) is not null)
            throw new CaldException($"--{(request.Predictions is null ? "against" : "predictions")} is for zero-shot tasks, which have answers; perplexity has none");
        IReadOnlyList<ZeroShotTask>? tasks = request.Task == Perplexity ? null : LoadTasks(request.Task, request.Data);
        if (request.Predictions is not null && request.Predictions == request.Against)
            throw new CaldException($"--predictions and --against both name {request.Against}, which would be overwritten before it is compared with");
        PredictionFile? against = request.Against is { } file ? PredictionFile.Read(file) : null;
        Device device = RunOptions.DeviceOf(session);
        DType? type = session.Arguments.GetValue(CommonOptions.Precision)?.ComputeType();
        Tokenizer tokenizer = Tokenizer.Load(request.Folder);
        using CausalLanguageModel model = LanguageModelFiles.Load(request.Folder, BuildContext.For(device, 0));
        LanguageTarget target = new(session, request, new TokenScorer(model, device, type), new RequestEncoder(tokenizer), against);
        return tasks is null ? PerplexityEvaluation.Run(target, tokenizer, request.Split) : Answer(target, tasks);
    }

    private static List<ZeroShotTask> LoadTasks(string names, string data)
    {
        if (File.Exists(data))
            return [ZeroShotTasks.LoadFile(data, names.Contains(',', StringComparison.Ordinal) || names == "all" ? null : names)];
        IReadOnlyList<string> wanted = names == "all" ? ZeroShotTasks.In(data) : names.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return wanted.Count > 0 ? [.. wanted.Select(name => Load(data, name))] : throw new CaldException($"{data}: no file of a known task; they are called {string.Join(", ", ZeroShotTasks.Known.Select(n => n + ".jsonl"))}");
    }

    private static ZeroShotTask Load(string folder, string name)
    {
        try
        {
            return ZeroShotTasks.Load(folder, name);
        }
        catch (CaldException e) when (NearestName.Find(name, ZeroShotTasks.Known.Append(Perplexity)) is { } near && near != name)
        {
            throw new CaldException($"{e.Message}; did you mean '{near}'?", e);
        }
    }

    private static int Answer(LanguageTarget target, IReadOnlyList<ZeroShotTask> tasks)
    {
        (Session session, Request request, TokenScorer scorer, RequestEncoder encoder, _) = target;
        ZeroShotEvaluator evaluator = new(new LikelihoodScorer(scorer, new LikelihoodOptions { BatchSize = request.BatchSize, Context = request.Context }), encoder);
        using ConsoleProgress progress = session.Progress();
        using PredictionOutput? predictions = PredictionOutput.Begin(request.Predictions);
        List<ZeroShotResult> results = [];
        List<PredictionComparison> comparisons = [];
        foreach (ZeroShotTask task in tasks)
        {
            ZeroShotResult result = evaluator.Evaluate(task, request.Limit, (done, all) => progress.Show($"{task.Name} {done}/{all}"));
            results.Add(result);
            predictions?.Write(result.Answers.Select(answer => answer.ToJson(task.Name)));
            if (target.Against is { } other)
                comparisons.Add(other.Compare(result));
            progress.Clear();
            if (session.Json)
                WriteRows(target, result);
        }

        predictions?.Commit();
        if (session.Json)
        {
            if (results.Count > 1)
                session.Terminal.Out.WriteLine(target.Row("mean", "acc", ZeroShotTable.MeanAccuracy(results)).Add("tasks", results.Count));
            foreach (PredictionComparison c in comparisons)
                session.Terminal.Out.WriteLine(new JsonLine().Add("compared", c.Task).Add("examples", c.Examples).Add("different", c.Differences.Count).Add("largest_error", c.LargestError));
        }
        else
        {
            session.Terminal.Out.Write(ZeroShotTable.Of(results));
            session.Terminal.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"mean acc {ZeroShotTable.MeanAccuracy(results):F4} over {results.Count} task(s); {results.Sum(r => r.Answers.Count)} questions in {results.Sum(r => r.Seconds):F1} s; {scorer.Model.ParameterCount():N0} parameters"));
            foreach (PredictionComparison c in comparisons)
                session.Terminal.Out.WriteLine(Text(c));
        }

        return comparisons.Any(c => c.Differences.Count > 0) ? CommandLine.Failed : CommandLine.Done;
    }

    private static void WriteRows(LanguageTarget target, ZeroShotResult result)
    {
        foreach (ZeroShotFigure figure in result.Figures)
        {
            target.Session.Terminal.Out.WriteLine(target.Row(result.Task, ZeroShotTable.NameOf(figure.Metric), figure.Value)
                .Add("stderr", figure.StandardError).Add("examples", result.Answers.Count).Add("seconds", Math.Round(result.Seconds, 3)));
        }

        target.Session.Terminal.Out.Flush();
    }

    private static string Text(PredictionComparison c) => string.Create(CultureInfo.InvariantCulture,
        $"{c.Task}: {c.Examples} answers compared, {c.Differences.Count} differ{(c.Differences.Count == 0 ? "" : $" (line {string.Join(", ", c.Differences.Take(10))}{(c.Differences.Count > 10 ? ", …" : "")})")}; largest error of a log-likelihood {c.LargestError:0.0e-0}");
}
