using System.Globalization;

namespace LinearCald.Nn.Files;

/// <summary>
/// The <c>checkpoints/step-NNNNNN/</c> folders of a run folder. Each is complete when it has its name; what a killed process left half written
/// is never listed.
/// </summary>
public sealed class CheckpointFolders
{
    private const string Prefix = "step-";

    private readonly string _root;

    /// <param name="runFolder">The run folder.</param>
    public CheckpointFolders(string runFolder) => _root = Path.Combine(runFolder, "checkpoints");

    /// <summary>The steps that have a checkpoint, ascending.</summary>
    public IReadOnlyList<long> Steps()
    {
        if (!Directory.Exists(_root))
            return [];
        List<long> steps = [];
        foreach (string path in Directory.EnumerateDirectories(_root, Prefix + "*"))
        {
            string name = Path.GetFileName(path);
            if (long.TryParse(name.AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out long step) && PathOf(step) == path)
                steps.Add(step);
        }

        steps.Sort();
        return steps;
    }

    /// <summary>Where the checkpoint of a step is, or would be.</summary>
    public string PathOf(long step) => Path.Combine(_root, string.Create(CultureInfo.InvariantCulture, $"{Prefix}{step:D6}"));

    /// <summary>Writes the checkpoint of a step, whole or not at all; see <see cref="AtomicDirectory.Write"/>.</summary>
    /// <param name="step">Optimiser steps done.</param>
    /// <param name="fill">Gets the path of an empty folder and writes files into it.</param>
    /// <exception cref="CaldException">The disk is full, or the folder may not be written; earlier checkpoints are as they were.</exception>
    public void Write(long step, Action<string> fill)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        Recover();
        AtomicDirectory.Write(PathOf(step), fill);
    }

    /// <summary>Deletes all but the last <paramref name="count"/> checkpoints, and those of <paramref name="protectedSteps"/> (the best one, waypoints).</summary>
    public void KeepLast(int count, params ReadOnlySpan<long> protectedSteps)
    {
        IReadOnlyList<long> steps = Steps();
        for (int i = 0; i < steps.Count - count; i++)
        {
            if (!protectedSteps.Contains(steps[i]))
                Directory.Delete(PathOf(steps[i]), recursive: true);
        }
    }

    /// <summary>
    /// Clears what a killed process left half written; see <see cref="AtomicDirectory.Recover"/>. Call it when a run is resumed, with the
    /// run's lock held.
    /// </summary>
    public void Recover()
    {
        if (!Directory.Exists(_root))
            return;
        foreach (string path in Directory.GetDirectories(_root, Prefix + "*.*"))
            AtomicDirectory.Recover(Path.Combine(_root, Path.GetFileNameWithoutExtension(path)));
    }
}
