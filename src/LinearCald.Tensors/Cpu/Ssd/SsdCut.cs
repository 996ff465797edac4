using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// The cut of a scan into tasks: one row of the batch and a run of heads of one group, which then share the products of b and c. Sums over heads depend on it, so the backward
/// pass cuts by shape alone; what the forward pass computes does not.
/// </summary>
internal readonly struct SsdCut
{
    /// <summary>Enough tasks for many threads.</summary>
    public const int ManyTasks = 16;

    /// <summary>Longer chunks than this only cost memory.</summary>
    private const int LongestChunk = 256;

    private readonly int _run;

    /// <param name="tasks">How many are enough; where there are more rows and groups than this, a task takes all heads of its group.</param>
    /// <param name="mostHeads">Most heads of a task, for tasks that keep something large for each.</param>
    public SsdCut(in SsdShape shape, int tasks, int mostHeads)
    {
        _run = Math.Min(mostHeads, shape.HeadsPerGroup);
        while (_run > 1 && shape.Batch * shape.Groups * Pieces(shape.HeadsPerGroup) < tasks)
        {
            _run = (_run + 1) / 2;
        }

        RunsPerGroup = Pieces(shape.HeadsPerGroup);
        Chunk = Math.Min(shape.Chunk, Math.Min(LongestChunk, Math.Max(1, shape.Length)));
    }

    /// <summary>Runs of heads of one group.</summary>
    public int RunsPerGroup { get; }

    /// <summary>Most positions of a chunk.</summary>
    public int Chunk { get; }

    /// <summary>Most heads of one task.</summary>
    public int HeadsPerTask => _run;

    public int Tasks(in SsdShape shape) => shape.Batch * shape.Groups * RunsPerGroup;

    public SsdTask Task(in SsdShape shape, int index)
    {
        (index, int run) = Math.DivRem(index, RunsPerGroup);
        (int batch, int group) = Math.DivRem(index, shape.Groups);
        int first = run * _run;
        return new SsdTask(batch, group, run, (group * shape.HeadsPerGroup) + first, Math.Min(_run, shape.HeadsPerGroup - first));
    }

    private int Pieces(int heads) => (heads + _run - 1) / _run;
}

/// <summary>One task: heads <paramref name="FirstHead"/> … of one row of the batch.</summary>
internal readonly record struct SsdTask(int Batch, int Group, int Run, int FirstHead, int Heads);
