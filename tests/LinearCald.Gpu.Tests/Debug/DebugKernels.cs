namespace LinearCald.Gpu.Tests;

/// <summary>Correct kernels, one a part of the language.</summary>
internal static class DebugKernels
{
    public static void Add(ReadOnlyView<float> a, ReadOnlyView<float> b, View<float> c, int n)
    {
        int i = Grid.ThreadX;
        if (i < n)
            c[i] = a[i] + b[i];
    }

    /// <summary>Each group adds 2 · Group.Size numbers in a tree.</summary>
    public static void TreeSum(ReadOnlyView<int> input, View<int> sums)
    {
        Shared<int> partial = Shared.Allocate<int>(Group.Size);
        int first = Grid.IndexX * 2 * Group.Size;
        partial[Group.Thread] = input[first + Group.Thread] + input[first + Group.Size + Group.Thread];
        for (int half = Group.Size / 2; half > 0; half /= 2)
        {
            Group.Barrier();
            if (Group.Thread < half)
                partial[Group.Thread] += partial[Group.Thread + half];
        }

        if (Group.Thread == 0)
            sums[Grid.IndexX] = partial[0];
    }

    /// <summary>Eight results of warp operations a lane.</summary>
    public static void WarpOperations(ReadOnlyView<int> input, View<int> output)
    {
        int i = Group.Thread;
        int value = input[i];
        int at = i * 8;
        output[at] = Warp.ShuffleXor(value, 5);
        output[at + 1] = Warp.ShuffleUp(value, 3);
        output[at + 2] = Warp.ShuffleDown(value, 7);
        output[at + 3] = Warp.Shuffle(value, 40);
        output[at + 4] = (int)Warp.Ballot(value > 0);
        output[at + 5] = Warp.ReduceAdd(value);
        output[at + 6] = Warp.ReduceMin(value);
        output[at + 7] = Warp.Sum(value) + (Warp.All(value > -1000) ? 1 : 0) + (Warp.Any(value > 1000) ? 2 : 0);
    }

    /// <summary>Warp 0 makes numbers for warps 1 and 2, which hand the buffer back: one full and one empty barrier.</summary>
    public static void ProducerConsumer(View<int> output, int rounds)
    {
        Shared<int> buffer = Shared.Allocate<int>(32);
        int sum = 0;
        for (int r = 0; r < rounds; r++)
        {
            if (Warp.Index == 0)
            {
                if (r > 0)
                    Group.Barrier(2, 96);
                buffer[Warp.Lane] = (r * 100) + Warp.Lane;
                Group.Arrive(1, 96);
            }
            else
            {
                Group.Barrier(1, 96);
                sum += buffer[Warp.Lane ^ 1];
                if (r < rounds - 1)
                    Group.Arrive(2, 96);
            }
        }

        output[Group.Thread] = sum;
    }

    public static void CountPositive(ReadOnlyView<int> input, View<int> output)
    {
        int count = Group.BarrierCount(input[Group.Thread] > 0);
        bool any = Group.BarrierOr(input[Group.Thread] > 1000);
        bool all = Group.BarrierAnd(input[Group.Thread] > -1000);
        output[Group.Thread] = (count * 4) + (any ? 2 : 0) + (all ? 1 : 0);
    }

    /// <summary>Copies a tile through shared memory in two groups of asynchronous copies; beyond the end come zeros.</summary>
    public static void CopyThrough(ReadOnlyView<Float4> input, View<Float4> output, int n)
    {
        Shared<Float4> first = Shared.Allocate<Float4>(Group.Size);
        Shared<Float4> second = Shared.Allocate<Float4>(Group.Size);
        int t = Group.Thread;
        AsyncCopy.CopyOrClear(first, t, input, t, t < n);
        AsyncCopy.Commit();
        AsyncCopy.CopyOrClear(second, t, input, Group.Size + t, Group.Size + t < n);
        AsyncCopy.Commit();
        AsyncCopy.Wait(1);
        Group.Barrier();
        output[t] = first[Group.Size - 1 - t];
        AsyncCopy.Wait(0);
        Group.Barrier();
        output[Group.Size + t] = second[Group.Size - 1 - t];
    }

