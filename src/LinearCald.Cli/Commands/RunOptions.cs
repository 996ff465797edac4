using LinearCald.Distillation.Conversion;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Reporting;
using LinearCald.Distillation.Training;
using LinearCald.Tensors;

namespace LinearCald.Cli.Commands;

/// <summary>What the commands that train have in common: device, threads, run folder, progress, Ctrl+C.</summary>
internal static class RunOptions
{
    /// <summary>The device that the command line asks for, with its threads set.</summary>
    public static Device DeviceOf(Session session)
    {
        if (session.Arguments.GetValue(CommonOptions.Threads) is { } threads)
            Device.UseThreads(threads);
        Device device = Device.Parse(session.Arguments.GetValue(CommonOptions.Device)!);
        if (session.Arguments.GetValue(CommonOptions.Precision) is { } precision)
            precision.Apply(device);
        return device;
    }

    /// <summary>The run folder: --out, or runs/NAME with a number when that is taken.</summary>
    public static string FolderOf(Session session, string name)
    {
        if (session.Arguments.GetValue(CommonOptions.Out) is { } given)
            return given;
        if (string.IsNullOrWhiteSpace(name) || name is "." or ".." || name.Any(char.IsControl))
            throw new CaldException($"the recipe's name '{name}' cannot be that of a folder; set another name, or name the run folder with --out");
        string folder = Path.Combine("runs", name.Replace('/', '-'));
        bool resume = session.Arguments.GetValue(CommonOptions.Resume);
        for (int n = 2; !resume && Directory.Exists(folder); n++)
            folder = Path.Combine("runs", $"{name.Replace('/', '-')}-{n}");
        return folder;
    }

    /// <summary>What a conversion session is told.</summary>
    /// <param name="folder">What --out is, or would be.</param>
    public static SessionOptions SessionOf(Session session, IProgressSink progress, StopRequest stop, string folder) => new()
    {
        Device = DeviceOf(session),
        Resume = session.Arguments.GetValue(CommonOptions.Resume),
        Progress = progress,
        Stop = stop,
        ResumeFolder = folder,
    };

    /// <summary>A row as JSON or as one line of text.</summary>
    public static void Print(Session session, ResultRow row)
    {
        if (session.Json)
            session.Terminal.Out.WriteLine(row.ToJson());
        else
            session.Terminal.Out.Write(ResultRow.Table([row]));
    }

    /// <summary>Where the fine-tuned teacher of a conversion is: given in the recipe, or in the run folder, made first when it is not there yet.</summary>
    public static string? TeacherFor(Recipe recipe, ConversionSession conversion, string folder, SessionOptions options)
    {
        if (!conversion.NeedsFineTuning(recipe))
            return recipe.Teacher.Checkpoint;
        string teacher = Path.Combine(folder, "teacher");
        options.Progress.Note("fine-tuning the teacher first (teacher.checkpoint names an existing one)");
        conversion.FineTune(recipe, teacher);
        return teacher;
    }
}
