using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Training;

namespace LinearCald.Distillation.Guidance;

/// <summary>
/// Mode <c>waypoint</c>: with K stored checkpoints of the teacher's fine-tuning and S updates, checkpoint i guides from update i·⌊S/K⌋ on. Which one is a
/// function of the step, so that a resumed run has the right teacher.
/// </summary>
public sealed class WaypointGuide : FrozenGuide
{
    private readonly IReadOnlyList<string> _folders;
    private readonly Func<string, TaskModel> _load;
    private readonly Action<int, string> _switched;
    private readonly int _cycle;
    private int _current;

    /// <param name="folders">Model folders of the waypoints in the order of the teacher's training.</param>
    /// <param name="load">Reads one of them.</param>
    /// <param name="switched">Told (update, folder) when a later waypoint takes over.</param>
    /// <param name="recipe">Weights and the teacher's mode.</param>
    /// <param name="totalUpdates">S.</param>
    /// <param name="accumulation">Micro-batches an update.</param>
    /// <param name="seed">Of the teacher's dropout masks.</param>
    /// <exception cref="CaldException">There are no waypoints.</exception>
    public WaypointGuide(
        IReadOnlyList<string> folders,
        Func<string, TaskModel> load,
        Action<int, string> switched,
        GuidanceRecipe recipe,
        int totalUpdates,
        int accumulation,
        ulong seed)
        : base(load(First(folders)), recipe, totalUpdates, accumulation, seed)
    {
        _folders = folders;
        _load = load;
        _switched = switched;
        _cycle = Math.Max(1, totalUpdates / folders.Count);
    }

    public override int Phase => _current;

    public override void BeginUpdate(int completed)
    {
        base.BeginUpdate(completed);
        int wanted = Math.Min(completed / _cycle, _folders.Count - 1);
        if (wanted != _current)
        {
            Teacher.Dispose();
            Teacher = _load(_folders[wanted]);
            _current = wanted;
            _switched(completed, _folders[wanted]);
        }
    }

    private static string First(IReadOnlyList<string> folders)
    {
        ArgumentNullException.ThrowIfNull(folders);
        return folders.Count > 0 ? folders[0] : throw new CaldException(
            "waypoint guidance needs stored waypoints of the teacher: fine-tune it with teacher.waypoints_per_epoch above 0, or set guidance.waypoints");
    }
}
