using System.Diagnostics;
using LinearCald.Distillation.Reporting;
using LinearCald.Tensors;

namespace LinearCald.Cli.Benchmarks;

/// <summary>One thing to time: its name, its shape, and the work that one run does.</summary>
/// <param name="Op">As the peers' scripts call it.</param>
/// <param name="Shape">Extents, for the reader.</param>
/// <param name="Run">Does it once.</param>
internal sealed record Benchmark(string Op, string Shape, Action Run)
{
    /// <summary>Floating-point operations of a run; 0 when a rate in GFLOP/s says nothing.</summary>
    public double Flops { get; init; }

    /// <summary>Bytes that must move: each tensor read or written once.</summary>
    public double Bytes { get; init; }

    /// <summary>Tokens of a run; 0 when there are none.</summary>
    public int Tokens { get; init; }

    /// <summary>Times it: a warm-up, then runs for about the given time, the median counts.</summary>
    public BenchmarkResult Measure(Device device, double seconds)
    {
        Run();
        device.Synchronize();
        List<double> times = [];
        long start = Stopwatch.GetTimestamp();
        while (times.Count < 3 || (Stopwatch.GetElapsedTime(start).TotalSeconds < seconds && times.Count < 2000))
        {
            long before = Stopwatch.GetTimestamp();
            Run();
            device.Synchronize();
            times.Add(Stopwatch.GetElapsedTime(before).TotalMilliseconds);
        }

        times.Sort();
        return new BenchmarkResult(this, times[times.Count / 2], times.Count);
    }
}

/// <summary>A median and what follows from it.</summary>
/// <param name="Benchmark">What was timed.</param>
/// <param name="Milliseconds">Median of a run.</param>
/// <param name="Runs">How many there were.</param>
internal sealed record BenchmarkResult(Benchmark Benchmark, double Milliseconds, int Runs)
{
    /// <summary>The row as one JSON object.</summary>
    /// <param name="device">Where it ran.</param>
    /// <param name="peak">The ceiling in GFLOP/s measured in this process.</param>
    public string ToJson(Device device, double peak)
    {
        double gflops = Benchmark.Flops / Milliseconds / 1e6;
        return new JsonLine().Add("op", Benchmark.Op).Add("shape", Benchmark.Shape).Add("device", device.Name).Add("precision", "fp32").Add("threads", Device.Threads)
            .Add("ms", Math.Round(Milliseconds, 4))
            .Add("gflops", Benchmark.Flops > 0 ? Math.Round(gflops, 1) : null)
            .Add("gbs", Benchmark.Bytes > 0 ? Math.Round(Benchmark.Bytes / Milliseconds / 1e6, 2) : null)
            .Add("fraction_of_peak", Benchmark.Flops > 0 ? Math.Round(gflops / peak, 3) : null)
            .Add("us_per_token", Benchmark.Tokens > 0 ? Math.Round(Milliseconds * 1000 / Benchmark.Tokens, 4) : null)
            .Add("runs", Runs).ToString();
    }
}
