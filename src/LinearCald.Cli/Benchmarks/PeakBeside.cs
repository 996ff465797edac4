using System.Diagnostics;
using LinearCald.Tensors;

namespace LinearCald.Cli.Benchmarks;

/// <summary>
/// What part of the peak runs reach, on a machine whose peak changes: other users of a shared processor take a half of it for milliseconds or minutes. The peak is
/// measured between runs, at most every few milliseconds, and a run counts against the mean of what was measured before and after it.
/// </summary>
internal sealed class PeakBeside
{
    private const double MillisecondsApart = 5;

    private readonly Device? _device;
    private readonly List<double> _waiting = []; // rates of the runs since the last measurement
    private readonly List<double> _fractions = [];
    private double? _before;
    private long _measured;

    /// <param name="device">Whose peak it is; null when a part of it says nothing.</param>
    public PeakBeside(Device? device)
    {
        _device = device;
        _before = device?.MeasurePeakNow();
        _measured = Stopwatch.GetTimestamp();
    }

    /// <summary>Counts a run that has ended.</summary>
    /// <param name="gflops">What it reached.</param>
    public void After(double gflops)
    {
        if (_before is null)
        {
            return;
        }

        _waiting.Add(gflops);
        if (Stopwatch.GetElapsedTime(_measured).TotalMilliseconds >= MillisecondsApart)
        {
            Close();
        }
    }

    /// <summary>The median part; null without a peak.</summary>
    public double? Fraction()
    {
        if (_waiting.Count > 0)
        {
            Close();
        }

        _fractions.Sort();
        return _fractions.Count > 0 ? _fractions[_fractions.Count / 2] : null;
    }

    private void Close()
    {
        double after = _device!.MeasurePeakNow()!.Value;
        double peak = (_before!.Value + after) / 2;
        _fractions.AddRange(_waiting.Select(rate => rate / peak));
        _waiting.Clear();
        _before = after;
        _measured = Stopwatch.GetTimestamp();
    }
}
