using LinearCald.Testing.Ptx;

namespace LinearCald.Gpu.Tests.Compiler;

/// <summary>Kernels full of control flow give, compiled and emulated, what the same methods give when run as they are.</summary>
public sealed class FlowTests
{
    private const int Threads = 32;

    public static TheoryData<string, bool> Kernels
    {
        get
        {
            TheoryData<string, bool> data = [];
            foreach (string name in TestKernels.Names(typeof(FlowKernels)))
            {
                data.Add(name, true);
                data.Add(name, false);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void EmulatedEqualsDirect(string name, bool optimised)
    {
        Kernel kernel = TestKernels.Find(typeof(FlowKernels), name, optimised);
        using EmulatorAccelerator emulator = new();
        using DebugAccelerator direct = new();
        Random random = new(name.Length * 31);
        for (int n = -1; n < 10; n++)
        {
            int[] x = [.. Enumerable.Range(0, 64).Select(_ => random.Next(-20, 21))];
            Assert.Equal(Run(direct, kernel, x, n), Run(emulator, kernel, x, n));
        }
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void CompilationIsDeterministic(string name, bool optimised)
    {
        Kernel kernel = TestKernels.Find(typeof(FlowKernels), name, optimised);
        Assert.Equal(TestKernels.Ptx(kernel, Threads), TestKernels.Ptx(kernel, Threads));
    }

    /// <summary>Whether a loop unrolls must not hang on how the C# compiler split its condition.</summary>
    [Fact]
    public void DebugAndReleaseUnrollTheSameLoops()
    {
        foreach (string name in TestKernels.Names(typeof(FlowKernels)))
        {
            int loops = Count(TestKernels.Find(typeof(FlowKernels), name, true));
            Assert.True(loops == Count(TestKernels.Find(typeof(FlowKernels), name, false)), name);
        }

        static int Count(Kernel kernel) => TestKernels.Ptx(kernel, Threads).Split("// loop").Length - 1;
    }

    private static int[] Run(Accelerator device, Kernel kernel, int[] x, int n)
    {
        using DeviceBuffer<int> input = device.Allocate<int>(x);
        using DeviceBuffer<int> output = device.Allocate<int>(Threads);
        device.Launch(kernel, new LaunchShape(1, Threads), input.ReadOnly, output.View, n);
        return output.ToArray();
    }
}
