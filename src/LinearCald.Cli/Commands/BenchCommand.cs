using System.CommandLine;
using LinearCald.Cli.Benchmarks;
using LinearCald.Distillation.Reporting;
using LinearCald.Tensors;
using LinearCald.Tensors.Memory;

namespace LinearCald.Cli.Commands;

/// <summary>`cald bench`: times operations, training steps and inference.</summary>
internal sealed class BenchCommand : CaldCommand
{
    private static readonly Argument<string[]> Names = new("NAME")
    {
        Description = "What to time: names, or beginnings of names, optionally with =SHAPE; none = everything. --list names them",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private static readonly Option<bool> List = new("--list") { Description = "Print the names and shapes instead of timing" };

    private static readonly Option<double> Budget = new("--budget")
    {
        Description = "Seconds for each measure",
        HelpName = "SECONDS",
        DefaultValueFactory = _ => 2,
    };

    public BenchCommand()
        : base(
            "bench",
            "Times our operations, training steps and inference on random data; JSON lines with medians, rates and the fraction of the measured peak.",
            "matmul softmax",
            "encoder_train_step=tiny encoder_train_step=small --threads 2",
            "student_inference_length # cost a token against length")
    {
        Add(Names);
        Add(List);
        Add(Budget);
        CommonOptions.AddCompute(this);
    }

    public override int Execute(Session session)
    {
        Device device = RunOptions.DeviceOf(session);
        string[] names = session.Arguments.GetValue(Names) ?? [];
        (string Op, string Shape, Func<Benchmark> Make)[] all =
        [
            .. device.RunsAhead ? GpuBenchmarks.All(device) : OperatorBenchmarks.All(device).Select(b => (b.Op, b.Shape, (Func<Benchmark>)(() => b))),
            .. SequenceBenchmarks.All(device),
            .. ConvolutionBenchmarks.All(device),
            .. ScanBenchmarks.All(device),
            .. SsdBenchmarks.All(device),
            .. CtcBenchmarks.All(device),
            .. EncoderBenchmarks.All(device),
            .. LanguageBenchmarks.All(device),
            .. SpeechBenchmarks.All(device),
        ];
        (string Op, string Shape, Func<Benchmark> Make)[] chosen = [.. all.Where(b => names.Length == 0 || names.Any(n => Matches(n, b.Op, b.Shape)))];
        foreach (string name in names.Where(n => !all.Any(b => Matches(n, b.Op, b.Shape))))
            throw new CaldException($"nothing to time is called '{name}'; cald bench --list names everything");
        if (session.Arguments.GetValue(List))
        {
            foreach ((string op, string shape, _) in chosen)
                session.Terminal.Out.WriteLine($"{op}={shape}");
            return CommandLine.Done;
        }

        double flops = device.MeasurePeak();
        double bytes = 0;
        session.Terminal.Out.WriteLine(new JsonLine().Add("op", "fma_peak").Add("shape", "registers").Add("device", device.Name).Add("precision", "fp32")
            .Add("threads", Device.Threads).Add("gflops", Math.Round(flops, 1)));
        if (device.RunsAhead)
        {
            using MemoryScope scope = MemoryScope.Begin();
            BenchmarkResult copy = GpuBenchmarks.All(device).First().Make().Measure(device, 0.5);
            bytes = copy.Benchmark.Bytes / copy.Milliseconds / 1e6;
        }

        Ceilings peak = new(flops, bytes);
        foreach ((_, _, Func<Benchmark> make) in chosen)
        {
            // What an earlier benchmark left in the pool would serve this one with blocks up to half larger than it asks for, and count as its memory.
            device.TrimMemory();
            using MemoryScope scope = MemoryScope.Begin();
            using Benchmark benchmark = make();
            session.Terminal.Out.WriteLine(benchmark.Measure(device, session.Arguments.GetValue(Budget)).ToJson(device, peak));
            session.Terminal.Out.Flush();
        }

        return CommandLine.Done;
    }

    private static bool Matches(string name, string op, string shape) => name.Split('=', 2) is [{ } wanted, { } size]
        ? op.StartsWith(wanted, StringComparison.Ordinal) && size == shape
        : op.StartsWith(name, StringComparison.Ordinal);
}
