using System.Text.RegularExpressions;
using LinearCald.Testing.Ptx;

namespace LinearCald.Gpu.Tests.Compiler;

/// <summary>The kernels by which the compiler is judged: exact on the emulator, and the shape of their hot loops.</summary>
public sealed partial class NumericTests
{
    public static TheoryData<bool> Both => [true, false];

    [Theory]
    [MemberData(nameof(Both))]
    public void AddsVectors(bool optimised)
    {
        Kernel kernel = TestKernels.Find(typeof(NumericKernels), nameof(NumericKernels.VectorAdd), optimised);
        using EmulatorAccelerator device = new();
        float[] a = Numbers(1000, 1);
        float[] b = Numbers(1000, 2);
        using DeviceBuffer<float> x = device.Allocate<float>(a);
        using DeviceBuffer<float> y = device.Allocate<float>(b);
        using DeviceBuffer<float> z = device.Allocate<float>(1000);
        device.Launch(kernel, LaunchShape.For(1000), x.ReadOnly, y.ReadOnly, z.View, 1000);
        Assert.Equal(a.Zip(b, (p, q) => p + q), z.ToArray());
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void SumsByShuffles(bool optimised) => SameAsDirect(optimised, nameof(NumericKernels.Sum), (device, kernel) =>
    {
        using DeviceBuffer<float> x = device.Allocate<float>(Numbers(777, 3));
        using DeviceBuffer<float> y = device.Allocate<float>(3);
        device.Launch(kernel, new LaunchShape(3, 64), x.ReadOnly, y.View, 777);
        return y.ToArray();
    });

    [Theory]
    [MemberData(nameof(Both))]
    public void NormalisesRows(bool optimised) => SameAsDirect(optimised, nameof(NumericKernels.NormaliseRow), (device, kernel) =>
    {
        using DeviceBuffer<float> x = device.Allocate<float>(Numbers(5 * 77, 4));
        using DeviceBuffer<float> y = device.Allocate<float>(5 * 77);
        device.Launch(kernel, new LaunchShape(5, 32), x.ReadOnly, y.View, 77);
        return y.ToArray();
    });

    [Theory]
    [MemberData(nameof(Both))]
    public void ScansSixteenStates(bool optimised)
    {
        SameAsDirect(optimised, nameof(NumericKernels.Scan), (device, kernel) =>
        {
            using DeviceBuffer<float> u = device.Allocate<float>(Numbers(32 * 9, 5));
            using DeviceBuffer<float> d = device.Allocate<float>(Numbers(32 * 16, 6));
            using DeviceBuffer<float> y = device.Allocate<float>(32 * 9);
            device.Launch(kernel, new LaunchShape(1, 32), u.ReadOnly, d.ReadOnly, y.View, 9);
            return y.ToArray();
        });
        string loop = HotLoop(TestKernels.Ptx(TestKernels.Find(typeof(NumericKernels), nameof(NumericKernels.Scan), optimised), 32));
        Assert.Equal(16, Matches(loop, "fma.rn.f32"));
        Assert.Equal(0, Matches(loop, "mov."));
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void MultipliesMatrices(bool optimised)
    {
        Kernel kernel = TestKernels.Find(typeof(NumericKernels), nameof(NumericKernels.Gemm), optimised);
        const int Depth = 48;
        float[] a = Numbers(128 * Depth, 7);
        float[] b = Numbers(Depth * 128, 8);
        using EmulatorAccelerator device = new();
        using DeviceBuffer<float> x = device.Allocate<float>(a);
        using DeviceBuffer<float> y = device.Allocate<float>(b);
        using DeviceBuffer<float> z = device.Allocate<float>(128 * 128);
        device.Launch(kernel, new LaunchShape(1, 256), x.ReadOnly, y.ReadOnly, z.View, 128, Depth);
        float[] c = z.ToArray();
        for (int i = 0; i < 128; i++)
        {
            for (int j = 0; j < 128; j++)
            {
                float sum = 0;
                for (int k = 0; k < Depth; k++)
                {
                    sum = MathF.FusedMultiplyAdd(a[(i * Depth) + k], b[(k * 128) + j], sum);
                }

                Assert.Equal(sum, c[(i * 128) + j]);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void TheMatrixLoopIsClean(bool optimised)
    {
        CompiledKernel compiled = TestKernels.Compile(TestKernels.Find(typeof(NumericKernels), nameof(NumericKernels.Gemm), optimised), 256, 1024, 1024);
        string loop = HotLoop(compiled.Ptx);
        Assert.Equal(8 * 8 * 16, Matches(loop, "fma.rn.f32"));
        Assert.Equal(4 * 16, Matches(loop, "ld.shared.v4.f32"));
        Assert.Equal(0, Matches(loop, "mov."));
        Assert.Equal(0, Matches(loop, "cvt."));
        Assert.Equal(0, Matches(loop, "div.") + Matches(loop, "rem."));
        Assert.Equal(2 * 16 * 128 * 4, compiled.SharedBytes);
        Assert.Equal(0, compiled.DynamicSharedBytes);
    }

    private static void SameAsDirect(bool optimised, string name, Func<Accelerator, Kernel, float[]> run)
    {
        Kernel kernel = TestKernels.Find(typeof(NumericKernels), name, optimised);
        using EmulatorAccelerator emulator = new();
        using DebugAccelerator direct = new();
        Assert.Equal(run(direct, kernel), run(emulator, kernel));
    }

    private static float[] Numbers(int count, int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() * 2) - 1)];
    }

    private static int Matches(string text, string mnemonic) => Regex.Count(text, $@"^\s*{Regex.Escape(mnemonic)}", RegexOptions.Multiline);

    /// <summary>From the label of the last loop to the jump back to it.</summary>
    private static string HotLoop(string ptx)
    {
        Match head = LoopHead().Matches(ptx)[^1];
        int end = ptx.IndexOf($"bra {head.Groups[1].Value};", head.Index, StringComparison.Ordinal);
        return ptx[head.Index..end];
    }

    [GeneratedRegex(@"^(\$L\d+): // loop", RegexOptions.Multiline)]
    private static partial Regex LoopHead();
}
