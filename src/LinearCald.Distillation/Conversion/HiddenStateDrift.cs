using LinearCald.Distillation.Reporting;
using LinearCald.Distillation.Training;
using LinearCald.Nn;
using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Distillation.Conversion;

/// <summary>How far a model's hidden states have moved from those of the model that it was fine-tuned from.</summary>
/// <param name="Step">Updates of the fine-tuning.</param>
/// <param name="Layers">Mean cosine distance at the output of each layer.</param>
public sealed record DriftPoint(int Step, IReadOnlyList<double> Layers)
{
    /// <summary>The mean over layers.</summary>
    public double Mean => Layers.Average();

    /// <summary>The point as one JSON object.</summary>
    public string ToJson() => new JsonLine().Add("step", Step).Add("metric", "cosine_distance").Add("value", Mean)
        .AddList("layers", Layers).ToString();
}

/// <summary>
/// The drift of hidden states while a teacher is fine-tuned (He and Garner 2024, figure 3): 1 − cos between the states of the source and of each waypoint, averaged
/// over valid positions of random training examples. Small drift is where waypoints and trajectories pay, large drift where a switch to the task loss does.
/// </summary>
public static class HiddenStateDrift
{
    /// <summary>Yields a point a waypoint, in the order of training.</summary>
    /// <param name="session">Reads source and waypoints, and has the examples.</param>
    /// <param name="source">The model before fine-tuning.</param>
    /// <param name="waypoints">Model folders, see <see cref="Waypoints.In"/>.</param>
    /// <param name="samples">Examples to draw, at most those there are.</param>
    /// <param name="seed">Of the draw.</param>
    /// <exception cref="CaldException">A waypoint is of another model than the source.</exception>
    public static IEnumerable<DriftPoint> Measure(ConversionSession session, TaskModel source, IReadOnlyList<string> waypoints, int samples, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(waypoints);
        int[] rows = [.. Enumerable.Range(0, session.Data.Rows)];
        new Random(unchecked((int)seed)).Shuffle(rows);
        rows = rows[..Math.Min(samples, rows.Length)];
        foreach (string folder in waypoints)
        {
            using TaskModel tuned = session.Domain.LoadTeacher(folder, BuildContext.For(session.Device, 0));
            yield return new DriftPoint(Waypoints.StepOf(folder), Distances(session, source, tuned, rows));
        }
    }

    private static double[] Distances(ConversionSession session, TaskModel source, TaskModel tuned, int[] rows)
    {
        using Tape.Pause pause = Tape.Paused();
        double[] sums = new double[source.Layers];
        long positions = 0;
        ForwardContext context = new() { HiddenStates = true };
        foreach (int row in rows) // one at a time: no padding
        {
            using MemoryScope scope = MemoryScope.Begin();
            TaskInput input = session.Data.Upload(session.Device, session.Data.Collate([row], 1, null));
            IReadOnlyList<Tensor> before = source.Run(input, context).HiddenStates!, after = tuned.Run(input, context).HiddenStates!;
            for (int layer = 1; layer < before.Count; layer++)
            {
                sums[layer - 1] += Distance(before[layer], after[layer]);
            }

            positions += before[0].Shape.Rows;
        }

        return [.. sums.Select(sum => sum / positions)];
    }

    /// <summary>Σ over rows of 1 − a·b / (‖a‖ ‖b‖).</summary>
    private static double Distance(Tensor a, Tensor b)
    {
        float[] x = a.To(DType.Float32).ToArray<float>(), y = b.To(DType.Float32).ToArray<float>();
        int width = a.Shape.Last;
        double sum = 0;
        for (int first = 0; first < x.Length; first += width)
        {
            double dot = 0, xx = 0, yy = 0;
            for (int i = first; i < first + width; i++)
            {
                dot += (double)x[i] * y[i];
                xx += (double)x[i] * x[i];
                yy += (double)y[i] * y[i];
            }

            sum += xx > 0 && yy > 0 ? 1 - (dot / Math.Sqrt(xx * yy)) : xx == yy ? 0 : 1;
        }

        return sum;
    }
}
