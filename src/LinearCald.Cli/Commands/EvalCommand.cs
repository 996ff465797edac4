using System.CommandLine;
using LinearCald.Data.Tokenizers;
using LinearCald.Distillation.Classification;
using LinearCald.Distillation.Conversion;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Reporting;
using LinearCald.Distillation.Training;
using LinearCald.Models.Roberta;
using LinearCald.Nn;
using LinearCald.Tensors;

namespace LinearCald.Cli.Commands;

/// <summary>`cald eval`: metrics of a saved classifier; perplexity and zero-shot tasks of a saved language model; error rates and accuracy of a saved speech model.</summary>
internal sealed class EvalCommand : CaldCommand
{
    private static readonly Option<string> Model = new("--model")
    {
        Description = "Model folder (config.json, safetensors, tokenizer), of a teacher or a student",
        HelpName = "DIR",
        Required = true,
    };

    private static readonly Option<string?> Task = new("--task")
    {
        Description = "Classifier: recipe whose task to evaluate on, an embedded name such as glue/qnli or a file (default: demo). "
            + "Language model: perplexity, or zero-shot tasks such as lambada_openai,piqa, or all of those in --data. "
            + "Speech model: speech-recognition or speech-classification (default: what it can)",
        HelpName = "TASK",
    };

    private static readonly Option<string> Split = new("--split")
    {
        Description = "Part of the data of a classifier or speech model, or of a corpus folder: validation, test or train",
        HelpName = "PART",
        DefaultValueFactory = _ => "validation",
    };

    private static readonly Option<int?> Limit = CommonOptions.WholeNumber("--limit", "Language model: only the first N questions of a task, or documents of a text. Speech: only the first N utterances", 1, int.MaxValue);

    private static readonly Option<int?> BatchSize = CommonOptions.WholeNumber("--batch-size", "Language model: rows of a batch, speech: utterances (default: by their lengths); results do not depend on it", 1, 65536);

    private static readonly Option<int?> Context =
        CommonOptions.WholeNumber("--context", "Language model: tokens it may read at a time (default: its positions; without such a limit whole texts)", 1, int.MaxValue);

    private static readonly Option<string?> Predictions = new("--predictions") { Description = "Write the answer to every zero-shot question, or what was made of every utterance, to a file, one JSON object a line", HelpName = "FILE" };

    private static readonly Option<string?> Against = new("--against")
    {
        Description = "Compare the answers with those in a file written by --predictions or tools/evaluation/zero_shot_reference.py; exit code 1 if any differs",
        HelpName = "FILE",
    };

    public EvalCommand()
        : base(
            "eval",
            "Evaluates a saved model, transformer or converted student: a classifier on a task, a language model by perplexity or zero-shot tasks, a speech model on a corpus.",
            "--model runs/demo/seed-0/target/model",
            "--model runs/qnli/model --task glue/qnli --data QNLI",
            "--model MODEL --task sections-tiny --data sections --split test",
            "--model LM --task perplexity --data test.txt",
            "--model LM --task lambada_openai,piqa,arc_easy --data lm_eval",
            "--model LM --task all --data lm_eval --limit 100 --json",
            "--model SPEECH --task speech-recognition --data TEDLIUM_release-3 --format ted-lium --split test --worst 10",
            "--model SPEECH --task speech-classification --data fsdd --predictions answers.jsonl")
    {
        CommonOptions.AcceptOnly(Split, "validation", "test", "train");
        Add(Model);
        Add(Task);
        Add(Split);
        CommonOptions.AddOverrides(this);
        Add(Limit);
        Add(BatchSize);
        Add(Context);
        Add(Predictions);
        Add(Against);
        SpeechEvaluation.AddTo(this);
        CommonOptions.AddCompute(this);
        Add(CommonOptions.Json);
    }

