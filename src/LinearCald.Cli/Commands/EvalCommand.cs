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
