using LinearCald.Distillation.Conversion;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Reporting;

namespace LinearCald.Cli.Commands;

/// <summary>`cald finetune`: the teacher.</summary>
internal sealed class FinetuneCommand : CaldCommand
{
    public FinetuneCommand()
        : base(
            "finetune",
            "Fine-tunes the transformer of a recipe on its task, saving waypoints on the way.",
            "demo # the tiny teacher on the embedded sample",
            "glue/qnli --data QNLI --set model.source=roberta-base --out runs/qnli-teacher",
            "demo --resume --out runs/demo-teacher # goes on after an interruption")
    {
        CommonOptions.AddRecipe(this);
        CommonOptions.AddRun(this);
        CommonOptions.AddCompute(this);
        Add(CommonOptions.Json);
    }

    public override int Execute(Session session)
    {
        Recipe recipe = CommonOptions.LoadRecipe(session.Arguments) with { Variants = RecipeVariants.None };
        string folder = RunOptions.FolderOf(session, $"{recipe.Name}-teacher");
        StopRequest stop = new();
        using ConsoleProgress progress = session.Progress();
        using Interrupts interrupts = session.HandleInterrupts(stop);
        ResultRow row = new ConversionSession(recipe, RunOptions.SessionOf(session, progress, stop, folder)).FineTune(recipe, folder);
        progress.Clear();
        RunOptions.Print(session, row);
        session.Note($"model in {Path.Combine(folder, "model")}, waypoints in {Path.Combine(folder, "waypoints")}");
        return CommandLine.Done;
    }
}
