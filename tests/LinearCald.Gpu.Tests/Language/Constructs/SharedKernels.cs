#if UNOPTIMISED
namespace LinearCald.Gpu.Unoptimised;
#else
namespace LinearCald.Gpu.Tests.Language.Constructs;
#endif

/// <summary>Threads that work together: shared memory, barriers, warps. Groups of 64 threads; each kernel maps a[i], b[i] to y[i].</summary>
public static class SharedKernels
{
    private interface ITile
    {
        static abstract int Rows { get; }

        static abstract int Columns { get; }
    }

    public static void ShapesSizeSharedMemory(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        y[i] = Transposed<Tall>(a[i]) + (3 * Transposed<Wide>(b[i]));
    }

    public static void TwoInliningsTwoBuffers(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        Shared<int> p = Filled(a[i]);
        Shared<int> q = Filled(b[i]);
        Group.Barrier();
        int other = Group.Size - 1 - Group.Thread;
        y[i] = p[other] - (2 * q[other]);
    }

    public static void TreeReduction(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        Shared<int> sums = Shared.Allocate<int>(64);
        sums[Group.Thread] = a[i] ^ b[i];
        for (int half = Group.Size / 2; half > 0; half >>= 1)
        {
            Group.Barrier();
            if (Group.Thread < half)
                sums[Group.Thread] += sums[Group.Thread + half];
        }

        Group.Barrier();
        y[i] = sums[0];
    }

    public static void SharedVectors(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        Shared<Int4> rows = Shared.Allocate<Int4>(64);
        rows[Group.Thread] = new Int4(a[i], b[i], a[i] + 1, b[i] - 1);
        Group.Barrier();
        Shared<int> flat = rows.As<int>().From(4);
        Int4 next = rows[(Group.Thread + 1) & 63];
        y[i] = flat[(Group.Thread * 3) % 252] + next.X + (next.W * 3);
    }

    public static void WarpExchanges(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        int sum = Warp.Sum(a[i]);
        sum ^= Warp.ShuffleUp(b[i], 3) + Warp.ShuffleDown(b[i], 5);
        sum += Warp.Shuffle(a[i], b[i]) ^ Warp.ShuffleXor(b[i], 9);
        long wide = Warp.ShuffleXor(((long)a[i] << 20) + b[i], 17);
        double real = Warp.ShuffleDown(a[i] * 0.5, 1);
        y[i] = sum + (int)(wide >> 16) + (int)real + (Warp.Lane * 3) + Warp.Index;
    }

    public static void Votes(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        int bits = (int)Warp.Ballot(a[i] > b[i]);
        bits += Warp.Any(a[i] == 7) ? 1 : 0;
        bits += Warp.All(a[i] != 12345) ? 2 : 0;
        bits ^= Warp.ReduceAdd(a[i]) + Warp.ReduceMin(b[i]) - Warp.ReduceMax(a[i]);
        bits += Group.BarrierCount((a[i] & 1) != 0) * 5;
        bits += Group.BarrierOr(a[i] == b[i]) ? 64 : 128;
        bits += Group.BarrierAnd(b[i] != 99) ? 256 : 512;
        Warp.Barrier();
        y[i] = bits;
    }

    public static void NamedBarriers(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        Shared<int> box = Shared.Allocate<int>(32);
        int result = b[i];
        if (Warp.Index == 0)
        {
            box[Warp.Lane] = a[i] * 3;
            Group.FenceGroup();
            Group.Arrive(1, 64);
        }
        else
        {
            Group.Barrier(1, 64);
            result += box[31 - Warp.Lane];
        }

        y[i] = result;
    }

    public static void IntegerAtomics(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        Shared<int> counts = Shared.Allocate<int>(16);
        Shared<uint> extremes = Shared.Allocate<uint>(2);
        if (Group.Thread < 16)
            counts[Group.Thread] = 0;

        if (Group.Thread < 2)
            extremes[Group.Thread] = 1000;

        Group.Barrier();
        Atomic.Add(counts, a[i] & 15, 1);
        Atomic.Min(extremes, 0, (uint)b[i]);
        Atomic.Max(extremes, 1, (uint)b[i]);
        Group.Barrier();
        y[i] = counts[Group.Thread & 15] + (int)(extremes[0] ^ extremes[1]);
    }

    public static void AsynchronousCopies(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        int first = Grid.IndexX * Group.Size;
        Shared<int> p = Shared.Allocate<int>(64);
        Shared<Int4> q = Shared.Allocate<Int4>(16);
        AsyncCopy.Copy(p, Group.Thread, a, first + (63 - Group.Thread));
        AsyncCopy.Commit();
        if (Group.Thread < 16)
            AsyncCopy.CopyOrClear(q, Group.Thread, b.As<Int4>(), (first / 4) + Group.Thread, Group.Thread < 13);

        AsyncCopy.Commit();
        AsyncCopy.Wait(1);
        Group.Barrier();
        int sum = p[Group.Thread ^ 5];
        AsyncCopy.Wait(0);
        Group.Barrier();
        y[i] = sum + q.As<int>()[Group.Thread];
    }

    private static int Transposed<TTile>(int value)
        where TTile : struct, ITile
    {
        Shared<int> tile = Shared.Allocate<int>(TTile.Rows * (TTile.Columns + 1));
        int row = Group.Thread / TTile.Columns;
        int column = Group.Thread % TTile.Columns;
        tile[(row * (TTile.Columns + 1)) + column] = value;
        Group.Barrier();
        row = Group.Thread % TTile.Rows;
        column = Group.Thread / TTile.Rows;
        return tile[(row * (TTile.Columns + 1)) + column];
    }

    private static Shared<int> Filled(int value)
    {
        Shared<int> buffer = Shared.Allocate<int>(64);
        buffer[Group.Thread] = value;
        return buffer;
    }

    private readonly struct Tall : ITile
    {
        public static int Rows => 16;

        public static int Columns => 4;
    }

    private readonly struct Wide : ITile
    {
        public static int Rows => 8;

        public static int Columns => 8;
    }
}
