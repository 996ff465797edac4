using LinearCald.Gpu.Tests.Compiler;

namespace LinearCald.Gpu.Tests.Language;

/// <summary>C# that kernels cannot have, refused with the reason and the line on which it stands.</summary>
public sealed class RefusalTests
{
    private interface IValue
    {
        int Value { get; }
    }

    [Theory]
    [InlineData(nameof(TryBlock), "try, using and lock")]
    [InlineData(nameof(LambdaCall), "class")]
    [InlineData(nameof(VirtualCall), "values stay unboxed")]
    [InlineData(nameof(InterfaceCall), "values stay unboxed")]
    [InlineData(nameof(ArrayElement), "there are no arrays")]
    [InlineData(nameof(StackMemory), "stackalloc")]
    [InlineData(nameof(FloatRemainder), "truncate")]
    [InlineData(nameof(LibraryCall), "class library")]
    [InlineData(nameof(DecimalSum), "class library")]
    [InlineData(nameof(CheckedConversion), "unchecked")]
    [InlineData(nameof(ChosenReference), "same on all paths")]
    [InlineData(nameof(WideShuffle), "4 or 8 bytes")]
    [InlineData(nameof(FarShuffle), "lanes are 0 to 31")]
    [InlineData(nameof(SmallAtomic), "can be updated")]
    [InlineData(nameof(SmallCopy), "As<UInt4>")]
    [InlineData(nameof(UnknownWait), "must be known")]
    [InlineData(nameof(BarrierNumber), "1 to 15")]
    [InlineData(nameof(OutsideTable), "of a table of")]
    [InlineData(nameof(RoundDigits), "ties to even")]
    [InlineData(nameof(DoubleEstimate), "float only")]
    public void RefusedWithReasonAndLine(string name, string reason)
    {
        Kernel kernel = TestKernels.Find(typeof(RefusalTests), name, true);
        CaldException e = Assert.ThrowsAny<CaldException>(() => TestKernels.Ptx(kernel, 64));
        Assert.Contains(reason, e.Message, StringComparison.Ordinal);
        Assert.Matches(@"RefusalTests\.cs:\d+", e.Message);
    }

    [Fact]
    public void FailedCompilationLeavesTheNextUntouched()
    {
        Kernel good = Kernel.Of(typeof(Golden.GoldenKernels).GetMethod(nameof(Golden.GoldenKernels.Axpy))!);
        string before = TestKernels.Ptx(good, 64);
        Assert.ThrowsAny<CaldException>(() => TestKernels.Ptx(TestKernels.Find(typeof(RefusalTests), nameof(ArrayElement), true), 64));
        Assert.Equal(before, TestKernels.Ptx(good, 64));
    }

    internal static void TryBlock(View<int> y, int n)
    {
        try
        {
            y[0] = n;
        }
        catch (ArithmeticException)
        {
            y[0] = -1;
        }
    }

    internal static void LambdaCall(View<int> y, int n)
    {
        Func<int, int> twice = x => x + n;
        y[0] = twice(n);
    }

    internal static void VirtualCall(View<int> y, int n) => y[0] = n.GetType().GetHashCode();

    internal static void InterfaceCall(View<int> y, int n)
    {
        IValue value = new Boxable(n);
        y[0] = value.Value;
    }

    internal static void ArrayElement(View<int> y, int n)
    {
        int[] values = new int[4];
        y[0] = values[n];
    }

    internal static void StackMemory(View<int> y, int n)
    {
        Span<int> values = stackalloc int[4];
        y[0] = values[n];
    }

    internal static void FloatRemainder(View<int> y, int n) => y[0] = (int)(n * 0.5f % 3f);

    internal static void LibraryCall(View<int> y, int n) => y[0] = Environment.TickCount + n;

    internal static void DecimalSum(View<int> y, int n) => y[0] = (int)(n * 1.5m);

    internal static void CheckedConversion(View<int> y, int n) => y[0] = checked((byte)n);

    internal static void ChosenReference(View<int> y, int n)
    {
        int a = n;
        int b = n + 1;
        ref int chosen = ref n > 3 ? ref a : ref b;
        chosen = 5;
        y[0] = a + b;
    }

    internal static void WideShuffle(View<int> y, int n) => y[0] = (int)Warp.ShuffleXor(new Float4(n, n, n, n), 1).X;

    internal static void FarShuffle(View<int> y, int n) => y[0] = Warp.ShuffleXor(n, 32);

    internal static void SmallAtomic(View<int> y, int n) => Atomic.Add(y.As<short>(), 0, (short)n);

    internal static void SmallCopy(View<int> y, int n)
    {
        ReadOnlyView<int> source = y;
        AsyncCopy.Copy(Shared.Allocate<short>(4), 0, source.As<short>(), n);
    }

    internal static void UnknownWait(View<int> y, int n) => AsyncCopy.Wait(n);

    internal static void BarrierNumber(View<int> y, int n) => Group.Barrier(16, 64);

    internal static void OutsideTable(View<int> y, int n)
    {
        ReadOnlySpan<int> table = [3, 1, 4, 1, 5];
        y[0] = table[5] + n;
    }

    internal static void RoundDigits(View<int> y, int n) => y[0] = (int)MathF.Round(n * 0.1f, 1);

    internal static void DoubleEstimate(View<int> y, int n) => y[0] = (int)Math.ReciprocalEstimate((double)n);

    private readonly struct Boxable(int value) : IValue
    {
        public int Value => value;
    }
}
