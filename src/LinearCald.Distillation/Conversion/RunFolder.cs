using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Training;
using LinearCald.Nn.Files;

namespace LinearCald.Distillation.Conversion;

/// <summary>A run folder in the hands of this process: locked, with the resolved recipe in it.</summary>
public sealed class RunFolder : IDisposable
{
    private const string RecipeName = "recipe.yaml";
    private static readonly string[] Traces = ["metrics.jsonl", "checkpoints", Trainer.ModelFolderName, Waypoints.FolderName, "results.json"];
    private readonly RunLock _lock;

    private RunFolder(string path, RunLock held)
    {
        Path = path;
        _lock = held;
    }

    public string Path { get; }

    /// <summary>Takes a folder for a new run, or for going on with the one in it.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="recipe">What will run there.</param>
    /// <param name="resume">Go on with the run in the folder.</param>
    /// <exception cref="CaldException">
    /// Another process works there; it holds a run and <paramref name="resume"/> is false; or it is to be resumed with another recipe.
    /// </exception>
    public static RunFolder Open(string path, Recipe recipe, bool resume)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        RunLock held = RunLock.Acquire(path);
        try
        {
            string file = System.IO.Path.Combine(path, RecipeName);
            string yaml = recipe.ToYaml();
            bool hasRun = Array.Exists(Traces, name => System.IO.Path.Exists(System.IO.Path.Combine(path, name)));
            if (hasRun && !resume)
            {
                throw new CaldException($"{path} already holds a run; add --resume to go on with it, or choose another folder with --out");
            }

            if (!hasRun)
            {
                AtomicFile.WriteText(file, yaml); // an earlier one is of a run that ended before its first update
            }
            else if (!File.Exists(file))
            {
                throw new CaldException($"{path} holds a run without its {RecipeName}, so it cannot be resumed; choose another folder with --out");
            }
            else if (File.ReadAllText(file) is { } before && before != yaml)
            {
                throw new CaldException($"{path} holds a run of another recipe; it differs in:\n{Difference(before, yaml)}\nResume with the same recipe and overrides, or choose another folder with --out");
            }

            return new RunFolder(path, held);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    public void Dispose() => _lock.Dispose();

    private static string Difference(string before, string now)
    {
        string[] old = before.Split('\n');
        string[] current = now.Split('\n');
        IEnumerable<string> lines = old.Except(current).Take(5).Select(l => $"  then: {l.Trim()}").Concat(current.Except(old).Take(5).Select(l => $"  now:  {l.Trim()}"));
        return string.Join('\n', lines);
    }
}
