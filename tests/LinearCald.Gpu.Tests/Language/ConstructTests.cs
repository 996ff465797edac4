using LinearCald.Gpu.Tests.Compiler;
using LinearCald.Gpu.Tests.Driver;
using LinearCald.Gpu.Tests.Language.Constructs;
using LinearCald.Testing.Ptx;

namespace LinearCald.Gpu.Tests.Language;

/// <summary>Every construct that kernels may use, compiled and run in the emulator against the same method on the debug device: bit for bit.</summary>
public class ConstructTests
{
    private const int Threads = 64;
    private const int Groups = 3;
    private static readonly int[] s_edges = [0, 1, -1, 2, 7, 15, 16, 31, 64, 255, 256, 1000, int.MaxValue, int.MinValue, -7, 0x3F800000, 0x7F7FFFFF, 0x00400000];

    public static TheoryData<string, bool> Loops => Names(typeof(LoopKernels));

    public static TheoryData<string, bool> Values => Names(typeof(ValueKernels));

    public static TheoryData<string, bool> Generics => Names(typeof(GenericKernels));

    public static TheoryData<string, bool> Cooperation => Names(typeof(SharedKernels));

    public static TheoryData<string, bool> Intrinsics => Names(typeof(IntrinsicKernels));

    [Theory]
    [MemberData(nameof(Loops))]
    public void LoopsEqualTheMethod(string name, bool optimised) => Check(typeof(LoopKernels), name, optimised);

    [Theory]
    [MemberData(nameof(Values))]
    public void ValuesEqualTheMethod(string name, bool optimised) => Check(typeof(ValueKernels), name, optimised);

    [Theory]
    [MemberData(nameof(Generics))]
    public void GenericsEqualTheMethod(string name, bool optimised) => Check(typeof(GenericKernels), name, optimised);

    [Theory]
    [MemberData(nameof(Cooperation))]
    public void CooperationEqualsTheMethod(string name, bool optimised) => Check(typeof(SharedKernels), name, optimised);

    [Theory]
    [MemberData(nameof(Intrinsics))]
    public void IntrinsicsEqualTheMethod(string name, bool optimised) => Check(typeof(IntrinsicKernels), name, optimised);

    /// <summary>One test for all, so that the device is opened once; every kernel that differs or is not assembled is named.</summary>
    [CudaFact]
    public void EveryConstructOnAGpu()
    {
        List<string> wrong = [];
        using Accelerator gpu = Accelerator.Open("cuda:0");
        using DebugAccelerator debug = new();
        foreach (Type type in new[] { typeof(LoopKernels), typeof(ValueKernels), typeof(GenericKernels), typeof(SharedKernels), typeof(IntrinsicKernels) })
        {
            foreach (string name in TestKernels.Names(type))
            {
                Kernel kernel = TestKernels.Find(type, name, true);
                (int[] a, int[] b) = Inputs(name);
                try
                {
                    int[] expected = Run(debug, kernel, a, b);
                    int[] actual = Run(gpu, kernel, a, b);
                    int first = Enumerable.Range(0, a.Length).FirstOrDefault(i => expected[i] != actual[i], -1);
                    if (first >= 0)
                    {
                        wrong.Add($"{name} on ({a[first]}, {b[first]}) gives {actual[first]}, should be {expected[first]}");
                    }
                }
                catch (CaldException e)
                {
                    wrong.Add($"{name}: {e.Message}");
                }
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    /// <summary>Every kernel from the IL of a release and from that made for debugging.</summary>
    private static TheoryData<string, bool> Names(Type type)
    {
        TheoryData<string, bool> names = [];
        foreach (string name in TestKernels.Names(type))
        {
            names.Add(name, true);
            names.Add(name, false);
        }

        return names;
    }

    private static void Check(Type type, string name, bool optimised)
    {
        Kernel kernel = TestKernels.Find(type, name, optimised);
        (int[] a, int[] b) = Inputs(name);
        using DebugAccelerator debug = new();
        int[] expected = Run(debug, kernel, a, b);
        foreach (Schedule schedule in Enum.GetValues<Schedule>())
        {
            using EmulatorAccelerator emulator = Compilation.Emulator(new EmulatorOptions { Schedule = schedule, Seed = 3 });
            int[] actual = Run(emulator, kernel, a, b);
            for (int i = 0; i < expected.Length; i++)
            {
                Assert.True(
                    expected[i] == actual[i],
                    $"{name} on ({a[i]}, {b[i]}) gives {actual[i]}, should be {expected[i]}\n{Compilation.Compile(kernel, Threads, []).Ptx}");
            }
        }
    }

    private static int[] Run(Accelerator accelerator, Kernel kernel, int[] a, int[] b)
    {
        using DeviceBuffer<int> x = accelerator.Allocate<int>(a);
        using DeviceBuffer<int> y = accelerator.Allocate<int>(b);
        using DeviceBuffer<int> result = accelerator.Allocate<int>(new int[a.Length]);
        accelerator.Launch(kernel, new LaunchShape(Groups, Threads), x.ReadOnly, y.ReadOnly, result.View);
        return result.ToArray();
    }

    /// <summary>Edge cases in every pairing at first, then small and large numbers at random.</summary>
    private static (int[] A, int[] B) Inputs(string name)
    {
        // A seed that is the same in every process, as a string's hash is not.
        Random random = new(name.Sum(c => c));
        int[] a = new int[Threads * Groups];
        int[] b = new int[Threads * Groups];
        for (int i = 0; i < a.Length; i++)
        {
            bool edge = i < 96;
            a[i] = edge ? s_edges[i % s_edges.Length] : random.Next(2) == 0 ? random.Next(-300, 300) : random.Next(int.MinValue, int.MaxValue);
            b[i] = edge ? s_edges[i / s_edges.Length * 5 % s_edges.Length] : random.Next(2) == 0 ? random.Next(-300, 300) : random.Next(int.MinValue, int.MaxValue);
        }

        return (a, b);
    }
}