    public override int Execute(Session session)
    {
        string folder = ModelSource.Resolve(session.Arguments.GetValue(Model)!, "--model FOLDER");
        ModelKind kind = ModelKinds.Of(folder);
        RefuseOptionsOfOtherKinds(session, kind, folder);
        if (kind == ModelKind.Speech)
        {
            return SpeechEvaluation.Run(session, new SpeechEvaluation.Request(
                folder,
                session.Arguments.GetValue(Task),
                session.Arguments.GetValue(CommonOptions.Data),
                session.Arguments.GetValue(Split)!,
                session.Arguments.GetValue(Limit),
                session.Arguments.GetValue(BatchSize),
                session.Arguments.GetValue(Predictions)));
        }

        return kind == ModelKind.Language
            ? LanguageEvaluation.Run(session, new LanguageEvaluation.Request(
                folder,
                session.Arguments.GetValue(Task),
                session.Arguments.GetValue(CommonOptions.Data),
                session.Arguments.GetValue(Split)!,
                session.Arguments.GetValue(Limit),
                session.Arguments.GetValue(BatchSize),
                session.Arguments.GetValue(Context),
                session.Arguments.GetValue(Predictions),
                session.Arguments.GetValue(Against)))
            : Classify(session, folder);
    }

    /// <summary>An option that would be without effect is a mistake: who gives --limit 10 does not mean everything.</summary>
    private static void RefuseOptionsOfOtherKinds(Session session, ModelKind kind, string folder)
    {
        IEnumerable<Option> foreign = kind switch
        {
            ModelKind.Classifier => [Limit, BatchSize, Predictions, Context, Against, .. SpeechEvaluation.Options],
            ModelKind.Language => [CommonOptions.Set, .. SpeechEvaluation.Options],
            _ => [CommonOptions.Set, Context, Against],
        };
        if (foreign.FirstOrDefault(session.IsGiven) is { } option)
        {
            string hint = kind == ModelKind.Classifier && option == Limit ? "; --set task.max_eval_rows=N evaluates the first N examples" : "";
            throw new CaldException($"{option.Name} does not go with {folder}, which has {ModelKinds.Name(kind)}{hint} (see `cald eval --help`)");
        }
    }

    private static int Classify(Session session, string folder)
    {
        Recipe recipe = CommonOptions.LoadRecipe(session.Arguments, session.Arguments.GetValue(Task) ?? "demo");
        Device device = RunOptions.DeviceOf(session);
        using ClassifierModel classifier = new(RobertaFiles.LoadClassifier(folder, BuildContext.For(device, 0)));
        RobertaConfig config = classifier.Model.Config;
        using ConsoleProgress progress = session.Progress();
        ClassificationData data = ClassificationTask.Encode(ClassificationTask.Read(recipe.Task), Tokenizer.Load(folder), config, recipe.Task, progress);
        if (!data.Labels.SequenceEqual(config.Labels))
        {
            throw new CaldException(
                $"the model's classes ({string.Join(", ", config.Labels)}) are not the task's ({string.Join(", ", data.Labels)}); evaluate it on the task it was trained for");
        }

        string split = session.Arguments.GetValue(Split)!;
        DataPart part = split switch
        {
            "train" => DataPart.Train,
            "test" => data.Count(DataPart.Test) > 0 ? DataPart.Test : throw new CaldException($"the task {recipe.Name} has no labelled test part; use --split validation"),
            _ => DataPart.Validation,
        };
        Evaluation result = data.Evaluate(classifier, part, recipe.Training.EvalBatchSize, device, null);
        progress.Clear();
        string mode = classifier.IsStudent ? "student" : "teacher";
        foreach ((string metric, double value) in result.Metrics.Select(m => (m.Key, m.Value)).Append(("loss", result.Loss)))
        {
            if (session.Json)
            {
                session.Terminal.Out.WriteLine(new JsonLine().Add("mode", mode).Add("metric", metric).Add("value", value).Add("split", split)
                    .Add("examples", result.Examples).Add("seconds", Math.Round(result.Seconds, 3)).Add("parameters", classifier.Module.ParameterCount()));
            }
            else
            {
                session.Terminal.Out.WriteLine(metric == "loss" ? $"{metric,-9} {value:F4}" : $"{metric,-9} {100 * value:F2} %");
            }
        }

        if (!session.Json)
            session.Terminal.Out.WriteLine($"{result.Examples} {split} examples in {result.Seconds:F1} s");
        return CommandLine.Done;
    }
}
