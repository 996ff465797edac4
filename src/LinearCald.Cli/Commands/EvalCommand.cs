using System.CommandLine;
using LinearCald.Data.Batching;
using LinearCald.Data.Tokenizers;
using LinearCald.Distillation.Conversion;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Reporting;
using LinearCald.Distillation.Training;
using LinearCald.Models.Roberta;
using LinearCald.Nn;
using LinearCald.Tensors;

namespace LinearCald.Cli.Commands;

/// <summary>`cald eval`: accuracy, F1 and Matthews correlation of a saved classifier.</summary>
internal sealed class EvalCommand : CaldCommand
{
    private static readonly Option<string> Model = new("--model")
    {
        Description = "Model folder (config.json, safetensors, tokenizer), of a teacher or a student",
        HelpName = "DIR",
        Required = true,
    };

    private static readonly Option<string> Task = new("--task")
    {
        Description = "Recipe whose task to evaluate on: an embedded name such as demo or glue/qnli, or a file",
        HelpName = "RECIPE",
        DefaultValueFactory = _ => "demo",
    };

    private static readonly Option<string> Split = new("--split")
    {
        Description = "Part of the data: validation, test or train",
        HelpName = "PART",
        DefaultValueFactory = _ => "validation",
    };

    public EvalCommand()
        : base(
            "eval",
            "Evaluates a saved classifier, transformer or converted student, on a task.",
            "--model runs/demo/seed-0/target/model",
            "--model runs/qnli/model --task glue/qnli --data QNLI",
            "--model MODEL --task sections-tiny --data sections --split test")
    {
        Split.AcceptOnlyFromAmong("validation", "test", "train");
        Add(Model);
        Add(Task);
        Add(Split);
        CommonOptions.AddOverrides(this);
        CommonOptions.AddCompute(this);
        Add(CommonOptions.Json);
    }

    public override int Execute(Session session)
    {
        Recipe recipe = CommonOptions.LoadRecipe(session.Arguments, session.Arguments.GetValue(Task)!);
        string folder = ModelSource.Resolve(session.Arguments.GetValue(Model)!, "--model FOLDER");
        Device device = RunOptions.DeviceOf(session);
        using RobertaForSequenceClassification model = RobertaFiles.LoadClassifier(folder, BuildContext.For(device, 0));
        using ConsoleProgress progress = session.Progress();
        ClassificationData data = TaskData.Encode(TaskData.Read(recipe.Task), Tokenizer.Load(folder), model.Config, recipe.Task.MaxLength, progress);
        if (!data.Labels.SequenceEqual(model.Config.Labels))
        {
            throw new CaldException(
                $"the model's classes ({string.Join(", ", model.Config.Labels)}) are not the task's ({string.Join(", ", data.Labels)}); evaluate it on the task it was trained for");
        }

        string split = session.Arguments.GetValue(Split)!;
        TokenizedDataset part = split switch
        {
            "train" => data.Train,
            "test" => data.Test ?? throw new CaldException($"the task {recipe.Name} has no labelled test part; use --split validation"),
            _ => data.Validation,
        };
        Evaluation result = Evaluator.Evaluate(model, part, data.PaddingId, recipe.Training.EvalBatchSize, device);
        progress.Clear();
        string mode = model.Config.Linformer is null ? "teacher" : "student";
        foreach ((string metric, double value) in (ReadOnlySpan<(string, double)>)[("accuracy", result.Accuracy), ("f1", result.F1), ("matthews", result.Matthews), ("loss", result.Loss)])
        {
            if (session.Json)
            {
                session.Terminal.Out.WriteLine(new JsonLine().Add("mode", mode).Add("metric", metric).Add("value", value).Add("split", split)
                    .Add("examples", result.Examples).Add("seconds", Math.Round(result.Seconds, 3)).Add("parameters", model.ParameterCount()));
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
