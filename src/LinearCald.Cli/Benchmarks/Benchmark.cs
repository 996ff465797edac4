using System.Diagnostics;
using LinearCald.Distillation.Reporting;
using LinearCald.Tensors;

namespace LinearCald.Cli.Benchmarks;

/// <summary>One thing to time: its name, its shape, and the work that one run does.</summary>
/// <param name="Op">As the peers' scripts call it.</param>
/// <param name="Shape">Extents, for the reader.</param>
/// <param name="Run">Does it once.</param>
internal sealed record Benchmark(string Op, string Shape, Action Run) : IDisposable
{
    /// <summary>What was made for the runs and has memory that no scope gives back: models, optimisers.</summary>
    public IReadOnlyList<IDisposable> Owned { get; init; } = [];

    /// <summary>Floating-point operations of a run; 0 when a rate in GFLOP/s says nothing.</summary>
    public double Flops { get; init; }

    /// <summary>Bytes that must move: each tensor read or written once.</summary>
    public double Bytes { get; init; }

    /// <summary>Of the products.</summary>
    public string Precision { get; init; } = "fp32";

    /// <summary>Tokens of a run; 0 when there are none.</summary>
    public int Tokens { get; init; }

    /// <summary>Seconds of audio of a run; 0 when there is none.</summary>
    public double AudioSeconds { get; init; }

    /// <summary>Whether the most memory that tensors took is of interest: of whole models.</summary>
    public bool HasMemory { get; init; }

    /// <summary>Of a step that is recorded; null for work that never is.</summary>
    public StepRecording? Recording { get; init; }

    /// <summary>One run that takes minutes is enough, and is its own warm-up.</summary>
    public bool IsLong { get; init; }

    public void Dispose()
    {
        foreach (IDisposable owned in Owned)
        {
            owned.Dispose();
        }
    }

    /// <summary>Times it: a warm-up, then runs for about the given time, the median counts.</summary>
    public BenchmarkResult Measure(Device device, double seconds)
    {
        device.ResetPeak();
        for (int i = 0; i < (IsLong ? 0 : device.RunsAhead ? 4 : 1); i++)
        {
            Run(); // the first ones compile and record
        }

        device.Synchronize();
        List<double> times = [];
        List<double> host = [];
        PeakBeside peak = new(Flops > 0 && Precision == "fp32" ? device : null);
        long start = Stopwatch.GetTimestamp();
        while (times.Count < (IsLong ? 1 : 3) || (Stopwatch.GetElapsedTime(start).TotalSeconds < seconds && times.Count < 2000))
        {
            times.Add(device.Milliseconds(() =>
            {
                long before = Stopwatch.GetTimestamp();
                Run();
                host.Add(Stopwatch.GetElapsedTime(before).TotalMilliseconds);
            }));
            peak.After(Flops / times[^1] / 1e6);
        }

        times.Sort();
        host.Sort();
        return new BenchmarkResult(this, times[times.Count / 2], host[host.Count / 2], times.Count, device.Memory.Peak) { FractionOfPeakBeside = peak.Fraction() };
    }
}

/// <summary>What the device reaches at best, measured in the same process.</summary>
/// <param name="Gflops">float32 multiply-adds from registers.</param>
/// <param name="Gbs">Copying device memory, bytes read and written; 0 where it was not measured.</param>
internal readonly record struct Ceilings(double Gflops, double Gbs);

/// <summary>A median and what follows from it.</summary>
/// <param name="Benchmark">What was timed.</param>
/// <param name="Milliseconds">Median of a run.</param>
/// <param name="HostMilliseconds">Median of the time until the host had given all work to the device.</param>
/// <param name="Runs">How many there were.</param>
/// <param name="PeakBytes">The most memory that tensors took on the device, those of the model included.</param>
internal sealed record BenchmarkResult(Benchmark Benchmark, double Milliseconds, double HostMilliseconds, int Runs, long PeakBytes)
{
    /// <summary>Median part of the peak that was measured beside each run; null when it was not.</summary>
    public double? FractionOfPeakBeside { get; init; }

    /// <summary>The row as one JSON object.</summary>
    /// <param name="device">Where it ran.</param>
    /// <param name="peak">The ceilings measured in this process.</param>
    public string ToJson(Device device, Ceilings peak)
    {
        double gflops = Benchmark.Flops / Milliseconds / 1e6;
        return new JsonLine().Add("op", Benchmark.Op).Add("shape", Benchmark.Shape).Add("device", device.Name).Add("precision", Benchmark.Precision).Add("threads", Device.Threads)
            .Add("ms", Math.Round(Milliseconds, 4))
            .Add("host_ms", device.RunsAhead ? Math.Round(HostMilliseconds, 4) : null)
            .Add("replay_ms", Benchmark.Recording is { Contents: not null } recording ? Math.Round(recording.Milliseconds, 4) : null)
            .Add("graph", Benchmark.Recording?.Contents?.ToString())
            .Add("gflops", Benchmark.Flops > 0 ? Math.Round(gflops, 1) : null)
            .Add("gbs", Benchmark.Bytes > 0 ? Math.Round(Benchmark.Bytes / Milliseconds / 1e6, 2) : null)
            .Add("tflops", Benchmark.Flops > 0 && device.RunsAhead ? Math.Round(gflops / 1000, 1) : null)
            .Add("fraction_of_peak", Fraction(peak, gflops) is { } fraction ? Math.Round(fraction, 3) : null)
            .Add("us_per_token", Benchmark.Tokens > 0 ? Math.Round(Milliseconds * 1000 / Benchmark.Tokens, 4) : null)
            .Add("real_time_factor", Benchmark.AudioSeconds > 0 ? Math.Round(Milliseconds / 1000 / Benchmark.AudioSeconds, 6) : null)
            .Add("memory_bytes", Benchmark.HasMemory ? PeakBytes : null)
            .Add("runs", Runs).ToString();
    }

    private double? Fraction(Ceilings peak, double gflops)
    {
        if (Benchmark.Flops > 0)
        {
            return Benchmark.Precision == "fp32" ? FractionOfPeakBeside ?? (gflops / peak.Gflops) : null;
        }

        return Benchmark.Bytes > 0 && peak.Gbs > 0 ? Benchmark.Bytes / Milliseconds / 1e6 / peak.Gbs : null;
    }
}
