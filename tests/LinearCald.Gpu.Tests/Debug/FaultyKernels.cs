namespace LinearCald.Gpu.Tests;

/// <summary>One mistake a kernel.</summary>
internal static class FaultyKernels
{
    public static void WriteBeyond(View<int> data) => data[Group.Thread + 1] = 1;

    public static void ReadBefore(ReadOnlyView<int> data, View<int> output) => output[Group.Thread] = data[Group.Thread - 1];

    public static void NegativeSlice(View<int> data) => data.From(data.Length + 1)[Group.Thread] = 1;

    public static void SharedBeyond(View<int> output)
    {
        Shared<int> buffer = Shared.Allocate<int>(Group.Size);
        buffer[Group.Thread + 1] = 1;
        output[Group.Thread] = 1;
    }

    public static void SharedUnwritten(View<int> output)
    {
        Shared<int> buffer = Shared.Allocate<int>(Group.Size + 1);
        buffer[Group.Thread] = 1;
        Group.Barrier();
        output[Group.Thread] = buffer[Group.Thread + 1];
    }

    /// <summary>No barrier between write and read: right in ascending order by luck.</summary>
    public static void ReadRace(View<int> output)
    {
        Shared<int> buffer = Shared.Allocate<int>(Group.Size);
        buffer[Group.Thread] = 1;
        output[Group.Thread] = Group.Thread > 0 ? buffer[Group.Thread - 1] : 0;
    }

    public static void WriteRace(View<int> output)
    {
        Shared<int> buffer = Shared.Allocate<int>(1);
        buffer[0] = Group.Thread;
        output[Group.Thread] = 1;
    }

    /// <summary>The second round overwrites what others may still read.</summary>
    public static void ReuseRace(View<int> output)
    {
        Shared<int> buffer = Shared.Allocate<int>(Group.Size);
        int sum = 0;
        for (int i = 0; i < 2; i++)
        {
            buffer[Group.Thread] = i;
            Group.Barrier();
            sum += buffer[Group.Size - 1 - Group.Thread];
        }

        output[Group.Thread] = sum;
    }

    public static void ReadThenWrite(View<int> output)
    {
        Shared<int> buffer = Shared.Allocate<int>(Group.Size);
        buffer[Group.Thread] = 1;
        Group.Barrier();
        output[Group.Thread] = buffer[(Group.Thread + 1) % Group.Size];
        buffer[Group.Thread] = 2;
    }

    /// <summary>A warp barrier orders nothing between warps.</summary>
    public static void WarpBarrierAcrossWarps(View<int> output)
    {
        Shared<int> buffer = Shared.Allocate<int>(Group.Size);
        buffer[Group.Thread] = 1;
        Warp.Barrier();
        output[Group.Thread] = buffer[31 - (Group.Thread & 31)];
    }

    public static void BarrierUnderCondition(View<int> output)
    {
        output[Group.Thread] = 1;
        if (Group.Thread < 16)
            Group.Barrier();
    }

    public static void TwoBarriers(View<int> output)
    {
        if (Group.Thread % 2 == 0)
        {
            output[Group.Thread] = 1;
            Group.Barrier();
        }
        else
        {
            output[Group.Thread] = 2;
            Group.Barrier();
        }
    }

    public static void HalfWarpShuffle(View<int> output)
    {
        if (Warp.Lane < 16)
            output[Group.Thread] = Warp.ShuffleXor(1, 1);
    }

    public static void MixedWarpOperations(View<int> output) =>
        output[Group.Thread] = Warp.Lane < 16 ? Warp.ShuffleXor(1, 1) : Warp.ReduceAdd(1);

    public static void ShuffleFromNobody(View<int> output) => output[Group.Thread] = Warp.ShuffleXor(1, 1);

    public static void UnequalAllocations(View<int> output)
    {
        Shared<int> buffer = Shared.Allocate<int>(Group.Thread + 1);
        buffer[0] = 1;
        output[Group.Thread] = 1;
    }

    public static void TooMuchShared(View<int> output)
    {
        Shared<int> buffer = Shared.Allocate<int>(100_000);
        buffer[0] = 1;
        output[0] = 1;
    }

    public static void Misaligned(View<float> data) => data.From(1).As<Float4>()[0] = default;

    public static void ReadBeforeWait(ReadOnlyView<int> input, View<int> output)
    {
        Shared<int> buffer = Shared.Allocate<int>(Group.Size);
        AsyncCopy.Copy(buffer, Group.Thread, input, Group.Thread);
        AsyncCopy.Commit();
        output[Group.Thread] = buffer[Group.Thread];
    }

    public static void ReadBeforeBarrier(ReadOnlyView<int> input, View<int> output)
    {
        Shared<int> buffer = Shared.Allocate<int>(Group.Size);
        AsyncCopy.Copy(buffer, Group.Thread, input, Group.Thread);
        AsyncCopy.Commit();
        AsyncCopy.Wait(0);
        output[Group.Thread] = buffer[Group.Thread ^ 1];
    }

    public static void DivideByZero(View<int> output) => output[Group.Thread] = 1 / (int)(output.Length - output.Length);

    /// <summary>One lane fails when all others wait.</summary>
    public static void FailAmongWaiters(View<int> output)
    {
        Group.Barrier();
        if (Group.Thread == Group.Size - 1)
            output[-1] = 0;
        Group.Barrier();
        output[Group.Thread] = 1;
    }

    public static void WriteBehindLength(View<int> data, long beyond) => data.Slice(0, beyond + 1)[beyond] = 1;
}
