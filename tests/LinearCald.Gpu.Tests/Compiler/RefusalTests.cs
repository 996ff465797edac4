namespace LinearCald.Gpu.Tests.Compiler;

/// <summary>What cannot be compiled is refused with the construct, the place and what to write instead.</summary>
public sealed class RefusalTests
{
    private static readonly int[] s_table = [1, 2, 3];
    private static int s_counter = 1;

    [Theory]
    [InlineData(nameof(UnknownRegister), "must be known to the compiler")]
    [InlineData(nameof(RegisterOutside), "register 8 of 8")]
    [InlineData(nameof(AllocationInALoop), "Shared.Allocate inside a loop")]
    [InlineData(nameof(MutableStatic), "can change")]
    [InlineData(nameof(StaticArray), "holds a Int32[]")]
    [InlineData(nameof(DividedBarrier), "differs between threads")]
    [InlineData(nameof(BarrierAfterReturn), "differs between threads")]
    [InlineData(nameof(BarrierInADividedLoop), "differs between threads")]
    [InlineData(nameof(CheckedSum), "unchecked")]
    [InlineData(nameof(NewObject), "class Object")]
    [InlineData(nameof(UnknownUnroll), "Loop.Unroll")]
    [InlineData(nameof(Pointer), "indexers of View")]
    [InlineData(nameof(EndlessRecursion), "recursion")]
    public void Refuses(string name, string reason)
    {
        Kernel kernel = TestKernels.Find(typeof(RefusalTests), name, true);
        CaldException e = Assert.Throws<CaldException>(() => Compile(kernel));
        Assert.Contains($"kernel {name}", e.Message, StringComparison.Ordinal);
        Assert.Contains(reason, e.Message, StringComparison.Ordinal);
        Assert.Contains("RefusalTests.cs:", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void NamesTheChainOfCalls()
    {
        CaldException e = Assert.Throws<CaldException>(() => Compile(TestKernels.Find(typeof(RefusalTests), nameof(MutableStatic), true)));
        Assert.Matches(@"at RefusalTests\.ReadCounter \(RefusalTests\.cs:\d+\)\n   at RefusalTests\.MutableStatic \(RefusalTests\.cs:\d+\)", e.Message);
    }

    [Fact]
    public void RefusesGroupsThatNoDeviceHas() =>
        Assert.Contains("1 to 1024", Assert.Throws<CaldException>(() => TestKernels.Ptx(TestKernels.Find(typeof(RefusalTests), nameof(Fine), true), 2048)).Message, StringComparison.Ordinal);

    [Fact]
    public void AllowsBarriersWhereThreadsAgree() => Assert.Contains("bar.sync", TestKernels.Ptx(TestKernels.Find(typeof(RefusalTests), nameof(Fine), true), 64), StringComparison.Ordinal);

    internal static void Fine(View<int> y, int n)
    {
        for (int i = 0; i < n; i++)
        {
            if (y[i] > 3)
            {
                Group.Barrier();
            }

            if (Group.Thread < i)
            {
                y[Group.Thread] = i;
            }

            Group.Barrier();
        }
    }

    internal static void UnknownRegister(View<int> y, int n)
    {
        Registers<int, N8> r = default;
        r[n] = 1;
        y[0] = r[0];
    }

    internal static void RegisterOutside(View<int> y, int n)
    {
        Registers<int, N8> r = default;
        r[8] = n;
        y[0] = r[0];
    }

    internal static void AllocationInALoop(View<int> y, int n)
    {
        for (int i = 0; i < n; i++)
        {
            Shared<int> s = Shared.Allocate<int>(4);
            s[0] = i;
            y[i] = s[0];
        }
    }

    internal static void MutableStatic(View<int> y, int n) => y[0] = n + ReadCounter();

    internal static void StaticArray(View<int> y, int n) => y[0] = s_table[n];

    internal static void DividedBarrier(View<int> y, int n)
    {
        if (Group.Thread < n)
        {
            Group.Barrier();
        }

        y[0] = n;
    }

    internal static void BarrierAfterReturn(View<int> y, int n)
    {
        if (Grid.ThreadX >= n)
        {
            return;
        }

        y[0] = n;
        Group.Barrier();
    }

    internal static void BarrierInADividedLoop(View<int> y, int n)
    {
        for (int i = Group.Thread; i < n; i += 7)
        {
            y[i] = n;
            Group.Barrier();
        }
    }

    internal static void CheckedSum(View<int> y, int n) => y[0] = checked(n + 1);

    internal static void NewObject(View<int> y, int n) => y[0] = new object() is null ? n : 0;

    internal static void UnknownUnroll(View<int> y, int n)
    {
        for (int i = 0; i < n; i++)
        {
            Loop.Unroll();
            y[i] = i;
        }
    }

    internal static unsafe void Pointer(View<int> y, int n) => *y.Address = n;

    internal static void EndlessRecursion(View<int> y, int n) => y[0] = Again(n);

    private static int Again(int n) => n + Again(n + 1);

    private static int ReadCounter() => s_counter++;

    private static CompiledKernel Compile(Kernel kernel) => TestKernels.Compile(kernel, 64);
}
