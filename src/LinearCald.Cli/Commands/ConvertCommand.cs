using System.CommandLine;
using LinearCald.Distillation.Conversion;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Reporting;

namespace LinearCald.Cli.Commands;

/// <summary>`cald convert`: the student.</summary>
internal sealed class ConvertCommand : CaldCommand
{
    private static readonly Option<string?> Mode = ModeOption.Create();

    private static readonly Option<string?> Teacher = new("--teacher")
    {
        Description = "Run folder or model folder of the fine-tuned teacher; short for --set teacher.checkpoint=DIR (default: fine-tune one first)",
        HelpName = "DIR",
    };

    public ConvertCommand()
        : base(
            "convert",
            "Replaces the transformer's attention by a linear-time mixer and retrains it, guided layer by layer.",
            "demo --mode target # fine-tunes the tiny teacher, then converts it",
            "glue/qnli --mode trajectory --data QNLI --set model.source=roberta-base --out runs/qnli",
            "demo --mode target --teacher runs/demo-teacher --set student.rank=64")
    {
        CommonOptions.AddRecipe(this);
        Add(Mode);
        Add(Teacher);
        CommonOptions.AddRun(this);
        CommonOptions.AddCompute(this);
        Add(CommonOptions.Json);
    }

    public override int Execute(Session session)
    {
        Recipe recipe = ModeOption.Apply(CommonOptions.LoadRecipe(session.Arguments), session.Arguments.GetValue(Mode));
        if (session.Arguments.GetValue(Teacher) is { } given)
            recipe = recipe with { Teacher = recipe.Teacher with { Checkpoint = given } };
        string folder = RunOptions.FolderOf(session, recipe.Name);
        StopRequest stop = new();
        using ConsoleProgress progress = session.Progress();
        using Interrupts interrupts = session.HandleInterrupts(stop);
        SessionOptions options = RunOptions.SessionOf(session, progress, stop, folder);
        ConversionSession conversion = new(recipe, options);
        string? teacher = RunOptions.TeacherFor(recipe, conversion, folder, options);
        ResultRow row = conversion.Convert(recipe, teacher, folder);
        progress.Clear();
        RunOptions.Print(session, row);
        session.Note($"student in {Path.Combine(folder, "model")}");
        return CommandLine.Done;
    }
}
