using LinearCald.Gpu;

namespace LinearCald.Cli.Benchmarks;

/// <summary>What a recorded step is made of, and how long the host takes to submit it: the rest of the host's time goes to the optimiser.</summary>
internal sealed class StepRecording
{
    private readonly List<double> _milliseconds = [];

    /// <summary>Null until the step is recorded.</summary>
    public GraphContents? Contents { get; set; }

    /// <summary>Median time of a submission; NaN before the first.</summary>
    public double Milliseconds => _milliseconds.Count == 0 ? double.NaN : _milliseconds.Order().ElementAt(_milliseconds.Count / 2);

    public void Add(double milliseconds) => _milliseconds.Add(milliseconds);
}
