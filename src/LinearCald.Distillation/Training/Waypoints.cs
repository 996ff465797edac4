using System.Globalization;

namespace LinearCald.Distillation.Training;

/// <summary>The model folders that a teacher's fine-tuning leaves behind: <c>waypoints/step-NNNNNN</c>.</summary>
public static class Waypoints
{
    /// <summary>Name of the folder inside a run folder.</summary>
    public const string FolderName = "waypoints";

    private const string Prefix = "step-";

    /// <summary>The folder name of the waypoint after so many updates.</summary>
    public static string NameOf(int step) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{step:D6}");

    /// <summary>After how many updates a waypoint was saved, by its name; 0 for a folder of another name.</summary>
    public static int StepOf(string folder) => int.TryParse(Path.GetFileName(folder).AsSpan(Math.Min(Prefix.Length, Path.GetFileName(folder).Length)), NumberStyles.None, CultureInfo.InvariantCulture, out int step) ? step : 0;

    /// <summary>The waypoints in a folder, in the order of training.</summary>
    /// <param name="folder">A run folder of a teacher, or its <c>waypoints</c> folder.</param>
    /// <exception cref="CaldException">There are none.</exception>
    public static IReadOnlyList<string> In(string folder)
    {
        string inner = Path.Combine(folder, FolderName);
        string root = Directory.Exists(inner) ? inner : folder;
        List<(int Step, string Path)> found = [];
        if (Directory.Exists(root))
        {
            foreach (string path in Directory.EnumerateDirectories(root, Prefix + "*"))
            {
                if (int.TryParse(Path.GetFileName(path).AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int step))
                {
                    found.Add((step, path));
                }
            }
        }

        return found.Count > 0
            ? [.. found.OrderBy(f => f.Step).Select(f => f.Path)]
            : throw new CaldException($"{root} holds no waypoints (folders named {Prefix}NNNNNN): fine-tune the teacher with teacher.waypoints_per_epoch or waypoint_every above 0");
    }
}
