using FsCheck;
using FsCheck.Fluent;
using LinearCald.Gpu.Tests.Driver;
using LinearCald.Testing.Ptx;

namespace LinearCald.Gpu.Tests.Language.Generated;

/// <summary>Random programs, compiled and run in the emulator against the same IL run by .NET. A failure shrinks to a small program, which the message shows.</summary>
public class GeneratedKernelTests
{
    private const int Threads = 32;
    private static readonly int[] s_wholes = [0, 1, -1, 3, 8, 255, int.MaxValue, int.MinValue];
    private static readonly double[] s_reals = [0, -0.0, 1, -1.5, 1e10, -1e-42, double.NaN, double.NegativeInfinity];

    [Fact]
    public void RandomProgramsEqualDotNet()
    {
        using EmulatorAccelerator emulator = Compilation.Emulator();
        Check(emulator, 200, 12, 1);
    }

    [Fact]
    public void LargeRandomProgramsEqualDotNet()
    {
        using EmulatorAccelerator emulator = Compilation.Emulator();
        Check(emulator, 30, 60, 2);
    }

    [CudaFact]
    public void RandomProgramsOnAGpuEqualDotNet()
    {
        using Accelerator gpu = Accelerator.Open("cuda:0");
        Check(gpu, 60, 20, 3);
    }

    private static void Check(Accelerator accelerator, int count, int size, ulong seed)
    {
        Arbitrary<Block> programs = Arb.From(Gen.Choose(0, int.MaxValue).Select(s => new ProgramGenerator(s, size).Make()), ProgramShrinker.Shrink);
        Prop.ForAll(programs, program =>
        {
            string? difference = Difference(accelerator, program);
            return (difference is null).Label(difference ?? "");
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(count).WithReplay(seed, 1));
    }

    /// <summary>What the first thread that differs gives and should give; or why the program was not compiled.</summary>
    private static string? Difference(Accelerator accelerator, Block program)
    {
        (ProgramEmitter.Function function, Kernel kernel) = ProgramEmitter.Build(program);
        Random random = new(9);
        int[] a = Inputs(i => i < s_wholes.Length ? s_wholes[i] : random.Next(-1000, 1000));
        uint[] b = Inputs(i => i < s_wholes.Length ? (uint)s_wholes[^(i + 1)] : (uint)random.Next());
        long[] c = Inputs(i => i < s_wholes.Length ? s_wholes[i] * 3_000_000_019L : random.NextInt64(long.MinValue, long.MaxValue));
        float[] d = Inputs(i => i < s_reals.Length ? (float)s_reals[i] : (float)(random.NextDouble() * 200) - 100);
        double[] e = Inputs(i => i < s_reals.Length ? s_reals[^(i + 1)] : (random.NextDouble() * 1e6) - 5e5);
        long[] results;
        try
        {
            using DeviceBuffer<int> da = accelerator.Allocate<int>(a);
            using DeviceBuffer<uint> db = accelerator.Allocate<uint>(b);
            using DeviceBuffer<long> dc = accelerator.Allocate<long>(c);
            using DeviceBuffer<float> dd = accelerator.Allocate<float>(d);
            using DeviceBuffer<double> de = accelerator.Allocate<double>(e);
            using DeviceBuffer<long> y = accelerator.Allocate<long>(Threads);
            accelerator.Launch(kernel, new LaunchShape(1, Threads), da.ReadOnly, db.ReadOnly, dc.ReadOnly, dd.ReadOnly, de.ReadOnly, y.View);
            results = y.ToArray();
        }
        catch (CaldException refusal)
        {
            return refusal.ToString();
        }

        for (int i = 0; i < Threads; i++)
        {
            long expected = function(a[i], b[i], c[i], d[i], e[i]);
            if (expected != results[i])
            {
                return $"({a[i]}, {b[i]}, {c[i]}, {d[i]:R}, {e[i]:R}) gives {results[i]}, should be {expected}\n{Compilation.Compile(kernel, Threads, []).Ptx}";
            }
        }

        return null;
    }

    private static T[] Inputs<T>(Func<int, T> value) => [.. Enumerable.Range(0, Threads).Select(value)];
}
