using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using LinearCald.Distillation.Reporting;
using LinearCald.Gpu.Driver;
using LinearCald.Tensors;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Cli.Commands;

/// <summary>`cald doctor`: what this machine can compute on, each part tried. Absent is no fault; present and broken is.</summary>
internal sealed class DoctorCommand : CaldCommand
{
    private const int Size = 48;

    public DoctorCommand()
        : base(
            "doctor",
            "Checks what this machine can compute on: driver, GPUs, instruction sets, and a small product on each device.",
            "",
            "--device cuda --json")
    {
        Add(CommonOptions.Device);
        Add(CommonOptions.Json);
    }

    public override int Execute(Session session)
    {
        List<Finding> findings = [.. Processor()];
        int gpus = CudaAccelerator.DeviceCount(out string reason);
        findings.Add(gpus > 0 ? new Finding("driver", "ok", $"{gpus} GPU{(gpus == 1 ? "" : "s")}") : new Finding("driver", "absent", reason));
        string? only = session.Arguments.GetResult(CommonOptions.Device) is { Implicit: false } ? session.Arguments.GetValue(CommonOptions.Device) : null;
        IEnumerable<string> devices = only is not null ? [only] : ["cpu", "debug", .. Enumerable.Range(0, gpus).Select(i => string.Create(CultureInfo.InvariantCulture, $"cuda:{i}"))];
        findings.AddRange(devices.Select(Try));
        (string folder, long bytes, int kernels) = CudaAccelerator.KernelCache();
        findings.Add(new Finding("kernel cache", "ok", string.Create(CultureInfo.InvariantCulture, $"{folder}: {kernels} kernels, {bytes / 1e6:F1} MB")));

        TextTable table = new("part", "state", "ms", "what");
        foreach (Finding finding in findings)
        {
            if (session.Json)
                session.Terminal.Out.WriteLine(finding.ToJson());
            table.Add(finding.Part, finding.State, finding.Milliseconds is { } ms ? ms.ToString("F2", CultureInfo.InvariantCulture) : "", finding.What);
        }

        if (!session.Json)
            session.Terminal.Out.Write(table);
        return findings.Any(f => f.State == "broken") ? CommandLine.Failed : CommandLine.Done;
    }

    private static IEnumerable<Finding> Processor()
    {
        (string Name, bool Has)[] sets =
        [
            ("AVX-512", Avx512F.IsSupported), ("AVX2", Avx2.IsSupported), ("FMA", Fma.IsSupported), ("SSE4.2", Sse42.IsSupported), ("AdvSimd", AdvSimd.IsSupported),
        ];
        yield return new Finding("processor", "ok", string.Create(
            CultureInfo.InvariantCulture,
            $"{RuntimeInformation.ProcessArchitecture}, {string.Join(", ", sets.Where(s => s.Has).Select(s => s.Name))}, {Environment.ProcessorCount} cores, {Device.Threads} threads"));
        yield return new Finding("runtime", "ok", $"{RuntimeInformation.FrameworkDescription} on {RuntimeInformation.OSDescription}");
    }

    /// <summary>A product of whole numbers, which every device computes exactly; run twice, so that the time is not that of compiling.</summary>
    private static Finding Try(string name)
    {
        try
        {
            Device device = Device.Parse(name);
            using MemoryScope scope = MemoryScope.Begin();
            float[] a = Numbers(7), b = Numbers(5);
            Tensor x = Tensor.From(device, new Shape(Size, Size), a), y = Tensor.From(device, new Shape(Size, Size), b);
            float[] actual = x.MatMul(y).ToArray<float>();
            long start = Stopwatch.GetTimestamp();
            actual = x.MatMul(y).ToArray<float>();
            double milliseconds = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            bool right = actual.AsSpan().SequenceEqual(Product(a, b));
            return new Finding(name, right ? "ok" : "broken", right ? device.Description : $"{device.Description}; a product of {Size} × {Size} whole numbers comes out wrong", milliseconds);
        }
        catch (CaldException e)
        {
            bool absent = name.StartsWith("cuda", StringComparison.Ordinal) && !CudaAccelerator.IsAvailable(out _);
            return new Finding(name, absent ? "absent" : "broken", e.Message);
        }
    }

    private static float[] Numbers(int modulus)
    {
        float[] values = new float[Size * Size];
        for (int i = 0; i < values.Length; i++)
            values[i] = (i % modulus) - (modulus / 2);
        return values;
    }

    private static float[] Product(float[] a, float[] b)
    {
        float[] c = new float[Size * Size];
        for (int i = 0; i < c.Length; i++)
        {
            for (int k = 0; k < Size; k++)
                c[i] += a[(i / Size * Size) + k] * b[(k * Size) + (i % Size)];
        }

        return c;
    }

    private sealed record Finding(string Part, string State, string What, double? Milliseconds = null)
    {
        public string ToJson() => new JsonLine().Add("part", Part).Add("state", State).Add("what", What).Add("ms", Milliseconds).ToString();
    }
}
