namespace LinearCald.Distillation.Verification;

/// <summary>
/// Collects error ratios ‖x − ref‖ / ‖ref‖. A reference that is zero up to rounding (the gradient of an attention's key bias is, by the softmax's
/// invariance to a shift) has no relative error; its norm counts as at least a hundredth of what the group's root mean square would give it.
/// </summary>
internal sealed class ErrorMeter
{
    private const double Floor = 0.01;
    private readonly List<(string Name, string Group, double Error, double Norm, int Count)> _entries = [];

    /// <param name="name">The tensor.</param>
    /// <param name="group">Tensors whose sizes compare: outputs, or gradients.</param>
    /// <param name="actual">Ours.</param>
    /// <param name="expected">The reference.</param>
    public void Add(string name, string group, ReadOnlySpan<double> actual, ReadOnlySpan<double> expected)
    {
        if (actual.Length != expected.Length)
        {
            throw new CaldException($"fixture tensor {name} has {expected.Length} elements, ours has {actual.Length}; the fixture is of another form");
        }

        double error = 0;
        double norm = 0;
        for (int i = 0; i < actual.Length; i++)
        {
            double difference = actual[i] - expected[i];
            error += difference * difference;
            norm += expected[i] * expected[i];
        }

        _entries.Add((name, group, Math.Sqrt(error), Math.Sqrt(norm), actual.Length));
    }

    public CaseResult Result(string name, string device, double budget)
    {
        double worst = 0;
        string where = "";
        foreach (var group in _entries.GroupBy(e => e.Group))
        {
            double squares = group.Sum(e => e.Norm * e.Norm);
            double rms = Math.Sqrt(squares / Math.Max(1, group.Sum(e => (long)e.Count)));
            foreach (var entry in group)
            {
                double scale = Math.Max(entry.Norm, Floor * rms * Math.Sqrt(entry.Count));
                double ratio = entry.Error == 0 ? 0 : entry.Error / scale;
                if (!double.IsNaN(worst) && !(ratio <= worst)) // the first NaN stays: nothing is worse
                {
                    worst = ratio;
                    where = entry.Name;
                }
            }
        }

        return new CaseResult(name, device, worst, budget, where, _entries.Count);
    }
}