    public static void Histogram(ReadOnlyView<int> input, View<int> counts, View<int> extremes)
    {
        Shared<int> local = Shared.Allocate<int>(8);
        if (Group.Thread < 8)
            local[Group.Thread] = 0;
        Group.Barrier();
        int value = input[Grid.ThreadX];
        Atomic.Add(local, value & 7, 1);
        Group.Barrier();
        if (Group.Thread < 8)
            Atomic.Add(counts, Group.Thread, local[Group.Thread]);
        Atomic.Min(extremes, 0, value);
        Atomic.Max(extremes, 1, value);
        Atomic.CompareExchange(extremes, 2, 7, value);
    }

    /// <summary>One warp: d = a b of 16 × 16 by 16 × 8, fragments through matrix loads. a is [m][k], b is [k][n] in 16-bit floats.</summary>
    public static void MatrixTile(ReadOnlyView<ushort> a, ReadOnlyView<ushort> b, View<float> d, int half)
    {
        Shared<ushort> tileA = Shared.Allocate<ushort>(256);
        Shared<ushort> tileB = Shared.Allocate<ushort>(256);
        int lane = Warp.Lane;
        for (int i = lane; i < 256; i += 32)
        {
            tileA[i] = a[i];
            tileB[i] = (i & 15) < 8 ? b[((i >> 4) * 8) + (i & 15)] : (ushort)0;
        }

        Warp.Barrier();
        UInt4 fragmentA = Mma.Load(tileA, ((lane & 15) * 16) + (8 * (lane >> 4)));
        UInt4 loaded = Mma.LoadTransposed(tileB, ((lane & 15) * 16) + (8 * (lane >> 4)));
        UInt2 fragmentB = new(loaded.X, loaded.Y);
        Float4 sum = default;
        sum = half != 0 ? Mma.Half(sum, fragmentA, fragmentB) : Mma.BFloat16(sum, fragmentA, fragmentB);
        int row = lane >> 2;
        int column = (lane & 3) * 2;
        d[(row * 8) + column] = sum.X;
        d[(row * 8) + column + 1] = sum.Y;
        d[((row + 8) * 8) + column] = sum.Z;
        d[((row + 8) * 8) + column + 1] = sum.W;
    }

    /// <summary>One warp: d = a b of 16 × 8 by 8 × 8 in tf32.</summary>
    public static void MatrixTile32(ReadOnlyView<float> a, ReadOnlyView<float> b, View<float> d)
    {
        int g = Warp.Lane >> 2;
        int c = Warp.Lane & 3;
        UInt4 fragmentA = new(
            Packed.TensorFloat32(a[(g * 8) + c]),
            Packed.TensorFloat32(a[((g + 8) * 8) + c]),
            Packed.TensorFloat32(a[(g * 8) + c + 4]),
            Packed.TensorFloat32(a[((g + 8) * 8) + c + 4]));
        UInt2 fragmentB = new(Packed.TensorFloat32(b[(c * 8) + g]), Packed.TensorFloat32(b[((c + 4) * 8) + g]));
        Float4 sum = Mma.TensorFloat32(default, fragmentA, fragmentB);
        d[(g * 8) + (2 * c)] = sum.X;
        d[(g * 8) + (2 * c) + 1] = sum.Y;
        d[((g + 8) * 8) + (2 * c)] = sum.Z;
        d[((g + 8) * 8) + (2 * c) + 1] = sum.W;
    }

    /// <summary>Shows a running sum twice.</summary>
    public static void Stopping(ReadOnlyView<int> input, View<int> output)
    {
        int sum = 0;
        for (int i = 0; i < 4; i++)
        {
            sum += input[(Group.Thread * 4) + i];
            if (Group.Thread == 2 && (i & 1) == 1)
                DebugPoint.Stop("sum", sum);
        }

        output[Group.Thread] = sum;
        Group.Barrier();
    }
}
